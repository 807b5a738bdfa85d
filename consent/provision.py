"""Reading `Consent.provision`: the tree of permits and denies, refused whole where it cannot be enforced.

http://hl7.org/fhir/R4/consent-definitions.html#Consent.provision
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from consent import systems
from consent.element import Element, quoted
from consent.model import Action, Coding, Confidentiality, Data, Effect, Interval, Meaning, Provision, Purpose
from consent.period import read_period

# Both bound what one consent costs each request. So many provisions has a tree of eight levels in which all but the
# last have two exceptions each; the root counts as the first of both.
MAX_DEPTH: Final = 8
MAX_NODES: Final = 255

_ATTRIBUTES: Final = "id type period actor action securityLabel purpose class dataPeriod code data provision"
_KNOWN: Final = frozenset(_ATTRIBUTES.split())
_ROLES: Final = {
    Action.ACCESS: frozenset({"IRCP", "PRCP"}),
    Action.COLLECT: frozenset({"AUT"}),
    Action.CORRECT: frozenset({"AUT"}),
}
_OTHER: Final = {Effect.PERMIT: Effect.DENY, Effect.DENY: Effect.PERMIT}

_Code = TypeVar("_Code", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the tree a provision stands, and what its root already names."""

    effect: Effect
    depth: int = 1
    under_deny_root: bool = False
    root_actors: bool = False
    root_purposes: bool = False

    @property
    def granting(self) -> bool:
        """A permit root, or a permit child of a deny root."""
        return self.effect is Effect.PERMIT and (self.depth == 1 or self.under_deny_root)


def read_provision(element: Element, effect: Effect, zone: ZoneInfo) -> Provision:
    """The tree under the root provision.

    Args:
        element: `Consent.provision`; its faults go to the element's list.
        effect: the root's type.
        zone: the passport's time zone, for dates without time of day.

    Returns:
        The tree; of use only if no fault was noted.
    """
    return _node(element, _Place(effect), zone, count(1))


def _node(element: Element, place: _Place, zone: ZoneInfo, numbers: Iterator[int]) -> Provision:
    element.members(_KNOWN)
    if next(numbers) == MAX_NODES + 1:
        element.fault(
            f"got more than {MAX_NODES} provisions, expected {MAX_NODES} at most, the root among them"
        )
    actions = frozenset(_actions(element))
    labels = frozenset(_labels(element))
    levels = frozenset(label for label in labels if isinstance(label, Confidentiality))
    sensitivities = frozenset(label for label in labels if isinstance(label, Coding))
    if levels and sensitivities:
        element.fault("got confidentiality and sensitivity labels in one provision, expected one kind")
    if place.granting:
        _require_recipient(element, place)
    return Provision(
        effect=place.effect,
        period=_interval(element, "period", zone),
        actors=frozenset(_actors(element, _roles(actions, place))),
        purposes=frozenset(_purposes(element)),
        actions=actions,
        classes=frozenset(_classes(element)),
        codes=frozenset(_codes(element)),
        confidentiality=levels,
        sensitivities=sensitivities,
        data_period=_interval(element, "dataPeriod", zone),
        data=frozenset(_data(element)),
        children=tuple(_children(element, place, zone, numbers)),
    )


def _require_recipient(element: Element, place: _Place) -> None:
    for name, named_by_root in (("actor", place.root_actors), ("purpose", place.root_purposes)):
        if not named_by_root and element.child(name) is None:
            element.fault(f"got a provision that grants without {name}, expected its own or its root's")


def _children(element: Element, place: _Place, zone: ZoneInfo, numbers: Iterator[int]) -> Iterator[Provision]:
    root_denies = place.depth == 1 and place.effect is Effect.DENY
    below = _Place(
        _OTHER[place.effect],
        place.depth + 1,
        under_deny_root=root_denies,
        root_actors=root_denies and element.child("actor") is not None,
        root_purposes=root_denies and element.child("purpose") is not None,
    )
    for entry in element.items("provision"):
        if below.depth > MAX_DEPTH:
            entry.fault(
                f"got a provision on level {below.depth}, expected {MAX_DEPTH} levels at most, the root being the first"
            )
            continue
        stated = entry.child("type")
        if stated is None:
            entry.fault(f"got an exception without type, expected `{below.effect}`")
        elif stated.choice(Effect) is place.effect:
            stated.fault(f"got an exception of its parent's own type, expected `{below.effect}`")
        yield _node(entry, below, zone, numbers)


