"""Who may come to somebody's records: everybody whom consents name, and in which roles and groups they act.

http://hl7.org/fhir/R4/practitionerrole.html

A practitioner is followed to each role, a CareTeam or Group to its members; an organization stands for everybody who
acts in a role of it. What they are called is read from the directory, which everybody may read.
"""

from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consent.comparing import Leads
from consent.idle import granting
from consent.model import Action, Consent, Purpose
from fhirstore.parse import Tree
from fhirstore.tables import NOBODY
from passport.admission import Desk
from passport.audit.names import named
from passport.disclosure import directory_trees
from passport.explaining.asked import ONLOOKERS
from passport.explaining.store import REACHED
from passport.explaining.supposition import Stood, Supposition
from passport.explaining.viewing import Viewing
from passport.sql import fetch

MOST_PEOPLE: Final = 100
"""So many are told of in one answer."""

_DIRECTORY: Final = frozenset({"Organization", "Practitioner", "PractitionerRole"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may come: their reference, whom they act for (keys), and for which purposes they are granted."""

    reference: str
    actors: frozenset[int]
    unresolved: bool
    purposes: tuple[Purpose, ...]


@dataclass(frozen=True, slots=True)
class People:
    """Everybody who may come; `more` tells that there are others still."""

    listed: tuple[Person, ...]
    more: bool

    def leads(self, keys: Mapping[int, str]) -> Leads:
        """Whom each of them acts for, of the actors whose keys these are."""
        return {person.reference: acting_for(person.actors, keys) for person in self.listed}


def actors_of(consents: Iterable[Consent]) -> frozenset[str]:
    """Everybody whom any provision names."""
    return frozenset(
        actor
        for consent in consents
        if consent.root is not None
        for provision in consent.root.walk()
        for actor in provision.actors
    )


async def people_of(supposition: Supposition, consents: Sequence[Consent]) -> People:
    """Everybody whom these consents name, as they act now.

    Four statements: who acts as whom is named, what they are called, and whom each of them acts for.
    """
    async with supposition.viewing.desk.connection.transaction(force_rollback=True):
        return await _people(supposition, consents)


async def _people(supposition: Supposition, consents: Sequence[Consent]) -> People:
    viewing = supposition.viewing
    own = frozenset(viewing.registrations.values())
    wanted = actors_of(consents)
    starts = {name for name in wanted if _kind(name) in ONLOOKERS}
    starts |= await _acting(
        viewing, [name for name in wanted if _kind(name) not in {"Organization", "Device"}]
    )
    chosen = sorted(starts - own)
    cases = [
        supposition.case(supposition.subject(name, Purpose.TREAT), Action.ACCESS, saved=False)
        for name in chosen[:MOST_PEOPLE]
    ]
    stood = await supposition.stand(cases)
    keys: dict[int, str] = {viewing.desk.runtime.keys.reference(name): name for name in wanted}
    people = await to_thread(lambda: tuple(_person(each, consents, keys) for each in stood))
    return People(people, more=len(chosen) > MOST_PEOPLE)


def _person(stood: Stood, consents: Sequence[Consent], keys: Mapping[int, str]) -> Person:
    acting = acting_for(stood.actors, keys)
    purposes = {
        purpose
        for consent in consents
        for ruled in granting(consent)
        if Action.ACCESS in ruled.actions and all(acting & actors for actors in ruled.actors)
        for purpose in ruled.purposes
    }
    listed = tuple(purpose for purpose in Purpose if purpose in purposes)
    return Person(stood.case.subject.actor, stood.actors, stood.unresolved, listed)


async def _acting(viewing: Viewing, references: Sequence[str]) -> set[str]:
    """Who acts as these practitioners, or is a member of these collectives."""
    if not references:
        return set()
    desk = viewing.desk
    params = {
        "patient_keys": [NOBODY, *viewing.registrations],
        "keys": [desk.runtime.keys.reference(name) for name in references],
        "now": desk.now,
        "limit": MOST_PEOPLE + 1,
    }
    rows = await fetch(desk.connection, REACHED, params)
    names = await named(desk.connection, [row.member for row in rows])
    return {one.reference for one in names.values() if one.type in ONLOOKERS and not one.deleted}


async def called(desk: Desk, references: Iterable[str]) -> dict[str, str]:
    """What the directory calls these: a role by its person and its organization; two statements at most."""
    wanted = [name for name in references if _kind(name) in _DIRECTORY]
    trees = await directory_trees(desk, sorted(set(wanted)))
    parts = {part for tree in trees.values() for part in _parts(tree)} - trees.keys()
    trees |= await directory_trees(desk, sorted(parts))
    return {name: text for name in wanted if (text := _text(trees.get(name), trees))}


def _text(tree: Tree | None, trees: Mapping[str, Tree]) -> str | None:
    if tree is None:
        return None
    if tree["resourceType"] == "PractitionerRole":
        return "・".join(filter(None, (_text(trees.get(part), {}) for part in _parts(tree)))) or None
    return _name(tree.get("name"))


def _name(name: Any) -> str | None:
    """A name as the directory writes it: a text, or a HumanName, the first of several."""
    if isinstance(name, list):
        name = name[0] if name else None
    if isinstance(name, dict):
        name = (
            name.get("text") or " ".join(filter(None, (name.get("family"), *name.get("given", ())))) or None
        )
    return name if isinstance(name, str) else None


def _parts(tree: Tree) -> Iterator[str]:
    """The practitioner and the organization of a role."""
    if tree["resourceType"] == "PractitionerRole":
        for element in ("practitioner", "organization"):
            reference = tree.get(element, {}).get("reference")
            if isinstance(reference, str):
                yield reference


def _kind(reference: str) -> str:
    return reference.partition("/")[0]


def acting_for(actors: frozenset[int], keys: Mapping[int, str]) -> frozenset[str]:
    """The references of those whom somebody acts for, as far as they are named anywhere."""
    return frozenset(keys[key] for key in actors & keys.keys())
