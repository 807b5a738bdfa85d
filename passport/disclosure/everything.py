"""Everything of one patient that is permitted, page by page, and what of the directory it refers to.

http://hl7.org/fhir/R4/patient-operation-everything.html

Whoever finds nothing is told whether there is nothing or nobody as by a read of the Patient: one of whom nothing is
permitted and an unknown one are answered alike. To a session whose scopes do not reach the Patient both are an empty
page, as a search answers. One statement finds, records and shows a page.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Integer, Select, bindparam, case, cast, exists, func, literal, null, select, union_all

from consent.model import Action
from fhirstore import reads
from fhirstore.compartment import everything as compartment
from fhirstore.compartment.question import Question
from fhirstore.search.cursor import open_cursor, seal_cursor
from fhirstore.search.named import PATIENT
from fhirstore.tables import NOBODY
from fhirstore.types import TYPE_NUMBERS, TYPES_BY_NUMBER
from passport.admission import Desk, Request, admitted
from passport.bundles import Entry
from passport.decision import Decision, decide
from passport.disclosure.cursors import cursor_context
from passport.disclosure.recorded import (
    BODY_COLUMNS,
    UNKNOWN_PATIENT,
    audit_params,
    disclosed,
    kept,
    present,
    recorded,
)
from passport.disclosure.through import AS_STORED, Through, kin_of, through
from passport.identity.scopes import missing
from passport.identity.stepping_up import require_fresh_export
from passport.outcomes import NotFound, OutOfScope
from passport.records import opened_body
from passport.runtime import Runtime
from passport.subjects import Caller

_NAMES: Final = (*BODY_COLUMNS, "type", "included", "sort_type", "sort_kind", "sort_time", "record_key")
_TYPE_NAMES: Final[Mapping[int, str]] = {number: row.name for number, row in TYPES_BY_NUMBER.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """One page: the patient's records, and what of the directory they refer to."""

    entries: tuple[Entry, ...]
    included: tuple[Entry, ...]
    cursor: str | None


async def everything(
    runtime: Runtime, caller: Caller, patient: str, question: Question, asked_as: str, binding: bytes
) -> Found:
    """One page of what is permitted of `patient`; `binding` is the question that its cursors are for.

    Raises:
        InsufficientAuthentication: a clinician begins, and it is too long ago that they proved who they are.
        OutOfScope: the session's scopes reach nothing of what is asked for.
        BadCursor: the cursor is not of this question and caller.
        NotFound: nothing is shown to whoever begins, and the Patient could not be either.
    """
    async with admitted(
        runtime, caller, Request(Action.ACCESS, "everything", asked_as, about=patient)
    ) as desk:
        if question.cursor is None:
            await require_fresh_export(desk)
        held, supporting = _allowed(desk, question)
        decision = (await decide(runtime, desk.connection, desk.standing, Action.ACCESS)).by("s")
        context = cursor_context(desk, binding)
        after = {}
        if question.cursor is not None:
            after = compartment.places(*open_cursor(runtime.ring.cursor_secret, context, question.cursor))
        tests = tuple(test.structure for test in question.tests)
        kin = bool(kin_of(desk))
        structure = ("everything", tests, bool(after), kin, decision.structure)
        prepared = kept(runtime, structure, lambda: _found(question, decision, after=bool(after), kin=kin))
        params = _params(desk, decision, patient, question) | {"types": held, "supporting_types": supporting}
        tells = question.cursor is None and desk.reaches("s", PATIENT)
        rows = await disclosed(desk, prepared, {**params, **after, "one": tells})
    if tells and not any(row.seen for row in rows):
        raise NotFound
    return _page(desk, rows, context)


def _allowed(desk: Desk, question: Question) -> tuple[list[int], list[int]]:
    """The numbers of the types that the session may be shown; of those that were named, all or none."""
    wanted = question.held | question.supporting
    reached = {name for name in wanted if desk.reaches("s", name)}
    if not reached & question.held or (question.named and reached != wanted):
        raise OutOfScope(missing("s", *(wanted - reached)))
    return _numbers(question.held & reached), _numbers(question.supporting & reached)


def _numbers(names: Iterable[str]) -> list[int]:
    return sorted(TYPE_NUMBERS[name] for name in names)


def _found(question: Question, decision: Decision, *, after: bool, kin: bool) -> Select[Any]:
    """The statement of a page: the patient's records, what they refer to, recorded, shown."""
    permit, relied = decision.clause, decision.relied
    found = compartment.everything(
        question.tests, permit, relied, proposals=decision.proposals, after=after, kin=kin
    ).cte("found")
    count = bindparam("count", type_=Integer)
    matched = select(found).order_by(*compartment.in_order(found)).limit(count).cte("matched")
    beside = compartment.supporting(matched, permit, relied).cte("beside")
    order = ("sort_type", "sort_kind", "sort_time")
    shown = union_all(
        select(
            *compartment.columns(matched),
            matched.c.relied,
            *(matched.c[name] for name in order),
            literal(0, Integer).label("included"),
        ),
        select(
            *compartment.columns(beside),
            beside.c.relied,
            *(cast(null(), matched.c[name].type).label(name) for name in order),
            literal(1, Integer).label("included"),
        ),
    ).cte("shown")
    more = select(func.count() > count).select_from(found).scalar_subquery()
    # Of whom something is shown the Patient is not looked at.
    something, patient = exists(select(shown.c.record_key)), reads.visible(decision.of(PATIENT).clause)
    seen = select(case((something, True), else_=patient.scalar_subquery()).label("seen")).cte("seen")
    totals = select(more.label("more"), seen.c.seen).select_from(seen).subquery("totals")
    rows = recorded(shown, totals, _NAMES, of_asked=False, before=(found, matched, beside), seen=seen)
    return rows.order_by(shown.c.included, *compartment.in_order(shown))


def _params(desk: Desk, decision: Decision, patient: str, question: Question) -> dict[str, Any]:
    asked = desk.standing.asked
    params: dict[str, Any] = {
        **decision.params,
        **audit_params(desk, decision, [NOBODY if asked is None else asked], one=False),
        "asked": UNKNOWN_PATIENT if asked is None else asked,
        "asked_ref": desk.runtime.keys.reference(patient),
        "record_key": desk.runtime.keys.reference(patient),
        "type": TYPE_NUMBERS[PATIENT],
        "kin": list(kin_of(desk)),
        "count": question.count,
        "limit": question.count + 1,
    }
    for test in question.tests:
        params.update(test.params)
    return params


def _page(desk: Desk, rows: Sequence[Any], context: bytes) -> Found:
    shown, runtime, seen_through = present(rows), desk.runtime, through(desk)
    matches = [row for row in shown if not row.included]
    cursor = None
    if matches and rows[0].more:
        last = matches[-1]
        values = (str(last.sort_type), str(last.sort_kind), last.sort_time)
        cursor = seal_cursor(runtime.ring.cursor_secret, context, values, last.record_key)
    return Found(
        entries=tuple(entry(runtime, row, seen_through) for row in matches),
        included=tuple(entry(runtime, row) for row in shown if row.included),
        cursor=cursor,
    )


def entry(runtime: Runtime, row: Any, seen_through: Through = AS_STORED) -> Entry:
    """The entry of a row of any type."""
    type_number = row.type
    name = _TYPE_NAMES[type_number]
    body = opened_body(row, runtime.ring.unwrap(row.patient_key, row.wrapped_key), type_number)
    return Entry(f"{name}/{row.id}", seen_through.seen(name, body) if seen_through.written else body)
