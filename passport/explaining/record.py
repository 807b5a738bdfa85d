"""Who can see a record now, and why: everybody whom consents and policies name, and whoever opened it in an emergency.

http://hl7.org/fhir/R4/consent.html

Whether somebody sees it is asked of the condition of every search; why is told by the reference on the same facts.
Round trips, whatever there is of consents: the standing, the record, the consents, the people, how all of them stand,
the one count, and the audit row with the COMMIT.
"""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from consent import systems
from consent.explanation import Outside
from consent.model import Action, Consent, Purpose, Request
from fhirstore.tables import NOBODY
from passport import admission
from passport.audit.query import recorded
from passport.disclosure.stored_facts import StoredFacts, stored_facts
from passport.disclosure.weighing import weigh
from passport.explaining.asked import Edit
from passport.explaining.facts import Vocabulary
from passport.explaining.people import acting_for, actors_of, called, people_of
from passport.explaining.sentences import NO_CONSENT, OTHERS, PROPOSED
from passport.explaining.state import State, against, because, own_permit
from passport.explaining.store import OPENED, RESOLVABLE
from passport.explaining.supposition import Stood, Supposition, apart, supposed
from passport.explaining.viewing import Viewing, viewing
from passport.outcomes import NotFound
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Caller

VERB: Final = "explain"
ADDRESS: Final = "sharing/explain"


@dataclass(frozen=True, slots=True)
class _Look:
    """Somebody for a purpose; `until` an opening of theirs ends, where they have one."""

    person: str
    purpose: Purpose
    until: datetime | None = None


async def explain_record(runtime: Runtime, caller: Caller, record: str, patient: str | None) -> bytes:
    """Who sees a record, who does not although a consent names them, and why; as JSON.

    Raises:
        Refused: the caller is neither the person nor a proxy who may write their Consents.
        NotFound: there is no such record of this person, or not for this caller.
    """
    asked_as = recorded("GET", ADDRESS, [("record", record)])
    request = admission.Request(Action.ACCESS, VERB, asked_as, about=record)
    async with viewing(runtime, caller, request, patient=patient) as view:
        stored = await stored_facts(view.whose, runtime.keys.reference(record))
        if stored is None:
            raise NotFound
        supposition = await supposed(view, Edit(view.patient, (), ()))
        looks, more = await _looks(supposition)
        told = {
            "at": written_instant(view.desk.now),
            "patient": view.patient,
            "record": stored.reference,
            **await _seen_by(supposition, stored, looks),
            "more": more,
        }
        await view.end({key: [(stored.row.record_key, stored.row.version)] for key in stored.patient_keys})
    return orjson.dumps(told)


async def _looks(supposition: Supposition) -> tuple[list[_Look], bool]:
    """Everybody for each purpose that some consent names for them, and whoever has opened the records."""
    view = supposition.viewing
    params = {"patient_keys": list(view.registrations), "now": view.desk.now}
    opened = await fetch(view.desk.connection, OPENED, params)
    people = await people_of(supposition, supposition.before)
    looks = [_Look(person.reference, purpose) for person in people.listed for purpose in person.purposes]
    looks += [_Look(row.role or row.subject, Purpose.BTG, row.expires_at) for row in opened]
    return looks, people.more


