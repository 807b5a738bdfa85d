"""Provisions compared with each other: where one certainly holds, or certainly does not, as others do.

http://hl7.org/fhir/R4/consent.html

What is said is certain for every record and request from an instant on; what is not said may be so or not. One thing
is taken for granted: that what is contained in a record has codes of its own, where it could take those of a container
of another type.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from consent import systems
from consent.model import Action, Coding, Data, Effect, Interval, Meaning, Provision, Purpose
from consent.reference import Role

Leads = Mapping[str, frozenset[str]]
"""Whom everybody acts for who acts for an actor: its organization for a role, those above for an organization."""

_BY_DEFAULT: Final = frozenset(Purpose) - {Purpose.BTG}


class Head(NamedTuple):
    """A provision in its role: what its absent attributes mean depends on where it stands."""

    provision: Provision
    role: Role

    @property
    def purposes(self) -> frozenset[Purpose]:
        """The purposes that it means."""
        given = self.provision.purposes
        if not given and self.role in {Role.GRANTING, Role.BLOCKING}:
            return _BY_DEFAULT
        return given or frozenset(Purpose)

    @property
    def actions(self) -> frozenset[Action]:
        """The actions that it means."""
        given = self.provision.actions
        if not given and self.role is Role.GRANTING:
            return frozenset({Action.ACCESS})
        return given or frozenset(Action)


def never(heads: Sequence[Head], other: Head, at: datetime) -> bool:
    """Whether the other is never True where all the heads are."""
    return apart(heads, heads, other, at) or uncoded((*heads, other))


def apart(certain: Sequence[Head], possible: Sequence[Head], other: Head, at: datetime) -> bool:
    """Whether the other is False wherever the `certain` heads are True and no `possible` one is False."""
    n = other.provision
    both = [*possible, other]
    types = _types(both)
    common = _clipped(_periods(possible), at)
    return (
        common.empty
        or _disjoint(common, n.period)
        or not purposes_of(possible) & other.purposes
        or not actions_of(possible) & other.actions
        or types == frozenset()
        or _codes_apart(certain, n, types)
        or any(_labels_apart(head.provision, n) for head in certain)
        or any(_disjoint(head.provision.data_period, n.data_period) for head in certain)
    )


def implied(heads: Sequence[Head], other: Head, at: datetime, leads: Leads) -> bool:
    """Whether the other is True wherever all the heads are."""
    n, provisions = other.provision, [head.provision for head in heads]
    return (
        _inside(_clipped(_periods(heads), at), n.period)
        and purposes_of(heads) <= other.purposes
        and actions_of(heads) <= other.actions
        and (not n.actors or any(_all_act_for(one.actors, n.actors, leads) for one in provisions))
        and _class_implied(heads, n)
        and (not n.codes or any(one.codes and one.codes <= n.codes for one in provisions))
        and (not _labelled(n) or any(_label_implied(one, n) for one in provisions))
        and (n.data_period is None or any(_inside(one.data_period, n.data_period) for one in provisions))
        and (not n.data or any(one.data and _data_within(one.data, n.data) for one in provisions))
    )


def _all_act_for(actors: frozenset[str], others: frozenset[str], leads: Leads) -> bool:
    return bool(actors) and all(others & ({actor} | leads.get(actor, frozenset())) for actor in actors)


def purposes_of(heads: Iterable[Head]) -> frozenset[Purpose]:
    """The purposes that all of these mean."""
    return frozenset(Purpose).intersection(*(head.purposes for head in heads))


def actions_of(heads: Iterable[Head]) -> frozenset[Action]:
    """The actions that all of these mean."""
    return frozenset(Action).intersection(*(head.actions for head in heads))


def _periods(heads: Iterable[Head]) -> list[Interval]:
    return [head.provision.period for head in heads if head.provision.period is not None]


def _clipped(periods: Sequence[Interval], at: datetime) -> Interval:
    """What is common to the periods, from an instant on."""
    starts = [period.start for period in periods if period.start is not None]
    ends = [period.end for period in periods if period.end is not None]
    return Interval(max([*starts, at]), min(ends, default=None))


def _inside(one: Interval | None, other: Interval | None) -> bool:
    return other is None or (one is not None and one.lies_in(other) is True)


def _disjoint(one: Interval | None, other: Interval | None) -> bool:
    return one is not None and other is not None and one.lies_in(other) is False


def _types(heads: Iterable[Head]) -> frozenset[str] | None:
    """The only types that all of these can match, None where any can be among them."""
    found: frozenset[str] | None = None
    unnamed = False
    for head in heads:
        classes = head.provision.classes
        unnamed = unnamed or not classes
        if classes and all(one.system == systems.RESOURCE_TYPES for one in classes):
            named = frozenset(one.code for one in classes)
            found = named if found is None else found & named
    return found - systems.UNNAMED_EXCLUDED if found is not None and unnamed else found


def _class_implied(heads: Sequence[Head], n: Provision) -> bool:
    if n.classes:
        return any(head.provision.classes and head.provision.classes <= n.classes for head in heads)
    if any(not head.provision.classes for head in heads):
        return True
    types = _types(heads)
    return types is not None and not types & systems.UNNAMED_EXCLUDED


def _codes_apart(certain: Sequence[Head], n: Provision, types: frozenset[str] | None) -> bool:
    """Whether codes are certainly others: records of these types have none, or have one of another system."""
    if not n.codes or types is None:
        return False
    if types <= systems.CODELESS:
        return True
    coded = any(head.provision.codes for head in certain)
    return coded and _foreign(n.codes, types)


def _foreign(codes: Iterable[Coding], types: frozenset[str]) -> bool:
    """Whether none of these types uses a system of these codes."""
    used = {coding.system for coding in codes}
    return all(
        name in systems.CODELESS or (name in systems.SYSTEMS and not used & systems.SYSTEMS[name])
        for name in types
    )


def uncoded(heads: Sequence[Head]) -> bool:
    """Whether the codes that one of these names are of no system that the types use."""
    types = _types(heads)
    named = [head.provision.codes for head in heads if head.provision.codes]
    return types is not None and any(_foreign(codes, types) for codes in named)


def _labelled(n: Provision) -> bool:
    return bool(n.confidentiality or n.sensitivities)


def _labels_apart(one: Provision, other: Provision) -> bool:
    """Whether a record that has the label of the one certainly lacks that of the other."""
    if not (one.confidentiality and other.confidentiality) or one.effect is other.effect:
        return False
    permit, deny = (one, other) if one.effect is Effect.PERMIT else (other, one)
    return max(permit.confidentiality) < min(deny.confidentiality)


def _label_implied(one: Provision, other: Provision) -> bool:
    if other.sensitivities:
        return bool(one.sensitivities) and one.sensitivities <= other.sensitivities
    if not one.confidentiality or one.effect is not other.effect:
        return False
    if one.effect is Effect.PERMIT:
        return max(one.confidentiality) <= max(other.confidentiality)
    return min(one.confidentiality) >= min(other.confidentiality)


def _data_within(these: Iterable[Data], those: frozenset[Data]) -> bool:
    return all(
        one in those or (one.meaning is Meaning.INSTANCE and Data(Meaning.DEPENDENTS, one.reference) in those)
        for one in these
    )
