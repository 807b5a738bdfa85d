"""Provisions that can never apply as they stand: found by comparing them, before anything is asked of records.

http://hl7.org/fhir/R4/consent.html

What is found is certain: without the provision every decision, from the instant on that is given, would be the same.
One thing is taken for granted: that what is contained in a record has codes of its own, where it could take those of a
container of another type. What is not found may still come to nothing for the records that there are; that is told by
counting.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from consent import systems
from consent.explain import ROOT
from consent.model import (
    Action,
    Coding,
    Consent,
    Data,
    Effect,
    Interval,
    Meaning,
    Provision,
    Purpose,
)
from consent.reference import Role

Leads = Mapping[str, frozenset[str]]
"""Whom everybody acts for who acts for an actor: its organization for a role, those above for an organization."""

_BY_DEFAULT: Final = frozenset(Purpose) - {Purpose.BTG}


class Why(StrEnum):
    """Why a provision does nothing."""

    OVER = "period-over"  # its period has ended
    BLOCKED = "always-blocked"  # wherever it grants, a root deny blocks
    NEEDLESS = "exception-without-effect"  # it never meets what it is an exception of
    UNCODED = "class-without-code"  # no record of its classes has a code of its systems
    REPEATED = "repeats-another"  # another one grants all that it grants


@dataclass(frozen=True, slots=True)
class Idle:
    """One provision that does nothing; `by` is the consent and path of what makes it so."""

    consent: str
    path: str
    why: Why
    by: tuple[str, str] | None = None


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


@dataclass(frozen=True, slots=True)
class Ruled:
    """One grant or block: the provisions that have to match together, and where the last one stands."""

    consent: Consent
    path: str
    heads: tuple[Head, ...]

    @property
    def last(self) -> Provision:
        """The provision that grants or blocks."""
        return self.heads[-1].provision

    @property
    def purposes(self) -> frozenset[Purpose]:
        """The purposes that all of it means."""
        return _purposes(self.heads)

    @property
    def actions(self) -> frozenset[Action]:
        """The actions that all of it means."""
        return _actions(self.heads)

    @property
    def actors(self) -> list[frozenset[str]]:
        """Groups of actors, of each of which somebody has to be among those that a caller acts for."""
        return [head.provision.actors for head in self.heads if head.provision.actors]


def idle(
    consents: Sequence[Consent], asked: Collection[str], at: datetime, leads: Leads | None = None
) -> list[Idle]:
    """Every provision of some consents that does nothing.

    Args:
        consents: all that count together: a patient's own and the policies, each with a reference of its own.
        asked: the references of those whose provisions are in question.
        at: from when on.
        leads: whom the directory leads to from each actor, as far as it is known.

    Returns:
        What was found, in the order of the consents and of their provisions; nothing of what stands under it.
    """
    counted = [one for one in consents if one.counts]
    search = _Search(
        grants=[ruled for one in counted for ruled in granting(one)],
        blocks=[ruled for one in counted for ruled in blocking(one)],
        at=at,
        leads=leads or {},
    )
    return [
        found
        for one in counted
        if one.reference in asked and one.root is not None
        for found in search.of(one, one.root)
    ]


def granting(consent: Consent) -> Iterator[Ruled]:
    """The grants of a consent: a permit root, or each permit child of a deny root behind that root."""
    root = consent.root
    if root is None:
        return
    if root.effect is Effect.PERMIT:
        yield Ruled(consent, ROOT, (Head(root, Role.GRANTING),))
        return
    for place, child in enumerate(root.children):
        heads = (Head(root, Role.QUALIFYING), Head(child, Role.GRANTING))
        yield Ruled(consent, f"{ROOT}.provision[{place}]", heads)


def blocking(consent: Consent) -> Iterator[Ruled]:
    """The block of a consent, if it is a deny root."""
    if consent.root is not None and consent.root.effect is Effect.DENY:
        yield Ruled(consent, ROOT, (Head(consent.root, Role.BLOCKING),))


def without(consent: Consent, path: str) -> Consent:
    """The consent without the provision at a path; without its root it does not count."""
    if consent.root is None or path == ROOT:
        return replace(consent, root=None)
    places = [int(step.rstrip("]")) for step in path.removeprefix(ROOT).split(".provision[")[1:]]
    return replace(consent, root=_pruned(consent.root, places))


def _pruned(n: Provision, places: Sequence[int]) -> Provision:
    first, *further = places
    kept = list(n.children)
    if further:
        kept[first] = _pruned(kept[first], further)
    else:
        del kept[first]
    return replace(n, children=tuple(kept))


@dataclass(frozen=True, slots=True)
class _Search:
    grants: Sequence[Ruled]
    blocks: Sequence[Ruled]
    at: datetime
    leads: Leads

    def of(self, consent: Consent, root: Provision) -> Iterator[Idle]:
        if _over(root, self.at):
            yield Idle(consent.reference, ROOT, Why.OVER)
            return
        if root.effect is Effect.PERMIT:
            (ruled,) = granting(consent)
            reason = self._of_grant(ruled)
            if reason is not None:
                yield reason
                return
        top = Head(root, Role.GRANTING if root.effect is Effect.PERMIT else Role.QUALIFYING)
        yield from self._below(consent, ROOT, [top])

    def _of_grant(self, ruled: Ruled) -> Idle | None:
        """Why a grant never lets anything through, or nothing that another one does not."""
        where = (ruled.consent.reference, ruled.path)
        if _uncoded(ruled.heads):
            return Idle(*where, Why.UNCODED)
        for block in self.blocks:
            if self._covers(block, ruled):
                return Idle(*where, Why.BLOCKED, (block.consent.reference, block.path))
        # A permit inside of a deny root is its exception as well, which no other grant can be.
        if len(ruled.heads) == 1:
            for place, other in enumerate(self.grants):
                if self._repeats(ruled, other, earlier=place < self.grants.index(ruled)):
                    return Idle(*where, Why.REPEATED, (other.consent.reference, other.path))
        return None

    def _below(self, consent: Consent, path: str, chain: Sequence[Head]) -> Iterator[Idle]:
        """The exceptions of the last of a chain, from the root down."""
        top = chain[0]
        for place, child in enumerate(chain[-1].provision.children):
            here = f"{path}.provision[{place}]"
            grants = top.role is Role.QUALIFYING and len(chain) == 1
            head = Head(child, Role.GRANTING if grants else Role.EXCEPTION)
            if _over(child, self.at):
                yield Idle(consent.reference, here, Why.OVER)
            elif self._apart(_matching(chain), chain, head):
                yield Idle(consent.reference, here, Why.NEEDLESS)
            elif grants and (reason := self._of_grant(Ruled(consent, here, (top, head)))):
                yield reason
            else:
                yield from self._below(consent, here, [*chain, head])

    def _covers(self, block: Ruled, grant: Ruled) -> bool:
        """Whether the block holds wherever the grant does: it matches there, and none of its exceptions can."""
        (top,) = block.heads
        if not same_patient(block.consent, grant.consent):
            return False
        if block.last is grant.heads[0].provision or not self._implied(grant.heads, top):
            return False
        return all(self._never(grant.heads, Head(child, Role.GRANTING)) for child in block.last.children)

    def _repeats(self, grant: Ruled, other: Ruled, *, earlier: bool) -> bool:
        """Whether the other one grants all that this one does; of two that say the same the later one repeats."""
        if grant.consent is other.consent or not same_patient(other.consent, grant.consent):
            return False
        return self._within(grant, other) and (earlier or not self._within(other, grant))

    def _within(self, grant: Ruled, other: Ruled) -> bool:
        return all(self._implied(grant.heads, head) for head in other.heads) and all(
            child in grant.last.children or self._apart(grant.heads, grant.heads, Head(child, Role.EXCEPTION))
            for child in other.last.children
        )

    def _never(self, heads: Sequence[Head], other: Head) -> bool:
        """Whether the other is never True where all the heads are."""
        return self._apart(heads, heads, other) or _uncoded((*heads, other))

    def _apart(self, certain: Sequence[Head], possible: Sequence[Head], other: Head) -> bool:
        """Whether the other is False wherever the `certain` heads are True and no `possible` one is False."""
        n = other.provision
        both = [*possible, other]
        types = _types(both)
        common = _clipped(_periods(possible), self.at)
        return (
            common.empty
            or _disjoint(common, n.period)
            or not _purposes(possible) & other.purposes
            or not _actions(possible) & other.actions
            or types == frozenset()
            or _codes_apart(certain, n, types)
            or any(_labels_apart(head.provision, n) for head in certain)
            or any(_disjoint(head.provision.data_period, n.data_period) for head in certain)
        )

    def _implied(self, heads: Sequence[Head], other: Head) -> bool:
        """Whether the other is True wherever all the heads are."""
        n, provisions = other.provision, [head.provision for head in heads]
        return (
            _inside(_clipped(_periods(heads), self.at), n.period)
            and _purposes(heads) <= other.purposes
            and _actions(heads) <= other.actions
            and (not n.actors or any(self._all_act_for(one.actors, n.actors) for one in provisions))
            and _class_implied(heads, n)
            and (not n.codes or any(one.codes and one.codes <= n.codes for one in provisions))
            and (not _labelled(n) or any(_label_implied(one, n) for one in provisions))
            and (n.data_period is None or any(_inside(one.data_period, n.data_period) for one in provisions))
            and (not n.data or any(one.data and _data_within(one.data, n.data) for one in provisions))
        )

    def _all_act_for(self, actors: frozenset[str], others: frozenset[str]) -> bool:
        return bool(actors) and all(
            others & ({actor} | self.leads.get(actor, frozenset())) for actor in actors
        )


def same_patient(one: Consent, other: Consent) -> bool:
    """Whether the one counts for whoever the other counts for."""
    return one.patient is None or one.patient == other.patient


def _matching(chain: Sequence[Head]) -> Sequence[Head]:
    """Those of a chain that have to be True for an exception at its end to make a difference."""
    if chain[0].role is Role.QUALIFYING:
        # Under a deny root the permit has to be True; the root only not False, since it blocks as well.
        return chain[1:2]
    return chain[:1]


def _over(n: Provision, at: datetime) -> bool:
    return n.period is not None and n.period.end is not None and n.period.end <= at


def _purposes(heads: Iterable[Head]) -> frozenset[Purpose]:
    return frozenset(Purpose).intersection(*(head.purposes for head in heads))


def _actions(heads: Iterable[Head]) -> frozenset[Action]:
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


def _uncoded(heads: Sequence[Head]) -> bool:
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
