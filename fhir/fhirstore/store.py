"""Saving and finding records: one statement per table for any number of records.

http://hl7.org/fhir/R4/http.html

The read functions have one caller, the disclosure; the write functions have one, the intake (a check in
`make check` keeps it so). They neither decide nor audit: a read is handed the condition that decides and
composes it into its statement.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.errors import FhirStoreError
from fhirstore.reads import Permit, Relied, shown
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
from fhirstore.statements import Connection, Row, fetch, start, written
from fhirstore.tables import patient, resource

READS: Final = ("directory_bodies",)
WRITES: Final = (
    "save",
    "allot_patient",
    "allot_patients",
    "open_directory",
    "owners",
    "lock",
    "followed",
    "judged",
    "claim",
    "recent_from",
)

ALLOT_PATIENTS: Final = (
    "SELECT nextval('patient_patient_key_seq') AS patient_key FROM generate_series(1, %(count)s::int)"
)
INSERT_PATIENTS: Final = (
    "INSERT INTO patient (patient_key, patient_id, wrapped_key, created_at) "
    "SELECT patient_key, patient_id, wrapped_key, %(created_at)s "
    "FROM unnest(%(patient_keys)s::bigint[], %(patient_ids)s::text[], %(wrapped_keys)s::bytea[]) "
    "AS rows (patient_key, patient_id, wrapped_key)"
)

OPEN_DIRECTORY: Final = (
    "INSERT INTO patient (patient_key, patient_id, wrapped_key, created_at) "
    "VALUES (0, '', %(wrapped_key)s, %(now)s) ON CONFLICT DO NOTHING"
)
CLAIM: Final = "SELECT pg_advisory_xact_lock(key) FROM unnest(%(keys)s::bigint[]) AS claimed (key)"
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
    "SELECT FROM resource WHERE type = 19 AND source = %(source)s AND last_updated > %(since)s AND version > 1 "
    "UNION ALL "
    "SELECT FROM resource_version WHERE type = 19 AND source = %(source)s AND last_updated > %(since)s "
    "AND version > 1) AS written"
)


class NoPatientKey(FhirStoreError):
    """The sequence of patient keys gave nothing."""


async def save(connection: Connection, rows: Sequence[RecordRow]) -> None:
    """Store `rows`, each the next version of its record; the version before it moves to the history.

    Call it inside of a transaction and of a pipeline: no statement here waits for another's result. Ids are taken in
    ascending order of their keys, so that of two who take the same ones none waits for one that waits for it.

    Raises:
        psycopg.errors.UniqueViolation: a first version whose id is taken.
    """
    first = sorted((row for row in rows if row.version == 1), key=attrgetter("record_key"))
    later = [row for row in rows if row.version > 1]
    if first:
        await start(connection, written(INSERT_LOCATORS), arrays_of(first, ("record_key", "patient_key")))
        await start(connection, written(INSERT_RECORDS), record_arrays(first))
    if later:
        these = arrays_of(later, KEYS)
        for statement in (ARCHIVE, *UNINDEX):
            await start(connection, written(statement), these)
        await start(connection, written(REPLACE_RECORDS), record_arrays(later))
    for statement, arrays in beside(rows):
        await start(connection, written(statement), arrays)


async def allot_patients(
    connection: Connection,
    patient_ids: Sequence[str],
    new_wrapped_key: Callable[[int], bytes],
    now: datetime,
) -> list[int]:
    """Give new persons a patient_key and a wrapped key each; return the patient_keys.

    Raises:
        psycopg.errors.UniqueViolation: an id is taken.
    """
    rows = await fetch(connection, written(ALLOT_PATIENTS), {"count": len(patient_ids)})
    if len(rows) < len(patient_ids):
        raise NoPatientKey
    patient_keys = [int(row.patient_key) for row in rows]
    named = sorted(zip(patient_ids, patient_keys, strict=True))
    values = {
        "patient_keys": [patient_key for _, patient_key in named],
        "patient_ids": [patient_id for patient_id, _ in named],
        "wrapped_keys": [new_wrapped_key(patient_key) for _, patient_key in named],
        "created_at": now,
    }
    await connection.execute(INSERT_PATIENTS, values)
    return patient_keys


async def allot_patient(
    connection: Connection, patient_id: str, new_wrapped_key: Callable[[int], bytes], now: datetime
) -> int:
    """Give one new person a patient_key and a wrapped key of their own; return the patient_key.

    Raises:
        psycopg.errors.UniqueViolation: the id is taken.
    """
    (patient_key,) = await allot_patients(connection, [patient_id], new_wrapped_key, now)
    return patient_key


async def open_directory(connection: Connection, wrapped_key: bytes, now: datetime) -> None:
    """Make the place for what belongs to nobody, once; its key opens the directory and the policies."""
    await connection.execute(OPEN_DIRECTORY, {"wrapped_key": wrapped_key, "now": now})


async def claim(connection: Connection, *keys: int) -> None:
    """Wait until nobody else claims these keys, and claim them until the transaction ends; all do it in one order."""
    await fetch(connection, written(CLAIM), {"keys": sorted(set(keys))})


async def owners(connection: Connection, record_keys: Sequence[int]) -> Sequence[Row]:
    """Who holds each of these records: record_key, patient_key, wrapped_key; nobody's own row is always there."""
    return await fetch(connection, written(OWNERS), {"record_keys": list(record_keys)})