async def _seen_by(
    supposition: Supposition, stored: StoredFacts, looks: Sequence[_Look]
) -> dict[str, list[dict[str, Any]]]:
    view, consents = supposition.viewing, supposition.before
    cases = [
        supposition.case(supposition.subject(look.person, look.purpose), Action.ACCESS, saved=False)
        for look in looks
    ]
    async with view.desk.connection.transaction(force_rollback=True):
        stood = await supposition.stand(cases)
    decisions, places = apart(stood)
    groups = await weigh(view.whose, decisions, stored.row.record_key)
    seen = groups[0].seen if groups else 0
    names = await called(view.desk, {look.person for look in looks})
    states = await states_of(view, consents, stood, stored)
    found: dict[str, list[dict[str, Any]]] = {"seenBy": [], "notSeenBy": [], "dependsOnOthers": []}
    for look, at, state in zip(looks, places, states, strict=True):
        put = _put_by(view, stored, look.person)
        sees = bool(seen >> at & 1) or put
        # Each is compared with every consent: beside the loop, as it takes its time.
        why = [{"text": PROPOSED.as_json()}] if put else await to_thread(_why, view, state, stored, sees=sees)
        whom = {
            "reference": look.person,
            **({"name": names[look.person]} if look.person in names else {}),
            "purpose": str(look.purpose),
            **_opening(look),
        }
        if not sees and depends_on_others(state, stored, view):
            # The same whatever these decided.
            found["dependsOnOthers"].append({**whom, "because": [{"text": OTHERS.as_json()}]})
            continue
        found["seenBy" if sees else "notSeenBy"].append({**whom, "because" if sees else "against": why})
    return found


def _opening(look: _Look) -> dict[str, Any]:
    """Purpose BTG counts with an opening alone: until when there is one, or that it takes one."""
    if look.purpose is not Purpose.BTG:
        return {}
    return {"opening": "needed"} if look.until is None else {"opening": written_instant(look.until)}


def _put_by(view: Viewing, stored: StoredFacts, person: str) -> bool:
    """Whether the record is a request that waits, and somebody's own."""
    keys, row = view.desk.runtime.keys, stored.row
    waiting = stored.type_name == "Consent" and row.status == keys.token("proposed")
    return waiting and row.source == keys.reference(person)


def _why(view: Viewing, state: State, stored: StoredFacts, *, sees: bool) -> list[dict[str, Any]]:
    explanation = state.explanation()
    if explanation is None:
        return []
    if sees:
        return because(explanation)
    return against(explanation) or [{"text": NO_CONSENT.as_json()}]


def depends_on_others(state: State, stored: StoredFacts, view: Viewing) -> bool:
    """Whether the person permits it, and it names somebody else, or follows what does: theirs to decide, not told."""
    explanation = state.explanation()
    if explanation is None or not _shared(stored, view):
        return False
    return explanation.outside is Outside.LOST or own_permit(explanation)


def _shared(stored: StoredFacts, view: Viewing) -> bool:
    others = set(stored.patient_keys) - {*view.registrations, NOBODY}
    return bool(others) or any(one is None or _shared(one, view) for one in stored.follows)


async def states_of(
    view: Viewing, consents: Sequence[Consent], stood: Sequence[Stood], stored: StoredFacts | None
) -> list[State]:
    """What each decision is made of now; one statement."""
    keys: dict[int, str] = {view.desk.runtime.keys.reference(name): name for name in actors_of(consents)}
    resolvable = await _resolvable(view, keys)
    record = None
    if stored is not None:
        vocabulary = Vocabulary.of(consents, view.desk.runtime.keys)
        record = vocabulary.record(stored, view.registrations)
    return [
        State(
            consents=consents,
            request=_request(view, one, acting_for(one.actors, keys), resolvable),
            own=frozenset(view.registrations.values()),
            record=record,
        )
        for one in stood
    ]


def _request(view: Viewing, stood: Stood, actors: frozenset[str], resolvable: frozenset[str]) -> Request:
    subject = stood.case.subject
    opened = subject.opened_patient_key
    return Request(
        actors=actors,
        purpose=Purpose(subject.purpose),
        action=stood.case.action,
        at=view.desk.now,
        client=subject.client,
        unresolved=stood.unresolved,
        resolvable=resolvable,
        opened=frozenset() if opened is None else frozenset({view.registrations[opened]}),
    )


async def _resolvable(view: Viewing, keys: Mapping[int, str]) -> frozenset[str]:
    collectives = [key for key, name in keys.items() if name.partition("/")[0] in systems.COLLECTIVES]
    if not collectives:
        return frozenset()
    rows = await fetch(view.desk.connection, RESOLVABLE, {"keys": collectives})
    return frozenset(keys[row.actor_key] for row in rows)
