"""Consents as grants: what each provision asks of the request, and a shape of what it asks of records.

http://hl7.org/fhir/R4/consent.html

A permit root becomes one grant that permits. A deny root becomes one that blocks and, for each permit child,
one that permits: there the root stands once more before the child, as a condition without its exceptions.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple, Protocol

from consent import systems
from consent.errors import UnknownRule
from consent.model import Action, Coding, Consent, Effect, Interval, Meaning, Provision, Purpose
from consent.shape import CodeSet, Shape, ShapeNode

# Stored: the order in which the purposes and actions are declared may grow at its end and never change.
PURPOSE_BITS: Final = {purpose: 1 << index for index, purpose in enumerate(Purpose)}
ACTION_BITS: Final = {action: 1 << index for index, action in enumerate(Action)}

_BY_DEFAULT: Final = sum(bit for purpose, bit in PURPOSE_BITS.items() if purpose is not Purpose.BTG)


class Keys(Protocol):
    """The keyed hashes under which references and codes are stored."""

    def reference(self, reference: str, /) -> int:
        """The key of `Type/id`."""

    def code(self, system: str, code: str, /) -> int:
        """The key of a code."""

    def system(self, system: str, /) -> int:
        """The key of a code system."""

    def category(self, system: str, code: str, /) -> int:
        """The key of a category that a record states."""

    def implied_category(self, system: str, code: str, /) -> int:
        """The key of a category that a record's profile implies."""

    def label(self, system: str, code: str, /) -> int:
        """The key of a sensitivity label."""


class GrantEffect(IntEnum):
    """What a grant does to the records that it covers; the number is stored."""

    PERMIT = 1
    BLOCK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What one provision asks of the request; None is no condition, `starts` and `ends` are half-open.

    A `granting` node can only widen what is permitted, so the client never counts among its actors.
    `collectives` are those actors that are Groups or CareTeams; `chained` tells of actors to which a
    caller's chain of memberships may lead. Both are unknown where that cannot be resolved.
    """

    node: int
    granting: bool
    actors: tuple[int, ...] | None
    collectives: tuple[int, ...]
    chained: bool
    purposes: int | None
    actions: int | None
    starts: datetime | None
    ends: datetime | None


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant of a consent: `recipients` are the actors that it is for, and nobody where it blocks."""

    ordinal: int
    effect: GrantEffect
    shape: Shape
    nodes: tuple[Node, ...]
    recipients: tuple[int, ...]

    @property
    def shape_key(self) -> int:
        """The key of its shape."""
        return self.shape.key


@dataclass(frozen=True, slots=True)
class Compiled:
    """The grants of one version of a consent; none where it does not count."""

    reference: str
    version: int
    grants: tuple[Grant, ...]

    @property
    def consent_ref(self) -> str:
        """How the audit names it: the consent in the version that was relied on."""
        return f"{self.reference}/_history/{self.version}"


class _Placed(NamedTuple):
    """A provision as a node of a grant, with what its absent purpose and action mean there."""

    provision: Provision
    children: tuple[int, ...] = ()
    grants: bool = False
    blocks: bool = False
    qualifies: bool = False


def compile_consent(consent: Consent, keys: Keys) -> Compiled:
    """The grants of a consent that was read without issue.

    Raises:
        UnknownRule: a provision grants without naming actor and purpose, or has both kinds of labels.
    """
    root = consent.root if consent.counts else None
    trees = [] if root is None else list(_trees(root))
    return Compiled(
        consent.reference,
        consent.version,
        tuple(_grant(ordinal, effect, tree, keys) for ordinal, (effect, tree) in enumerate(trees)),
    )


def _trees(root: Provision) -> Iterator[tuple[GrantEffect, list[_Placed]]]:
    if root.effect is Effect.PERMIT:
        yield GrantEffect.PERMIT, _numbered(_Placed(root, grants=True), 0)
        return
    yield GrantEffect.BLOCK, _numbered(_Placed(root, blocks=True), 0)
    for child in root.children:
        yield (
            GrantEffect.PERMIT,
            [_Placed(root, qualifies=True), *_numbered(_Placed(child, grants=True), 1)],
        )


