"""Saving and finding records: one statement per table for any number of records.

http://hl7.org/fhir/R4/http.html

The read functions have one caller, the disclosure; the write functions have one, the intake (a check in
`make check` keeps it so). They neither decide nor audit: a read is handed the condition that decides and
composes it into its statement.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    SmallInteger,
    and_,
    any_,
    bindparam,
    func,
    not_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.errors import FhirStoreError
from fhirstore.parameters import parameters_of
from fhirstore.rows import (
    ARCHIVE,
    INSERT_LOCATORS,
    INSERT_RECORDS,
    KEYS,
    REPLACE_RECORDS,
    UNINDEX,
    RecordRow,
    arrays_of,
    beside,
    record_arrays,
)
from fhirstore.search.query import Query
from fhirstore.search.sort import after, expressions, order_by
from fhirstore.search.test import Test
from fhirstore.statements import Connection, Prepared, Row, fetch
from fhirstore.tables import NOBODY, locator, patient, resource, resource_token, resource_version
from fhirstore.types import PROPOSABLE

READS: Final = ("page", "total", "record", "versions", "directory_bodies")
WRITES: Final = ("save", "allot_patient", "open_directory", "owners", "lock", "judged", "recent_from")

ALLOT_PATIENT: Final = "SELECT nextval('patient_patient_key_seq') AS patient_key"
INSERT_PATIENT: Final = (
    "INSERT INTO patient (patient_key, patient_id, wrapped_key, created_at) "
    "VALUES (%(patient_key)s, %(patient_id)s, %(wrapped_key)s, %(created_at)s)"
)

OPEN_DIRECTORY: Final = (
    "INSERT INTO patient (patient_key, patient_id, wrapped_key, created_at) "
    "VALUES (0, '', %(wrapped_key)s, %(now)s) ON CONFLICT DO NOTHING"
)
OWNERS: Final = (
    "SELECT l.record_key, p.patient_key, p.wrapped_key FROM patient p LEFT JOIN locator l "
    "ON l.patient_key = p.patient_key AND l.record_key = ANY (%(record_keys)s::bigint[]) "
    "WHERE l.record_key IS NOT NULL OR p.patient_key = 0"
)
DIRECTORY_BODIES: Final = (
    "SELECT r.patient_key, r.record_key, r.type, r.id, r.version, r.codec, r.body, p.wrapped_key "
    "FROM resource r JOIN patient p USING (patient_key) "
    "WHERE r.patient_key = 0 AND r.record_key = ANY (%(record_keys)s::bigint[]) AND NOT r.deleted"
)
RECENT_PROPOSALS: Final = (
    "SELECT count(*) FROM ("
    "SELECT FROM resource WHERE type = 19 AND source = %(source)s AND last_updated > %(since)s "
    "UNION ALL "
    "SELECT FROM resource_version WHERE type = 19 AND source = %(source)s AND last_updated > %(since)s) AS written"
)

Permit = Callable[[FromClause], ColumnElement[bool]]
"""The condition that decides, over rows of `resource` or of `resource_version`."""

Relied = Callable[[FromClause], ColumnElement[Any]]
"""What a row is let through by."""


_SHOWN_COLUMNS: Final = (
    "patient_key",
    "record_key",
    "id",
    "version",
    "last_updated",
    "codec",
    "body",
    "others",
)


class NoPatientKey(FhirStoreError):
    """The sequence of patient keys gave nothing."""


async def save(connection: Connection, rows: Sequence[RecordRow]) -> None:
    """Store `rows`, each the next version of its record; the version before it moves to the history.

    Call it inside of a transaction and of a pipeline: no statement here waits for another's result.

    Raises:
        psycopg.errors.UniqueViolation: a first version whose id is taken.
    """
    first = [row for row in rows if row.version == 1]
    later = [row for row in rows if row.version > 1]
    if first:
        await connection.execute(INSERT_LOCATORS, arrays_of(first, ("record_key", "patient_key")))
        await connection.execute(INSERT_RECORDS, record_arrays(first))
    if later:
        these = arrays_of(later, KEYS)
        for statement in (ARCHIVE, *UNINDEX):
            await connection.execute(statement, these)
        await connection.execute(REPLACE_RECORDS, record_arrays(later))
    for statement, arrays in beside(rows):
        await connection.execute(statement, arrays)


async def allot_patient(
    connection: Connection, patient_id: str, new_wrapped_key: Callable[[int], bytes], now: datetime
) -> int:
    """Give a new person a patient_key and a wrapped key of their own; return the patient_key.

    Raises:
        psycopg.errors.UniqueViolation: the id is taken.
    """
    cursor = await connection.execute(ALLOT_PATIENT)
    found = await cursor.fetchone()
    if found is None:
        raise NoPatientKey
    patient_key = int(found[0])
    values = {
        "patient_key": patient_key,
        "patient_id": patient_id,
        "wrapped_key": new_wrapped_key(patient_key),
        "created_at": now,
    }
    await connection.execute(INSERT_PATIENT, values)
    return patient_key


async def open_directory(connection: Connection, wrapped_key: bytes, now: datetime) -> None:
    """Make the place for what belongs to nobody, once; its key opens the directory and the policies."""
    await connection.execute(OPEN_DIRECTORY, {"wrapped_key": wrapped_key, "now": now})


async def owners(connection: Connection, record_keys: Sequence[int]) -> Sequence[Row]:
    """Who holds each of these records: record_key, patient_key, wrapped_key; nobody's own row is always there."""
    return await fetch(connection, Prepared(OWNERS, {}), {"record_keys": list(record_keys)})


