"""The one statement of a disclosure: what is shown, the audit rows that tell of it, and nothing without them.

http://hl7.org/fhir/R4/http.html#read

It finds rows under the consent condition, inserts the audit rows of what it found, and returns the rows only if
those were written; the COMMIT travels with it.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    bindparam,
    case,
    column,
    func,
    null,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.tables import patient as patient_table
from passport.admission import Desk
from passport.audit.disclosed import parameters, recording
from passport.decision import Decision, is_of
from passport.runtime import Runtime
from passport.sql import Prepared, prepare, start

BODY_COLUMNS: Final = ("patient_key", "id", "version", "codec", "body")
"""What it takes to open a body."""

UNKNOWN_PATIENT: Final = -1
"""No patient_key: a search for a patient who is not here looks like one who shows nothing."""

_KEYS: Final = ARRAY(BigInteger)
_COUNTED_BEFORE: Final = """
SELECT patient_key, CAST(NULL AS bigint[]) AS others, CAST(relied AS bigint[]) AS relied
FROM unnest(CAST(:counted_patients AS bigint[]), CAST(:counted_relied AS text[])) AS rows (patient_key, relied)
"""
_COUNTED_COLUMNS: Final = (
    column("patient_key", BigInteger),
    column("others", _KEYS),
    column("relied", _KEYS),
)


def kept(runtime: Runtime, structure: Hashable, compose: Callable[[], Select[Any]]) -> Prepared:
    """The statement for `structure`, composed only once."""
    return runtime.statements.get(structure) or runtime.statements.put(structure, prepare(compose()))


def counted_before() -> CTE:
    """Whose records were counted or looked through by earlier statements, as `counted_params` binds them."""
    return text(_COUNTED_BEFORE).columns(*_COUNTED_COLUMNS).cte("counted")


def counted_params(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """What `counted_before` binds: the numbers of the grants by which records of each patient were looked at."""
    codes: dict[int, set[int]] = {}
    for row in rows:
        for patient in (row.patient_key, *(row.others or ())):
            codes.setdefault(patient, set()).update(code for code in row.relied if is_of(patient, code))
    return {
        "counted_patients": list(codes),
        "counted_relied": ["{" + ",".join(map(str, sorted(found))) + "}" for found in codes.values()],
    }


def recorded(
    shown: CTE,
    totals: Subquery,
    names: Sequence[str],
    *,
    of_asked: bool,
    before: Sequence[CTE] = (),
    counted: CTE | None = None,
    seen: CTE | None = None,
) -> Select[Any]:
    """These columns of what is shown, with the key that opens it, and only if the audit rows were written.

    `of_asked` tells that all of it is of the patient bound as `asked`, whose key is then looked up once. Whoever's
    records were `counted` is told as well. `seen` says whether anybody was found, for the log.
    """
    audited = recording(counted=counted is not None, seen=seen is not None)
    written = select(func.count()).select_from(audited).scalar_subquery()
    keys = patient_table.alias("keys")
    rows = totals.outerjoin(shown, true())
    key: ColumnElement[bytes] = keys.c.wrapped_key
    if of_asked:
        asked = keys.c.patient_key == bindparam("asked", type_=BigInteger)
        one = select(keys.c.wrapped_key).where(asked).scalar_subquery()
        # Where nothing is shown no key is fetched, whether the patient is here or not.
        key = case((shown.c.patient_key.is_not(null()), one), else_=null())
    else:
        rows = rows.outerjoin(keys, keys.c.patient_key == shown.c.patient_key)
    return (
        select(totals, *(shown.c[name] for name in names), key.label("wrapped_key"))
        .select_from(rows)
        .where(written > 0)
        .add_cte(*before, shown, *(one for one in (counted, seen) if one is not None), audited)
    )


async def disclosed(desk: Desk, prepared: Prepared, params: Mapping[str, Any]) -> Sequence[Any]:
    """Run the statement and COMMIT in one round trip; rows are handed over only after the commit."""
    async with desk.connection.pipeline():
        cursor = await start(desk.connection, prepared, params)
        await desk.commit()
    return list(await cursor.fetchall())


def present(rows: Sequence[Any]) -> list[Any]:
    """The rows that hold a record; a total comes on a row of its own where nothing is shown."""
    return [row for row in rows if row.patient_key is not None]


def audit_params(
    desk: Desk, decision: Decision, told: list[int], *, one: bool, named: Sequence[int] = ()
) -> Mapping[str, Any]:
    """What the audit rows of a disclosure bind; `told` are the patients who are told whatever was found."""
    return parameters(
        desk.subject,
        verb=desk.request.verb,
        query=desk.request.query,
        told=told,
        grants=decision.grants,
        one=one,
        now=desk.now,
        named=named,
        scopes=sorted(desk.by),
    )
