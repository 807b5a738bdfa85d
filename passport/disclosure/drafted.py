"""Whether consents let a caller write a Consent that is only a draft: the condition of a write, asked of its facts.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

from fhirstore.facts import Columns
from passport.admission import Desk
from passport.decision import Decision
from passport.sql import run

_KEY: Final = BigInteger()
_KEYS: Final = ARRAY(BigInteger)
_INSTANT: Final = TIMESTAMP(timezone=True)


async def may_be_written(desk: Desk, decision: Decision, drafts: Sequence[Columns], patient_key: int) -> bool:
    """Whether `decision` lets all of these stand, had the caller written them for this patient; one statement."""
    rows = union_all(*(_row(desk, draft, patient_key) for draft in drafts)).subquery("drafted")
    permitted = func.coalesce(func.bool_and(func.coalesce(decision.clause(rows), False)), False)
    found = await run(desk.connection, select(permitted.label("permitted")), **decision.params)
    return bool(found[0].permitted)


def _row(desk: Desk, facts: Columns, patient_key: int) -> Select[Any]:
    """The facts of a draft as a record has them, before it has an id."""
    keys: Mapping[str, Sequence[int]] = {
        name: getattr(facts, name)
        for name in ("labels", "codes", "code_systems", "categories", "authors", "refs")
    }
    columns: Mapping[str, ColumnElement[Any]] = {
        "type": literal(int(facts.type), SmallInteger),
        "patient_key": literal(patient_key, _KEY),
        "record_key": literal(0, _KEY),
        "version": literal(1, Integer),
        "status": literal(facts.status, _KEY),
        "source": literal(desk.standing.actor_key, _KEY),
        "confidentiality": literal(facts.confidentiality, SmallInteger),
        "starts": literal(facts.starts, _INSTANT),
        "ends": literal(facts.ends, _INSTANT),
        "deleted": literal(False, Boolean),
        "parts": literal(False, Boolean),
        "follows": cast(null(), _KEYS),
        "others": cast(null(), _KEYS),
        **{name: literal(list(found), _KEYS) for name, found in keys.items()},
    }
    return select(*(cast(value, value.type).label(name) for name, value in columns.items()))