def _numbered(top: _Placed, first: int) -> list[_Placed]:
    """The node and everything under it, parents first, numbered from `first`."""
    below: list[_Placed] = []
    children = []
    for child in top.provision.children:
        children.append(first + 1 + len(below))
        below += _numbered(_Placed(child, grants=top.blocks), children[-1])
    return [top._replace(children=tuple(children)), *below]


def _grant(ordinal: int, effect: GrantEffect, tree: list[_Placed], keys: Keys) -> Grant:
    heads = 2 if tree[0].qualifies else 1
    recipients: tuple[int, ...] = ()
    if effect is GrantEffect.PERMIT:
        recipients = _recipients([placed.provision for placed in tree[:heads]], keys)
    return Grant(
        ordinal,
        effect,
        Shape(tuple(_shape_node(placed, keys) for placed in tree), heads),
        tuple(_node(index, placed, keys) for index, placed in enumerate(tree)),
        recipients,
    )


def _recipients(heads: list[Provision], keys: Keys) -> tuple[int, ...]:
    actors = [head.actors for head in heads if head.actors]
    if not actors or not any(head.purposes for head in heads):
        raise UnknownRule("got a provision that grants without actor and purpose, expected both")
    return _sorted(keys.reference(actor) for actor in actors[-1])


def _node(index: int, placed: _Placed, keys: Keys) -> Node:
    provision, period = placed.provision, placed.provision.period or Interval()
    kinds = {actor.partition("/")[0] for actor in provision.actors}
    purposes = sum(PURPOSE_BITS[purpose] for purpose in provision.purposes)
    actions = sum(ACTION_BITS[action] for action in provision.actions)
    if not purposes and (placed.grants or placed.blocks):
        purposes = _BY_DEFAULT
    if not actions and placed.grants:
        actions = ACTION_BITS[Action.ACCESS]
    return Node(
        node=index,
        granting=placed.qualifies or provision.effect is Effect.PERMIT,
        actors=_sorted(keys.reference(actor) for actor in provision.actors) or None,
        collectives=_sorted(
            keys.reference(actor)
            for actor in provision.actors
            if actor.partition("/")[0] in systems.COLLECTIVES
        ),
        chained=bool(kinds & systems.CHAINED),
        purposes=purposes or None,
        actions=actions or None,
        starts=period.start,
        ends=period.end,
    )


def _shape_node(placed: _Placed, keys: Keys) -> ShapeNode:
    provision = placed.provision
    deny = provision.effect is Effect.DENY
    if provision.confidentiality and provision.sensitivities:
        raise UnknownRule("got both kinds of labels in one provision, expected one")
    level = (min if deny else max)(provision.confidentiality, default=None)
    return ShapeNode(
        deny=deny,
        types=tuple(sorted(c.code for c in provision.classes if c.system == systems.RESOURCE_TYPES)),
        categories=_categories(provision.classes, keys),
        codes=tuple(_code_sets(provision.codes, keys)),
        confidentiality=None if level is None else int(level),
        sensitivities=_sorted(keys.label(*coding) for coding in provision.sensitivities),
        period=provision.data_period,
        instances=_data(provision, Meaning.INSTANCE, keys),
        dependents=_data(provision, Meaning.DEPENDENTS, keys),
        authors=_data(provision, Meaning.AUTHOREDBY, keys),
        children=placed.children,
    )


def _categories(classes: Iterable[Coding], keys: Keys) -> tuple[int, ...]:
    """The keys of a category as records state it and as their profiles imply it."""
    codings = [coding for coding in classes if coding.system != systems.RESOURCE_TYPES]
    return _sorted(key(*coding) for coding in codings for key in (keys.category, keys.implied_category))


def _code_sets(codes: Iterable[Coding], keys: Keys) -> Iterator[CodeSet]:
    by_system: dict[str, list[int]] = {}
    for system, code in codes:
        by_system.setdefault(system, []).append(keys.code(system, code))
    for system in sorted(by_system):
        yield CodeSet(system, keys.system(system), _sorted(by_system[system]))


def _data(provision: Provision, meaning: Meaning, keys: Keys) -> tuple[int, ...]:
    return _sorted(keys.reference(data.reference) for data in provision.data if data.meaning is meaning)


def _sorted(keys: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(keys)))
