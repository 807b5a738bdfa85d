"""Who somebody is: the memberships that the directory states, and the actors that a caller expands to.

http://hl7.org/fhir/R4/practitionerrole.html, http://hl7.org/fhir/R4/careteam.html,
http://hl7.org/fhir/R4/group.html

A person acts in one PractitionerRole: it leads to the practitioner, to its organization and everything above,
and to the CareTeams and Groups that list any of these. What does not count today (inactive, out of period)
leads nowhere. What cannot be followed leaves the actors unknown, which never grants.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from consent import systems
from consent.model import Interval
from consent.period import read_period

Resource = Mapping[str, object]

_LITERAL: Final = re.compile(r"([A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")


class MembershipKind(IntEnum):
    """What leads from member to container; the number is stored."""

    ROLE = 1  # a role to itself, while it counts
    PRACTITIONER = 2  # a role to the practitioner in it
    ORGANIZATION = 3  # a role to its organization, an organization to the one that it is part of
    COLLECTIVE = 4  # whoever is listed to the CareTeam or Group


class Membership(NamedTuple):
    """One step from a member to what it is a member of, and when it counts."""

    member: str
    container: str
    kind: MembershipKind
    period: Interval


@dataclass(frozen=True, slots=True)
class Actors:
    """What a caller expands to: see `Request` for the three."""

    references: frozenset[str]
    unresolved: bool
    resolvable: frozenset[str]


def edges(resource: Resource, zone: ZoneInfo) -> list[Membership]:
    """The memberships that one resource of the directory states; none while it is inactive.

    Args:
        resource: a PractitionerRole, Organization, CareTeam or Group with its id.
        zone: the passport's time zone, for dates without time of day.
    """
    found = _EDGES.get(_type(resource))
    return [] if found is None else list(found(resource, zone))


def resolvable(resource: Resource, zone: ZoneInfo) -> bool:
    """Whether everything that the resource says of memberships can be followed.

    Of a PractitionerRole or Organization it is whether the next step is a literal reference or absent; of a
    CareTeam or Group whether its members are known one by one. A Group by characteristic, one that counts
    more members than it lists, and a collective of collectives are not.
    """
    found = _RESOLVABLE.get(_type(resource))
    return found is not None and found(resource, zone)


def expand(directory: Mapping[str, Resource], start: str, *, at: datetime, zone: ZoneInfo) -> Actors:
    """The actors of a caller who acts as `start`.

    Args:
        directory: the resources of the directory by their references.
        start: the role in which a person acts; else the person's, device's or organization's own reference.
        at: the instant of the request.
        zone: the passport's time zone.
    """
    known = {reference for reference, resource in directory.items() if resolvable(resource, zone)}
    steps = [
        step for resource in directory.values() for step in edges(resource, zone) if step.period.holds(at)
    ]
    in_role = start.startswith("PractitionerRole/")
    chain = {step.container for step in steps if step.kind is MembershipKind.ROLE and step.member == start}
    chain |= set() if in_role else {start}
    while (
        further := {
            step.container
            for step in steps
            if step.member in chain
            and step.kind in {MembershipKind.PRACTITIONER, MembershipKind.ORGANIZATION}
        }
        - chain
    ):
        chain |= further
    listed = {s.container for s in steps if s.kind is MembershipKind.COLLECTIVE and s.member in chain}
    followed = {start, *chain}
    return Actors(
        references=frozenset(chain | listed),
        unresolved=any(_kind(actor) in _CHAIN and actor not in known for actor in followed),
        resolvable=frozenset(actor for actor in known if _kind(actor) in systems.COLLECTIVES),
    )


def _role(resource: Resource, zone: ZoneInfo) -> Iterator[Membership]:
    role, period = _reference(resource), _period(resource, zone)
    if resource.get("active") is False or period is None:
        return
    yield Membership(role, role, MembershipKind.ROLE, period)
    if practitioner := _literal(resource.get("practitioner")):
        yield Membership(role, practitioner, MembershipKind.PRACTITIONER, period)
    if organization := _literal(resource.get("organization")):
        yield Membership(role, organization, MembershipKind.ORGANIZATION, period)


def _organization(resource: Resource, zone: ZoneInfo) -> Iterator[Membership]:
    if above := _literal(resource.get("partOf")):
        yield Membership(_reference(resource), above, MembershipKind.ORGANIZATION, Interval())


def _care_team(resource: Resource, zone: ZoneInfo) -> Iterator[Membership]:
    if _disbanded(resource):
        return
    for participant in _entries(resource, "participant"):
        yield from _listed(resource, participant, "member", zone)


def _group(resource: Resource, zone: ZoneInfo) -> Iterator[Membership]:
    if resource.get("active") is False:
        return
    for member in _entries(resource, "member"):
        if member.get("inactive") is not True:
            yield from _listed(resource, member, "entity", zone)


def _listed(resource: Resource, entry: Resource, name: str, zone: ZoneInfo) -> Iterator[Membership]:
    member, whole, own = _literal(entry.get(name)), _period(resource, zone), _period(entry, zone)
    if member and whole is not None and own is not None:
        common = Interval(_latest(whole.start, own.start), _earliest(whole.end, own.end))
        yield Membership(member, _reference(resource), MembershipKind.COLLECTIVE, common)


def _role_resolvable(resource: Resource, zone: ZoneInfo) -> bool:
    steps = [resource[name] for name in ("practitioner", "organization") if name in resource]
    return all(map(_literal, steps)) and _period(resource, zone) is not None


def _organization_resolvable(resource: Resource, zone: ZoneInfo) -> bool:
    return "partOf" not in resource or _literal(resource["partOf"]) is not None


def _care_team_resolvable(resource: Resource, zone: ZoneInfo) -> bool:
    return _disbanded(resource) or (
        _period(resource, zone) is not None
        and all(_is_single(entry, "member", zone) for entry in _entries(resource, "participant"))
    )


def _group_resolvable(resource: Resource, zone: ZoneInfo) -> bool:
    if resource.get("active") is False:
        return True
    members, counted = list(_entries(resource, "member")), resource.get("quantity", 0)
    return (
        resource.get("actual") is True
        and "characteristic" not in resource
        and isinstance(counted, int)
        and counted <= len(members)
        and all(_is_single(entry, "entity", zone) for entry in members)
    )


def _is_single(entry: Resource, name: str, zone: ZoneInfo) -> bool:
    """One known member, and no collective whose own members would have to be followed."""
    member = _literal(entry.get(name))
    return (
        member is not None and _kind(member) not in systems.COLLECTIVES and _period(entry, zone) is not None
    )


def _disbanded(team: Resource) -> bool:
    return team.get("status", "active") != "active"


def _period(resource: Resource, zone: ZoneInfo) -> Interval | None:
    """When the element counts: always without a period, and unknown with one that cannot be read."""
    period = resource.get("period", Interval())
    if isinstance(period, Interval):
        return period
    try:
        return read_period(period, zone) if isinstance(period, Mapping) else None
    except ValueError:
        return None


def _entries(resource: Resource, name: str) -> Iterator[Resource]:
    entries = resource.get(name, [])
    for entry in entries if isinstance(entries, list) else [entries]:
        yield entry if isinstance(entry, Mapping) else {}


def _literal(element: object) -> str | None:
    """The reference that can be followed, version stripped."""
    text = element.get("reference") if isinstance(element, Mapping) else None
    found = _LITERAL.fullmatch(text) if isinstance(text, str) else None
    return found[1] if found else None


def _reference(resource: Resource) -> str:
    return f"{_type(resource)}/{resource.get('id')}"


def _type(resource: Resource) -> str:
    return str(resource.get("resourceType"))


def _kind(reference: str) -> str:
    return reference.partition("/")[0]


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one and other else one or other


_CHAIN: Final = frozenset({"PractitionerRole", "Organization"})
_EDGES: Final = {
    "PractitionerRole": _role,
    "Organization": _organization,
    "CareTeam": _care_team,
    "Group": _group,
}
_RESOLVABLE: Final = {
    "PractitionerRole": _role_resolvable,
    "Organization": _organization_resolvable,
    "CareTeam": _care_team_resolvable,
    "Group": _group_resolvable,
}