async def directory_bodies(connection: Connection, record_keys: Sequence[int]) -> Sequence[Row]:
    """The sealed bodies of records of the directory."""
    return await fetch(connection, written(DIRECTORY_BODIES), {"record_keys": list(record_keys)})


async def recent_from(connection: Connection, source: int, since: datetime) -> int:
    """How often this source has changed consents since then; that it wrote new ones is kept elsewhere."""
    rows = await fetch(connection, written(RECENT_PROPOSALS), {"source": source, "since": since})
    return int(rows[0].count)


def lock(permits: Mapping[str, Permit]) -> Select[Any]:
    """The current rows that a write is about, locked, with what each of the conditions says, under its name.

    Bound: `record_keys`, and what the conditions bind. A row that none permits comes back as well: whoever calls
    this must not tell it from an absent one. Rows are locked by their keys in ascending order, whichever way the
    caller names them: of two that lock the same rows none waits for one that waits for it.
    """
    found = resource.alias("r")
    return (
        select(
            *shown(found),
            found.c.deleted,
            found.c.source,
            found.c.status,
            found.c.refs,
            patient.c.wrapped_key,
            *(func.coalesce(permit(found), False).label(name) for name, permit in permits.items()),
        )
        .select_from(found.join(patient, patient.c.patient_key == found.c.patient_key))
        .where(_among(found))
        .order_by(found.c.record_key)
        .with_for_update(of=found)
    )


def followed(permit: Permit, given: Permit) -> Select[Any]:
    """What the consents and the scopes say of rows that others follow, and who wrote these; bound: `record_keys`.

    They are not locked: whoever reads what follows them asks of them anew.
    """
    found = resource.alias("r")
    said = {"permitted": permit(found), "given": given(found)}
    columns = [func.coalesce(condition, False).label(name) for name, condition in said.items()]
    return select(found.c.record_key, found.c.source, *columns).where(_among(found))


def _among(rows: FromClause) -> ColumnElement[bool]:
    return rows.c.record_key == any_(bindparam("record_keys", type_=ARRAY(BigInteger)))


def held(condition: Permit) -> Select[Any]:
    """Which rows that were just saved a condition holds of; bound: `record_keys`."""
    found = resource.alias("r")
    return select(found.c.record_key).where(_among(found), condition(found))


def judged(permit: Permit, relied: Relied) -> Select[Any]:
    """What a condition says of rows that were just saved; bound: `record_keys`."""
    found = resource.alias("r")
    return select(
        found.c.patient_key,
        found.c.record_key,
        func.coalesce(permit(found), False).label("permitted"),
        relied(found).label("relied"),
    ).where(_among(found))
