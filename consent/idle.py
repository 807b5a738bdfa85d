"""Provisions that can never apply as they stand: found by comparing them, before anything is asked of records.

http://hl7.org/fhir/R4/consent.html

Without the provision every decision, from the instant on that is given, would be the same, for records that are coded
in the systems of their types (`consent.systems`); nothing forbids an Observation with the code of a medicine, so these
are warnings, and nothing is left out of a consent for them. What is not found may still come to nothing for the
records that there are; that is told by counting.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from consent.comparing import Head, Leads, actions_of, apart, implied, never, purposes_of, uncoded
from consent.explain import ROOT
from consent.model import Action, Consent, Effect, Provision, Purpose
from consent.reference import Role


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
        return purposes_of(self.heads)

    @property
    def actions(self) -> frozenset[Action]:
        """The actions that all of it means."""
        return actions_of(self.heads)

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
    grants = [ruled for one in counted for ruled in granting(one)]
    search = _Search(
        grants=grants,
        places={(ruled.consent.reference, ruled.path): place for place, ruled in enumerate(grants)},
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
    places: Mapping[tuple[str, str], int]
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
        if uncoded(ruled.heads):
            return Idle(*where, Why.UNCODED)
        for block in self.blocks:
            if self._covers(block, ruled):
                return Idle(*where, Why.BLOCKED, (block.consent.reference, block.path))
        # A permit inside of a deny root is its exception as well, which no other grant can be.
        if len(ruled.heads) == 1:
            mine = self.places[where]
            for place, other in enumerate(self.grants):
                if self._repeats(ruled, other, earlier=place < mine):
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
            elif apart(_matching(chain), chain, head, self.at):
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
        if block.last is grant.heads[0].provision or not implied(grant.heads, top, self.at, self.leads):
            return False
        return all(never(grant.heads, Head(child, Role.GRANTING), self.at) for child in block.last.children)

    def _repeats(self, grant: Ruled, other: Ruled, *, earlier: bool) -> bool:
        """Whether the other one grants all that this one does; of two that say the same the later one repeats."""
        if grant.consent is other.consent or not same_patient(other.consent, grant.consent):
            return False
        return self._within(grant, other) and (earlier or not self._within(other, grant))

    def _within(self, grant: Ruled, other: Ruled) -> bool:
        return all(implied(grant.heads, head, self.at, self.leads) for head in other.heads) and all(
            child in grant.last.children
            or apart(grant.heads, grant.heads, Head(child, Role.EXCEPTION), self.at)
            for child in other.last.children
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
