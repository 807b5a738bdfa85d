"""Looking at the audit log: what a resident is shown, and what an auditor searches as AuditEvent.

http://hl7.org/fhir/R4/auditevent.html

A look at the log is itself in the log, as one row of action `audit-read`: with the patient who was asked about, or
whose log a case opened, so that residents see who looked, else with nobody. A resident's own looks and sign-ins are
kept and searchable, and left out of the list of accesses, which would otherwise fill with them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

import orjson

from consent.model import Action
from fhirstore.search.cursor import BadCursor, open_cursor, seal_cursor
from fhirstore.search.query import CURSOR
from fhirstore.search.test import BadValue, SearchError
from fhirstore.subset import subset_of
from fhirstore.tables import NOBODY
from passport.admission import Desk, Request, admitted
from passport.audit.actions import AUDIT_READ
from passport.audit.event import audit_event, behalf_of
from passport.audit.log import Logged, Seen, page, total
from passport.audit.names import Named, named
from passport.audit.query import as_told, recorded
from passport.audit.question import Place, Question, parse_question, place_of
from passport.audit.record import AuditRow
from passport.audit.veil import Veil
from passport.bundles import Entry, Links, searchset
from passport.cases.covering import open_cases, tell_opened
from passport.decision import decide
from passport.outcomes import NotFound, translated
from passport.records import written_instant
from passport.runtime import Runtime
from passport.subjects import Caller

Pairs = Sequence[tuple[str, str]]

TYPE: Final = "AuditEvent"
ACCESSES: Final = "audit/accesses"


@dataclass(frozen=True, slots=True)
class Found:
    """One page of the log; `names` says what its records are called, `cursor` leads to the next page."""

    rows: tuple[Logged, ...]
    names: Mapping[int, Named]
    total: int | None
    cursor: str | None


async def accesses(runtime: Runtime, caller: Caller, pairs: Pairs) -> tuple[bytes, str | None]:
    """Return who looked at a patient's records, newest first, as JSON, and the query of the next page.

    Raises:
        Invalid: a parameter, value or cursor that the log cannot be searched by.
        OutOfScope: the session's scopes do not reach AuditEvent.
    """
    question = _question(runtime, pairs)
    if question.part is not None:
        raise translated(
            SearchError("", "got a question for parts of records, expected none: it is no search of FHIR")
        )
    if any(name == "patient" and "/" not in value for name, value in pairs):
        # An id alone is a search of FHIR; here a mistyped one would look like a log without accesses.
        raise translated(BadValue("patient", "a reference such as `Patient/1`"))
    request = recorded("GET", ACCESSES, pairs)
    found = await _search(runtime, caller, question, request, own_business=False)
    listed = [_access(row, found.names) for row in found.rows]
    return orjson.dumps(listed), _next(question, found)


async def search_audit_events(
    runtime: Runtime, caller: Caller, pairs: Pairs, *, lenient: bool = False
) -> bytes:
    """Return a searchset of AuditEvents; with `lenient` what is not known of the question is left out.

    Raises:
        Invalid: a parameter, value or cursor that the log cannot be searched by.
        OutOfScope: the session's scopes do not reach AuditEvent.
    """
    question = _question(runtime, pairs, lenient=lenient)
    found = await _search(runtime, caller, question, recorded("GET", TYPE, pairs), own_business=True)
    base = runtime.settings.fhir_url
    trees = [(row.place.id, audit_event(row, found.names, fhir_url=base)) for row in found.rows]
    if question.part is not None:
        trees = [(id_, subset_of(tree, question.part)) for id_, tree in trees]
    entries = [Entry(f"{TYPE}/{id_}", orjson.dumps(tree)) for id_, tree in trees]
    further = _next(question, found)
    links = Links(_link(base, urlencode(question.echo)), None if further is None else _link(base, further))
    return searchset(base, entries, links, found.total)


async def read_audit_event(runtime: Runtime, caller: Caller, id_: str) -> bytes:
    """Return one AuditEvent.

    Raises:
        NotFound: it is not there, or not for this caller.
        OutOfScope: the session's scopes do not reach AuditEvent.
    """
    question = _question(runtime, [("_id", id_)])
    request = recorded("GET", f"{TYPE}/{id_}" if place_of(id_) else TYPE)
    found = await _search(runtime, caller, question, request, own_business=True)
    if not found.rows:
        raise NotFound
    return orjson.dumps(audit_event(found.rows[0], found.names, fhir_url=runtime.settings.fhir_url))


def _question(runtime: Runtime, pairs: Pairs, *, lenient: bool = False) -> Question:
    settings = runtime.settings
    try:
        return parse_question(
            pairs,
            keys=runtime.keys,
            zone=settings.zone,
            base_urls=(settings.fhir_url,),
            lenient=lenient,
        )
    except SearchError as error:
        raise translated(error) from None


async def _search(
    runtime: Runtime, caller: Caller, question: Question, recorded_query: str, *, own_business: bool
) -> Found:
    request = Request(Action.ACCESS, AUDIT_READ, recorded_query, about=question.patient)
    async with admitted(runtime, caller, request) as desk:
        desk.require_reach("r" if question.single else "s", TYPE)
        seen = await _seen(desk)
        after, context = _after(desk, question)
        rows = await page(desk.connection, seen, question, after=after, own_business=own_business)
        counted = question.query.total == "accurate"
        number = await total(desk.connection, seen, question) if counted else None
        shown = tuple(rows[: question.shown])
        opened = await _opened(desk, shown) if seen.decision is None else {}
        await desk.audit(*_looks(desk, seen, question, shown, opened))
        names = await named(desk.connection, [key for row in shown for key in row.record_keys])
        if seen.decision is not None:
            shown = tuple(replace(row, query=as_told(row.query, _own(row, names))) for row in shown)
        else:
            veil = Veil.over(desk.subject, runtime.ring.index_secret, question.named)
            shown = tuple(row if row.place in opened else veil.row(row) for row in shown)
    cursor = _cursor(runtime, context, shown[-1].place) if shown and len(rows) > len(shown) else None
    return Found(shown, names, number, cursor)


async def _seen(desk: Desk) -> Seen:
    auditor = desk.subject.kind == "auditor"
    decision = None if auditor else await decide(desk.runtime, desk.connection, desk.standing, Action.ACCESS)
    return Seen(desk.subject, decision, desk.standing.asked)


async def _opened(desk: Desk, shown: Sequence[Logged]) -> Mapping[Place, tuple[int, UUID]]:
    """Which rows an auditor's open cases name, with whose they are and by which case; who is concerned is told."""
    cases = await open_cases(desk)
    found: dict[Place, tuple[int, UUID]] = {}
    for row in shown:
        agents = (row.subject, row.role, row.client, row.behalf_of)
        naming = (case.id for case in cases if case.covers(row.patient_key, row.place.recorded, agents))
        if (case_id := next(naming, None)) is not None:
            found[row.place] = (row.patient_key, case_id)
    await tell_opened(desk, (used for used in found.values() if used[0] != NOBODY))
    return found


