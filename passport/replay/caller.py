"""Who asked, as the directory of then had it: the actors that a caller expanded to, and what was theirs anyway.

http://hl7.org/fhir/R4/practitionerrole.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from consent.directory import edges, expand
from consent.model import Action, Consent, Purpose, Request
from consent.systems import COLLECTIVES
from fhirstore.parse import Tree
from fhirstore.tables import NOBODY
from passport.replay.past import Past, Stored

_LEADING_ON: Final = frozenset({"PractitionerRole", "Organization"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller of then. `start` is where the chain of actors begins; `own` are all registrations of a patient."""

    kind: str
    start: str | None
    client: str | None
    purpose: Purpose | None
    own: frozenset[str]
    opened: frozenset[str | None]


async def caller_of(past: Past) -> Caller:
    """The caller that a row names.

    Raises:
        Forgotten: it was a patient who was erased.
    """
    row = past.row
    purpose = Purpose(row.purpose) if row.purpose and row.purpose in Purpose.__members__ else None
    opened = (
        frozenset({row.opened}) if row.opened and not await _was_dead(past, row.opened_key) else frozenset()
    )
    return Caller(row.kind, row.actor, row.client, purpose, await _own(past), opened)


async def request_of(
    past: Past, caller: Caller, action: Action, consents: Iterable[Consent]
) -> Request | None:
    """What was asked, under these consents; None where the purpose is none that there is."""
    if caller.purpose is None or caller.start is None:
        return None
    directory = await _chain(past, caller.start)
    directory |= await _collectives(past, consents)
    actors = expand(directory, caller.start, at=past.row.at, zone=past.zone)
    return Request(
        actors=actors.references,
        purpose=caller.purpose,
        action=action,
        at=past.row.at,
        client=caller.client,
        unresolved=actors.unresolved,
        resolvable=actors.resolvable,
        own=caller.own,
        opened=caller.opened,
    )


async def _own(past: Past) -> frozenset[str]:
    """The registrations of a patient who was signed in."""
    row = past.row
    if row.kind != "patient" or row.subject is None:
        return frozenset()
    registration = (await past.current({row.subject})).get(row.subject)
    if registration is None:
        return frozenset({row.subject})
    families = await past.families([registration.patient_key])
    return frozenset((await past.registered(families[registration.patient_key])).values())


async def _was_dead(past: Past, patient_key: int | None) -> bool:
    """Whether the records of an opening were those of somebody who had died: then they are open no more."""
    if patient_key is None:
        return False
    since = (await past.deaths([patient_key]))[patient_key]
    return any(instant <= past.row.at for instant in since)


async def _chain(past: Past, start: str) -> dict[str, Tree]:
    """The roles and organizations that a chain of memberships goes through, step by step."""
    directory: dict[str, Tree] = {}
    wanted = {start}
    while wanted:
        found = await past.current({name for name in wanted if _kind(name) in _LEADING_ON})
        directory |= {name: one.tree for name, one in found.items() if _states(one)}
        steps = [step for name in wanted & directory.keys() for step in edges(directory[name], past.zone)]
        wanted = {step.container for step in steps} - directory.keys() - wanted
    return directory


async def _collectives(past: Past, consents: Iterable[Consent]) -> dict[str, Tree]:
    """The Groups and CareTeams that consents name: whoever else is in one does not bear on them."""
    nodes = (node for consent in consents if consent.root for node in consent.root.walk())
    named = {actor for node in nodes for actor in node.actors if _kind(actor) in COLLECTIVES}
    found = await past.current(named) if named else {}
    return {name: one.tree for name, one in found.items() if not one.deleted}


def _states(one: Stored) -> bool:
    """Whether it states memberships: roles and organizations do as parts of the directory."""
    return not one.deleted and one.patient_key == NOBODY


def _kind(reference: str) -> str:
    return reference.partition("/")[0]
