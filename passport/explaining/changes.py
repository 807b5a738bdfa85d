"""What an edit changes for whom: for everybody whom consents name, what they see before and after it.

http://hl7.org/fhir/R4/consent.html

One statement tells how all of them would stand before and after, and one counts for all of them, whatever there is of
consents and of records. A request that somebody put themselves is theirs to see either way, and is not counted.
"""

from asyncio import to_thread
from dataclasses import dataclass
from typing import Any, Final

import orjson

from consent.model import Action, Purpose
from passport.admission import Request
from passport.audit.query import recorded
from passport.decision import Decision
from passport.disclosure.weighing import left_out, weigh
from passport.explaining.asked import Edit
from passport.explaining.counts import Counted, Seen, counted
from passport.explaining.people import called, people_of
from passport.explaining.sentences import leaving_out
from passport.explaining.supposition import Supposition, affordable, apart, supposed
from passport.explaining.viewing import viewing
from passport.explaining.warnings import warnings_of
from passport.records import written_instant
from passport.runtime import Runtime
from passport.subjects import Caller

VERB: Final = "changes"
ADDRESS: Final = "sharing/changes"

MOST_LOOKS: Final = 300
"""Pairs of somebody and a purpose that one answer counts for."""


@dataclass(frozen=True, slots=True)
class _Look:
    """Somebody for a purpose, and the places of their decisions before and after."""

    person: str
    purpose: Purpose
    before: int
    after: int

    def ways(self) -> dict[str, Seen]:
        """How their records are counted."""

        def saw(seen: int) -> bool:
            return bool(seen >> self.before & 1)

        def sees(seen: int) -> bool:
            return bool(seen >> self.after & 1)

        return {
            "before": saw,
            "after": sees,
            "gained": lambda seen: sees(seen) and not saw(seen),
            "lost": lambda seen: saw(seen) and not sees(seen),
        }


async def changes(runtime: Runtime, caller: Caller, edit: Edit) -> bytes:
    """What everybody sees before and after an edit, as JSON, whoever gains or loses something first.

    Raises:
        Refused: the caller is neither the person nor a proxy who may write these Consents.
        Invalid: a draft could not be saved, or what it replaces is no consent of this person in force.
    """
    request = Request(Action.ACCESS, VERB, recorded("POST", ADDRESS), about=edit.patient)
    async with viewing(runtime, caller, request, patient=edit.patient, drafts=edit.drafts) as view:
        supposition = await supposed(view, edit)
        people = await people_of(supposition, [*supposition.before, *supposition.after])
        warned = await warnings_of(supposition, people)
        pairs = [(person.reference, purpose) for person in people.listed for purpose in person.purposes]
        looks, decisions = await _looks(supposition, pairs[:MOST_LOOKS])
        found = await counted(view.whose, await weigh(view.whose, decisions))
        names = await called(view.desk, {look.person for look in looks})
        told = {
            "at": written_instant(view.desk.now),
            "patient": view.patient,
            "warnings": [one.as_json() for one in warned],
            "people": await to_thread(_people, looks, found, names),
            "leftOut": leaving_out(await left_out(view.whose)),
            "more": people.more or len(pairs) > len(looks),
        }
        await view.end()
    return await to_thread(orjson.dumps, told)


async def _looks(
    supposition: Supposition, pairs: list[tuple[str, Purpose]]
) -> tuple[list[_Look], list[Decision]]:
    """Everybody for each purpose, as far as one count goes, and the decisions that they come to, each once."""
    cases = [
        supposition.case(supposition.subject(person, purpose), Action.ACCESS, saved=saved)
        for person, purpose in pairs
        for saved in (False, True)
    ]
    async with supposition.viewing.desk.connection.transaction(force_rollback=True):
        stood = await supposition.stand(cases)
    decisions, at = await to_thread(apart, stood)
    most = affordable(decisions)
    looks = [
        _Look(person, purpose, at[2 * place], at[2 * place + 1])
        for place, (person, purpose) in enumerate(pairs)
    ]
    return [look for look in looks if max(look.before, look.after) < most], decisions[:most]


def _people(looks: list[_Look], found: Counted, names: dict[str, str]) -> list[dict[str, Any]]:
    return sorted((_told(look, found, names) for look in looks), key=_changed_first)


def _told(look: _Look, found: Counted, names: dict[str, str]) -> dict[str, Any]:
    ways = look.ways()
    return {
        "reference": look.person,
        **({"name": names[look.person]} if look.person in names else {}),
        "purpose": str(look.purpose),
        **({"opening": True} if look.purpose is Purpose.BTG else {}),
        **{way: found.total(seen) for way, seen in ways.items()},
        "types": found.by_type(ways),
    }


def _changed_first(told: dict[str, Any]) -> tuple[bool, str, str]:
    return not (told["gained"] or told["lost"]), told["reference"], told["purpose"]