def _interval(element: Element, name: str, zone: ZoneInfo) -> Interval | None:
    found = element.child(name)
    if found is None:
        return None
    try:
        return read_period(found.members({"id", "start", "end"}), zone)
    except ValueError as error:
        found.fault(str(error))
        return None


def _of_system(element: Element, coding: Coding, system: str, codes: type[_Code]) -> _Code | None:
    if coding.system == system and coding.code in codes.__members__.values():
        return codes(coding.code)
    element.fault(f"got {quoted(coding.code)}, expected one of {', '.join(codes)} in {system}")
    return None


def _actions(element: Element) -> Iterator[Action]:
    for concept in element.items("action"):
        for entry, coding in concept.concept():
            if action := _of_system(entry, coding, systems.CONSENT_ACTION, Action):
                yield action


def _purposes(element: Element) -> Iterator[Purpose]:
    for entry in element.items("purpose"):
        coding = entry.coding()
        if coding and (purpose := _of_system(entry, coding, systems.ACT_REASON, Purpose)):
            yield purpose


def _roles(actions: Collection[Action], place: _Place) -> Collection[str]:
    """The roles that an actor may have beside these actions, or beside those that their absence means."""
    meant = actions or ({Action.ACCESS} if place.granting else set(Action))
    return frozenset(role for action in meant for role in _ROLES[action])


def _actors(element: Element, roles: Collection[str]) -> Iterator[str]:
    for entry in element.items("actor"):
        entry.members({"id", "role", "reference"})
        role, reference = entry.child("role"), entry.child("reference")
        wanted = f"{' or '.join(sorted(roles))} in {systems.PARTICIPATION}"
        expected = f"expected {wanted} for the provision's action"
        if role is None:
            entry.fault(f"got an actor without role, {expected}")
        else:
            for place, coding in role.concept():
                if coding.system != systems.PARTICIPATION or coding.code not in roles:
                    place.fault(f"got {quoted(coding.code)}, {expected}")
        if reference is None:
            entry.fault("got an actor without reference, expected one")
        elif actor := reference.reference(systems.ACTORS):
            yield actor


def _classes(element: Element) -> Iterator[Coding]:
    for entry in element.items("class"):
        coding = entry.coding()
        if coding and coding.system == systems.RESOURCE_TYPES and coding.code not in systems.TYPES:
            entry.fault(f"got {quoted(coding.code)}, expected a resource type of R4")
        elif coding and coding.system != systems.RESOURCE_TYPES and coding.code in systems.TYPES:
            # As a category it would match nothing, and a deny that matches nothing must not pass for one.
            entry.fault(f"got a resource type in another system, expected {systems.RESOURCE_TYPES}")
        elif coding:
            yield coding


def _codes(element: Element) -> Iterator[Coding]:
    for concept in element.items("code"):
        for entry, coding in concept.concept():
            known = systems.nearly(coding.system)
            if known:
                entry.fault(f"got a system that is written a little otherwise, expected {known}")
            else:
                yield coding


def _labels(element: Element) -> Iterator[Confidentiality | Coding]:
    for entry in element.items("securityLabel"):
        coding = entry.coding()
        if coding is None:
            continue
        if coding.system == systems.ACT_CODE:
            yield coding
        elif coding.system == systems.CONFIDENTIALITY and coding.code in Confidentiality.__members__:
            yield Confidentiality[coding.code]
        else:
            entry.fault(
                f"got a label of neither kind, expected {', '.join(Confidentiality.__members__)} in "
                f"{systems.CONFIDENTIALITY} or a sensitivity in {systems.ACT_CODE}"
            )


def _data(element: Element) -> Iterator[Data]:
    for entry in element.items("data"):
        entry.members({"id", "meaning", "reference"})
        meaning, reference = entry.child("meaning"), entry.child("reference")
        if meaning is None or reference is None:
            entry.fault("got data without meaning or reference, expected both")
            continue
        if meaning.value == "related":
            # IHE PCF means by it what belongs to an encounter; of anything else the extent is open.
            if found := reference.reference({"Encounter"}):
                yield Data(Meaning.DEPENDENTS, found)
        else:
            chosen, found = meaning.choice(Meaning), reference.reference(systems.TYPES)
            if chosen and found:
                yield Data(chosen, found)