async def directory_bodies(connection: Connection, record_keys: Sequence[int]) -> Sequence[Row]:
    """The sealed bodies of records of the directory."""
    return await fetch(connection, Prepared(DIRECTORY_BODIES, {}), {"record_keys": list(record_keys)})


async def recent_from(connection: Connection, source: int, since: datetime) -> int:
    """How many consents this source has put to patients since then."""
    rows = await fetch(connection, Prepared(RECENT_PROPOSALS, {}), {"source": source, "since": since})
    return int(rows[0].count)


def page(query: Query, permit: Permit, relied: Relied, *, reach: Permit, after_cursor: bool) -> Select[Any]:
    """The rows of one page and one more, which tells that there is a next page.

    Bound: the tests' values, `limit`, the cursor's `after_…`, `asked` or `asked_refs` for the patients that the
    search names, and what `permit` and `reach` bind. `reach` bounds whose records are looked at when none is
    named.
    """
    record = resource.alias("r")
    indexed = next((test for test in query.tests if test.index), None)
    driver = None if indexed is None else resource_token.alias("t")
    # Index rows stand in the order of time: they then give the page without a sort.
    by_time = driver is not None and all(key.name == "time" for key in query.order)
    order = driver if driver is not None and by_time else record
    rows = select(*_shown(record), relied(record).label("relied"), *expressions(query.order, order)).where(
        *_wanted(query, record, reach, indexed), permit(record)
    )
    if driver is not None and indexed is not None:
        rows = rows.select_from(driver.join(record, _same(driver, record)))
        rows = rows.where(*_driven(query, driver, indexed, reach))
    if after_cursor:
        rows = rows.where(after(query.order, order))
    return rows.order_by(*order_by(query.order, order)).limit(bindparam("limit", type_=Integer))


def total(query: Query, permit: Permit, *, reach: Permit) -> Select[Any]:
    """How many records match; what is not permitted is not counted."""
    record = resource.alias("counted")
    return (
        select(func.count().label("total"))
        .select_from(record)
        .where(*_wanted(query, record, reach, None), permit(record))
    )


def record(permit: Permit, relied: Relied) -> Select[Any]:
    """One current record, a deleted one included; bound: `asked`, `record_key`, `type`."""
    found = resource.alias("r")
    return select(*_shown(found), found.c.deleted, relied(found).label("relied")).where(
        *_this(found), permit(found)
    )


