"""Reading the audit log: which rows a caller may see, in the order of their writing.

http://hl7.org/fhir/R4/auditevent.html

A patient sees the rows of their own passport, an auditor every row, anyone else what a consent that names class
AuditEvent grants them: a row is put to the same decision as a record, as one of that type with the row's time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    SmallInteger,
    Text,
    any_,
    bindparam,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as SQL_UUID

from fhirstore.tables import patient
from fhirstore.types import TYPES
from passport.audit.actions import OWN_BUSINESS
from passport.audit.question import Place, Question
from passport.audit.tables import audit_event
from passport.decision import Decision
from passport.identity.scopes import told
from passport.sql import Connection, run
from passport.subjects import CITY, Subject

_UNKNOWN_PATIENT: Final = -1
"""No patient_key: the log of a patient who is not here looks like one that shows nothing."""

_TICK: Final = timedelta(milliseconds=1)
_KEYS: Final = ARRAY(BigInteger)
_TEXTS: Final = ARRAY(Text)
_INSTANT: Final = TIMESTAMP(timezone=True)


@dataclass(frozen=True, slots=True)
class Logged:
    """One row of the audit log; `patient` is whose, None for nobody's or one that was erased.

    `scopes` are those that let it through; of a refusal for want of one those that were missing.
    """

    place: Place
    patient_key: int
    patient: str | None
    action: str
    kind: str
    outcome: str
    subject: str | None
    role: str | None
    client: str | None
    behalf_of: str | None
    purpose: str | None
    query: str
    record_keys: tuple[int, ...]
    versions: tuple[int, ...]
    grants: tuple[str, ...]
    detail: str
    scopes: tuple[str, ...]
    relied: tuple[int, ...]
    called: Callable[[str], str] = str
    """How a record is called to whoever is shown the row."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Who looks at the log, and what of it: `decision` is None for an auditor, who sees every row."""

    subject: Subject
    decision: Decision | None
    asked: int | None

    @property
    def blind(self) -> bool:
        """Whoever acts for the city is shown nothing of what was recorded, auditors apart."""
        return self.subject.kind in CITY - {"auditor"}

    def own(self, patient_key: int) -> bool:
        """Whether this is the passport of the one who looks."""
        return self.subject.kind == "patient" and self.subject.patient_key == patient_key


async def page(
    connection: Connection, seen: Seen, question: Question, *, after: Place | None, own_business: bool
) -> Sequence[Logged]:
    """Return the rows of one page, and one more if there are further ones.

    Args:
        connection: inside the request's transaction.
        seen: who looks.
        question: what is asked for.
        after: the place of the last row of the page before.
        own_business: whether what a patient did about their own session and log is among the rows.
    """
    rows = _rows()
    order = [rows.c.recorded, rows.c.audit_id]
    statement = (
        select(rows, patient.c.patient_id, _relied(seen, rows).label("relied"))
        .outerjoin(patient, patient.c.patient_key == rows.c.patient_key)
        .where(*_conditions(rows, seen, question, own_business=own_business))
        .order_by(*(value.desc() if question.descending else value.asc() for value in order))
        .limit(bindparam("limit", type_=Integer))
    )
    params: dict[str, Any] = {**_params(seen, question), "limit": question.shown + 1}
    if after is not None:
        place = tuple_(bindparam("after_recorded", type_=_INSTANT), bindparam("after_id", type_=SQL_UUID))
        here = tuple_(*order)
        statement = statement.where(here < place if question.descending else here > place)
        params |= {"after_recorded": after.recorded, "after_id": after.audit_id}
    return [_logged(row) for row in await run(connection, statement, **params)]


async def total(connection: Connection, seen: Seen, question: Question) -> int:
    """Return how many rows of the log the question finds for the one who looks."""
    rows = _rows()
    statement = select(func.count().label("total")).select_from(rows)
    statement = statement.where(*_conditions(rows, seen, question, own_business=True))
    found = await run(connection, statement, **_params(seen, question))
    return int(found[0].total)


