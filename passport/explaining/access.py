"""Why an access was refused, or was not: the consents that it met then, and meets now; told to the patient alone.

http://hl7.org/fhir/R4/auditevent.html

The log keeps who asked, as what, for which purpose, and what was asked for. On the world of then the reference decides
once more; now the same is asked of the condition of every search, and told by the reference on the facts as they are
stored. Consents that were written since are marked.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from consent.model import Action, Purpose
from fhirstore.types import TYPES
from passport import admission
from passport.audit.log import Logged, Seen, page
from passport.audit.query import as_told, recorded
from passport.audit.question import parse_question
from passport.decision import decide
from passport.disclosure.stored_facts import StoredFacts, stored_facts
from passport.disclosure.weighing import weigh
from passport.explaining.asked import ONLOOKERS, Edit
from passport.explaining.people import called
from passport.explaining.record import ADDRESS, VERB, depends_on_others, states_of
from passport.explaining.sentences import OTHERS
from passport.explaining.state import State
from passport.explaining.supposition import Supposition, apart, supposed
from passport.explaining.then import then
from passport.explaining.viewing import Viewing, viewing
from passport.outcomes import NotFound
from passport.records import written_instant
from passport.runtime import Runtime
from passport.subjects import Caller

ACTIONS: Final[Mapping[str, Action]] = {
    "create": Action.COLLECT,
    "consent-change": Action.CORRECT,
    "update": Action.CORRECT,
    "patch": Action.CORRECT,
    "delete": Action.CORRECT,
}
"""What the log calls an access, as what consents permit; whatever is not named here reads."""

SEARCHES: Final = frozenset(
    {"search", "search-system", "everything", "lastn", "summary", "batch", "transaction"}
)
"""What asks for whatever there is: the log names a patient there, and no record."""

_PATH: Final = re.compile(r"[A-Z]+ ([A-Za-z0-9/._$*\-]*)")


async def explain_access(runtime: Runtime, caller: Caller, access: str, patient: str | None) -> bytes:
    """Which consents somebody's access met and meets, and why each does or does not permit it; as JSON.

    Raises:
        Refused: the caller is neither the person nor a proxy who may write their Consents.
        NotFound: the person's log has no such access, or it shows it to no such caller.
    """
    asked_as = recorded("GET", ADDRESS, [("access", access)])
    request = admission.Request(Action.ACCESS, VERB, asked_as, about=f"AuditEvent/{access}")
    async with viewing(runtime, caller, request, patient=patient) as view:
        row = await _logged(view, access)
        if row is None:
            raise NotFound
        reference, type_name = asked_for(row.action, row.query)
        stored = (
            None if reference is None else await stored_facts(view.whose, runtime.keys.reference(reference))
        )
        action = ACTIONS.get(row.action, Action.ACCESS)
        told = {
            "at": written_instant(view.desk.now),
            "patient": view.patient,
            "access": await _access(view, row),
            "record": stored.reference if stored else None,
            "type": type_name,
            "own": _start(row) in view.registrations.values(),
            "then": await then(view, row, action, reference, type_name) if _consented(view, row) else None,
            "now": await _now(view, row, action, stored, type_name) if _consented(view, row) else None,
        }
        await view.end()
    return orjson.dumps(told)


def asked_for(action: str, query: str) -> tuple[str | None, str | None]:
    """The record and the type that a row of the log says was asked for, as far as it says."""
    found = _PATH.match(query)
    steps = found[1].split("/") if found else []
    if action in SEARCHES:
        # Of a compartment the last one: `Patient/1/Observation`.
        return None, steps[-1] if steps and steps[-1] in TYPES else None
    if not steps or steps[0] not in TYPES:
        return None, None
    return (f"{steps[0]}/{steps[1]}" if len(steps) > 1 else None), steps[0]


async def _logged(view: Viewing, access: str) -> Logged | None:
    """The row of the person's own log with this id."""
    desk, settings = view.desk, view.desk.runtime.settings
    question = parse_question(
        [("_id", access)], keys=desk.runtime.keys, zone=settings.zone, base_urls=(settings.fhir_url,)
    )
    decision = await decide(desk.runtime, desk.connection, desk.standing, Action.ACCESS)
    seen = Seen(desk.subject, decision, desk.standing.asked)
    rows = await page(desk.connection, seen, question, after=None, own_business=True)
    mine = [row for row in rows if row.patient_key in view.registrations]
    return mine[0] if mine else None


async def _access(view: Viewing, row: Logged) -> dict[str, Any]:
    names = await called(view.desk, [name for name in (row.role, row.subject) if name])
    return {
        "id": row.place.id,
        "time": written_instant(row.place.recorded),
        "who": row.subject,
        "role": row.role,
        "names": names,
        "purpose": row.purpose,
        "action": row.action,
        "query": as_told(row.query, set(view.registrations.values())),
        "outcome": row.outcome,
        "grants": list(row.grants),
    }


def _start(row: Logged) -> str | None:
    """Who asked, as what: the role where there is one."""
    return row.role if row.role and _kind(row.role) in ONLOOKERS else row.subject


def _kind(reference: str) -> str:
    return reference.partition("/")[0]


def _consented(view: Viewing, row: Logged) -> bool:
    """Whether it is a matter of consents: not where nobody was signed in, an office of the city, or the person."""
    start = _start(row)
    if start is None or start in view.registrations.values():
        return False
    return _kind(start) in ONLOOKERS and row.purpose in set(Purpose)


async def _now(
    view: Viewing, row: Logged, action: Action, stored: StoredFacts | None, type_name: str | None
) -> dict[str, Any]:
    """What the same access would meet now."""
    supposition = await supposed(view, Edit(view.patient, (), ()))
    subject = supposition.subject(_start(row) or "", row.purpose or "", row.client)
    case = supposition.case(subject, action, saved=False)
    async with view.desk.connection.transaction(force_rollback=True):
        stood = await supposition.stand([case])
    permitted = None
    if stored is not None:
        groups = await weigh(view.whose, apart(stood)[0], stored.row.record_key)
        permitted = bool(groups and groups[0].seen)
    (state,) = await states_of(view, supposition.before, stood, stored)
    state = replace(state, type_name=type_name)
    told = {"permitted": permitted, "considered": _considered(supposition, state, row)}
    if stored is None or permitted or not depends_on_others(state, stored, view):
        return told
    # The same whatever these decided.
    return {**told, "permitted": None, "others": OTHERS.as_json()}


def _considered(supposition: Supposition, state: State, row: Logged) -> list[dict[str, Any]]:
    """What was considered, and which of it was written after the access."""
    since = {
        f"{one.stored.reference}/_history/{one.stored.version}": one.stored.last_updated
        for one in supposition.filed
    }
    return [
        {
            **one,
            "since": written_instant(since[one["consent"]]),
            "newer": since[one["consent"]] > row.place.recorded,
        }
        for one in state.considered()
    ]