def versions(permit: Permit, relied: Relied) -> Select[Any]:
    """The versions of one record, newest first, each permitted itself and as the record is now.

    Bound: `asked`, `record_key`, `type`, `before` (a version, exclusive), `limit`.
    """
    now, then, still = resource.alias("r"), resource_version.alias("v"), resource.alias("c")
    current = select(*_shown(now), now.c.deleted, relied(now).label("relied")).where(*_this(now), permit(now))
    earlier = (
        select(*_shown(then), then.c.deleted, relied(then).label("relied"))
        .select_from(then.join(still, _same(then, still)))
        .where(*_this(then), permit(then), permit(still))
    )
    both = union_all(current, earlier).subquery("both")
    return (
        select(both)
        .where(both.c.version < bindparam("before", type_=Integer))
        .order_by(both.c.version.desc())
        .limit(bindparam("limit", type_=Integer))
    )


def lock(permit: Permit) -> Select[Any]:
    """The current rows that a write is about, locked, with what the condition says of each.

    Bound: `record_keys`, and what the condition binds. A row that is not permitted comes back as well: whoever
    calls this must not tell it from an absent one.
    """
    found = resource.alias("r")
    return (
        select(
            *_shown(found),
            found.c.type,
            found.c.deleted,
            found.c.source,
            found.c.refs,
            patient.c.wrapped_key,
            func.coalesce(permit(found), False).label("permitted"),
        )
        .select_from(found.join(patient, patient.c.patient_key == found.c.patient_key))
        .where(found.c.record_key == any_(bindparam("record_keys", type_=ARRAY(BigInteger))))
        .with_for_update(of=found)
    )


def judged(permit: Permit, relied: Relied) -> Select[Any]:
    """What a condition says of rows that were just saved; bound: `record_keys`."""
    found = resource.alias("r")
    return select(
        found.c.patient_key,
        found.c.record_key,
        func.coalesce(permit(found), False).label("permitted"),
        relied(found).label("relied"),
    ).where(found.c.record_key == any_(bindparam("record_keys", type_=ARRAY(BigInteger))))


def _shown(rows: FromClause) -> list[ColumnElement[Any]]:
    return [rows.c[name] for name in _SHOWN_COLUMNS]


def _this(rows: FromClause) -> list[ColumnElement[bool]]:
    return [
        rows.c.patient_key == bindparam("asked", type_=BigInteger),
        rows.c.record_key == bindparam("record_key", type_=BigInteger),
        rows.c.type == bindparam("type", type_=SmallInteger),
    ]


def _same(left: FromClause, right: FromClause) -> ColumnElement[bool]:
    return and_(left.c.patient_key == right.c.patient_key, left.c.record_key == right.c.record_key)


def _wanted(query: Query, rows: FromClause, reach: Permit, driving: Test | None) -> list[ColumnElement[bool]]:
    conditions = [
        rows.c.type == bindparam("type", type_=SmallInteger),
        not_(rows.c.deleted),
        _of_patients(query, rows, reach),
    ]
    return conditions + [test.condition(rows) for test in query.tests if test is not driving]


def _driven(query: Query, driver: FromClause, test: Test, reach: Permit) -> list[ColumnElement[bool]]:
    parameter, bind = test.index or (0, "")
    return [
        _of_patients(query, driver, reach),
        driver.c.parameter == parameter,
        driver.c.value == bindparam(bind, type_=BigInteger),
    ]


def _of_patients(query: Query, rows: FromClause, reach: Permit) -> ColumnElement[bool]:
    if query.patients is None:
        return reach(rows)
    named = any_(bindparam("asked_refs", type_=ARRAY(BigInteger)))
    if len(query.patients) == 1:
        held = rows.c.patient_key == bindparam("asked", type_=BigInteger)
    else:
        held = rows.c.patient_key.in_(select(locator.c.patient_key).where(locator.c.record_key == named))
    if query.type.name != PROPOSABLE:
        return held
    # What was proposed to somebody without a passport lies with nobody, and is found all the same.
    put_to = resource_token.alias()
    number = parameters_of(PROPOSABLE)["patient"].number
    found = select(put_to.c.record_key).where(
        put_to.c.patient_key == NOBODY, put_to.c.parameter == number, put_to.c.value == named
    )
    return held | ((rows.c.patient_key == NOBODY) & rows.c.record_key.in_(found))