def _rows() -> FromClause:
    """The log with the facts of each row as a record has them: its type, its time, what it refers to."""
    event = audit_event
    none = cast(literal([], _KEYS), _KEYS)
    facts: Mapping[str, ColumnElement[Any]] = {
        "type": literal(int(TYPES["AuditEvent"].number), SmallInteger),
        "record_key": literal(0, BigInteger),
        "version": literal(1, Integer),
        "deleted": literal(False, Boolean),
        "status": cast(null(), BigInteger),
        "source": literal(0, BigInteger),
        "confidentiality": cast(null(), SmallInteger),
        "starts": event.c.recorded,
        "ends": event.c.recorded + _TICK,
        "last_updated": event.c.recorded,
        "refs": event.c.record_keys,
        "parts": literal(False, Boolean),
        **dict.fromkeys(
            ("labels", "codes", "code_systems", "categories", "authors", "follows", "others"), none
        ),
    }
    return select(event, *(value.label(name) for name, value in facts.items())).subquery("logged")


def _conditions(
    rows: FromClause, seen: Seen, question: Question, *, own_business: bool
) -> list[ColumnElement[bool]]:
    conditions = [false() if seen.blind or question.nowhere else _permitted(seen, rows)]
    if question.patient is not None:
        conditions.append(rows.c.patient_key == bindparam("asked", type_=BigInteger))
    if question.agents is not None:
        agents = any_(bindparam("agents", type_=_TEXTS))
        who = (rows.c.subject, rows.c.role, rows.c.client, rows.c.behalf_of)
        conditions.append(or_(*(reference == agents for reference in who)))
    if question.outcomes is not None:
        conditions.append(rows.c.outcome == any_(bindparam("outcomes", type_=_TEXTS)))
    if question.place is not None:
        conditions.append(rows.c.recorded == bindparam("recorded", type_=_INSTANT))
        conditions.append(rows.c.audit_id == bindparam("audit_id", type_=SQL_UUID))
    if not own_business:
        own = (rows.c.kind == "patient") & (rows.c.outcome == "success")
        conditions.append(not_(own & (rows.c.action == any_(literal(list(OWN_BUSINESS), _TEXTS)))))
    return [*conditions, *(test.condition(rows) for test in question.query.tests)]


def _permitted(seen: Seen, rows: FromClause) -> ColumnElement[bool]:
    if seen.decision is None:
        return true()
    # Whose rows can be visible at all: the index is led by it.
    within = rows.c.patient_key == any_(bindparam("reachable", type_=_KEYS))
    everyone = seen.decision.sight.otherwise is not None
    return seen.decision.clause(rows) if everyone else within & seen.decision.clause(rows)


def _relied(seen: Seen, rows: FromClause) -> ColumnElement[Any]:
    nothing = cast(literal([], _KEYS), _KEYS)
    return nothing if seen.decision is None else seen.decision.relied(rows)


def _params(seen: Seen, question: Question) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if seen.decision is not None:
        own = {key for key in (seen.decision.params.get("own_patient"),) if key is not None}
        own.update(seen.decision.params.get("own_patients", ()))
        reachable = sorted(own | seen.decision.patients)
        params |= {**seen.decision.params, "reachable": reachable}
    for test in question.query.tests:
        params |= test.params
    optional: Mapping[str, tuple[object, Any]] = {
        "asked": (question.patient, _UNKNOWN_PATIENT if seen.asked is None else seen.asked),
        "agents": (question.agents, list(question.agents or ())),
        "outcomes": (question.outcomes, list(question.outcomes or ())),
    }
    params |= {name: value for name, (asked, value) in optional.items() if asked is not None}
    if question.place is not None:
        params |= {"recorded": question.place.recorded, "audit_id": question.place.audit_id}
    return params


def _logged(row: Any) -> Logged:
    return Logged(
        place=Place(row.recorded, row.audit_id),
        patient_key=row.patient_key,
        patient=f"Patient/{row.patient_id}" if row.patient_id else None,
        action=row.action,
        kind=row.kind,
        outcome=row.outcome,
        subject=row.subject,
        role=row.role,
        client=row.client,
        behalf_of=row.behalf_of,
        purpose=row.purpose,
        query=row.query,
        record_keys=tuple(row.record_keys),
        versions=tuple(row.versions),
        grants=tuple(row.grants),
        detail=row.detail,
        scopes=tuple(sorted(told(row.scopes or ()))),
        relied=tuple(row.relied),
    )