def _looks(
    desk: Desk,
    seen: Seen,
    question: Question,
    shown: Sequence[Logged],
    opened: Mapping[Place, tuple[int, UUID]],
) -> list[AuditRow]:
    """A row for the patient whose log was asked for; else for each whose log a consent or a case opened, or nobody."""
    cases: dict[int, set[str]] = {}
    for patient, case_id in opened.values():
        cases.setdefault(patient, set()).add(str(case_id))
    grants: dict[int, set[str]] = {}
    if seen.decision is not None:
        refs = dict(seen.decision.grants)
        for row in shown:
            used = {refs[code] for code in row.relied if code in refs}
            grants.setdefault(row.patient_key, set()).update(used)
    absent = question.single and not shown
    return [
        desk.row(
            patient,
            "not-found" if absent else "success",
            grants=tuple(sorted(grants.get(patient, ()))),
            detail=" ".join(sorted(cases.get(patient, ()))),
        )
        for patient in sorted({*_told(seen, question, grants), *cases})
    ]


def _own(row: Logged, names: Mapping[int, Named]) -> Collection[str]:
    """Whom and what a row may name to whoever reads the log of its patient."""
    records = {names[key].reference for key in row.record_keys if key in names}
    return records if row.patient is None else records | {row.patient}


def _told(seen: Seen, question: Question, shown: Collection[int]) -> Collection[int]:
    if question.patient is not None:
        return {NOBODY if seen.asked is None else seen.asked}
    own = seen.subject.patient_key
    return set(shown) or {NOBODY if own is None else own}


def _access(row: Logged, names: Mapping[int, Named]) -> dict[str, object]:
    return {
        "time": written_instant(row.place.recorded),
        "who": row.subject,
        "role": row.role,
        "for": behalf_of(row),
        "purpose": row.purpose,
        "query": row.query,
        "records": [row.called(names[key].reference) for key in row.record_keys if key in names],
        "grants": list(row.grants),
        "scopes": list(row.scopes),
        "outcome": row.outcome,
    }


def _after(desk: Desk, question: Question) -> tuple[Place | None, bytes]:
    """Where the page before ended; a cursor opens for the same caller and the same question."""
    subject = desk.subject
    bound = (subject.reference, subject.role or "", subject.purpose, urlencode(question.echo))
    context = sha256("\0".join(bound).encode()).digest()
    if question.query.cursor is None:
        return None, context
    try:
        values, _ = open_cursor(desk.runtime.ring.cursor_secret, context, question.query.cursor)
    except BadCursor as error:
        raise translated(error) from None
    return place_of(str(values[0])), context


def _cursor(runtime: Runtime, context: bytes, place: Place) -> str:
    return seal_cursor(runtime.ring.cursor_secret, context, [place.id], 0)


def _next(question: Question, found: Found) -> str | None:
    return None if found.cursor is None else urlencode([*question.echo, (CURSOR, found.cursor)])


def _link(base: str, query: str) -> str:
    return f"{base}/{TYPE}?{query}" if query else f"{base}/{TYPE}"
