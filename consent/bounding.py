"""Grants within grants: whether what somebody grants is certainly something that they may see themselves.

http://hl7.org/fhir/R4/consent.html

What is compared is what both ask of records. Whom a grant is for, for which purpose and until when is not: whoever acts
for somebody grants to others. What is not certain counts as beyond, so that what is within is found at times not to be.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from consent import systems
from consent.compile import Grant, GrantEffect, Node
from consent.grants import StandingGrant
from consent.model import Interval
from consent.shape import CodeSet, ShapeNode

Heads = Sequence[ShapeNode]


def within(grant: Grant, held: Sequence[StandingGrant]) -> bool:
    """Whether every record that a grant could let through is one that these let through already.

    Args:
        grant: a grant that permits, as it was compiled.
        held: all that permits and blocks its author, as it stands.
    """
    permits = [one for one in held if one.effect == GrantEffect.PERMIT]
    blocks = [one for one in held if one.effect != GrantEffect.PERMIT]
    spared = list(_spared(grant))
    heads = grant.shape.nodes[: grant.shape.heads]
    return all(
        one.shape is not None and _left_out(heads, spared, one.shape.nodes[0]) for one in blocks
    ) and all(_seen(part, spared, permits) for part in _parts(heads))


def _seen(heads: Heads, spared: Heads, permits: Sequence[StandingGrant]) -> bool:
    """Whether one of the grants lets through whatever the heads match and nothing spares."""
    if any(_covers(one, heads, spared) for one in permits):
        return True
    *above, last = heads
    if last.types or not last.categories:
        return False
    # A category is of any type: of those that have to be named, and of the others, which what names no class covers.
    named = [replace(last, types=(name,), categories=()) for name in sorted(systems.UNNAMED_EXCLUDED)]
    each = [replace(last, categories=()), *named]
    return all(any(_covers(one, [*above, part], spared) for one in permits) for part in each)


def _covers(held: StandingGrant, heads: Heads, spared: Heads) -> bool:
    shape = held.shape
    if shape is None or any(not held.t_bits >> at & 1 for at in range(shape.heads)):
        return False
    own = shape.nodes[: shape.heads]
    return all(_implied(heads, one) for one in own) and all(
        held.f_bits >> at & 1 or _left_out(heads, spared, shape.nodes[at]) for at in own[-1].children
    )


def _parts(heads: Heads) -> Iterator[Heads]:
    """The heads once for each class of the last one: each may be covered by another grant."""
    *above, last = heads
    for name in last.types:
        yield [*above, replace(last, types=(name,), categories=())]
    if last.categories or not last.types:
        yield [*above, replace(last, types=())]


def _spared(grant: Grant) -> Iterator[ShapeNode]:
    """The exceptions of a grant that hold for everybody, and have none of their own."""
    for at in grant.shape.nodes[grant.shape.heads - 1].children:
        if not grant.shape.nodes[at].children and _asks_nothing(grant.nodes[at]):
            yield grant.shape.nodes[at]


def _asks_nothing(node: Node) -> bool:
    asked = (node.actors, node.purposes, node.actions, node.starts, node.ends)
    return all(one is None for one in asked)


def _left_out(heads: Heads, spared: Heads, denied: ShapeNode) -> bool:
    """Whether what is denied is certainly none of what the heads match, or is spared."""
    return any(_apart(head, denied) for head in heads) or any(_implied([denied], one) for one in spared)


def _implied(heads: Heads, n: ShapeNode) -> bool:
    """Whether the node is True wherever all the heads are."""
    return (
        _class_implied(heads, n)
        and (not n.codes or any(one.codes and _coded(one.codes, n.codes) for one in heads))
        and (n.confidentiality is None or any(_label_implied(one, n) for one in heads))
        and (not n.sensitivities or any(_among(one.sensitivities, n.sensitivities) for one in heads))
        and (n.period is None or any(_inside(one.period, n.period) for one in heads))
        and (not _data(n) or any(_data(one) and _data_implied(one, n) for one in heads))
    )


def _class_implied(heads: Heads, n: ShapeNode) -> bool:
    if n.classed:
        return any(
            one.classed and set(one.types) <= set(n.types) and set(one.categories) <= set(n.categories)
            for one in heads
        )
    return any(
        not one.classed or (not one.categories and systems.UNNAMED_EXCLUDED.isdisjoint(one.types))
        for one in heads
    )


def _coded(these: Sequence[CodeSet], those: Sequence[CodeSet]) -> bool:
    known = {one.system: set(one.codes) for one in those}
    return all(set(one.codes) <= known.get(one.system, set()) for one in these)


def _label_implied(one: ShapeNode, n: ShapeNode) -> bool:
    if one.confidentiality is None or n.confidentiality is None or one.deny is not n.deny:
        return False
    return one.confidentiality >= n.confidentiality if n.deny else one.confidentiality <= n.confidentiality


def _among(these: Sequence[int], those: Sequence[int]) -> bool:
    return bool(these) and set(these) <= set(those)


def _inside(one: Interval | None, other: Interval) -> bool:
    return one is not None and one.lies_in(other) is True


def _data(n: ShapeNode) -> bool:
    return bool(n.instances or n.dependents or n.authors)


def _data_implied(one: ShapeNode, n: ShapeNode) -> bool:
    return (
        set(one.instances) <= {*n.instances, *n.dependents}
        and set(one.dependents) <= set(n.dependents)
        and set(one.authors) <= set(n.authors)
    )


def _apart(head: ShapeNode, denied: ShapeNode) -> bool:
    """Whether the one that denies is False wherever the head is True."""
    return (
        _other_types(head, denied)
        or (
            head.period is not None
            and denied.period is not None
            and head.period.lies_in(denied.period) is False
        )
        or (
            head.confidentiality is not None
            and denied.confidentiality is not None
            and not head.deny
            and head.confidentiality < denied.confidentiality
        )
    )


def _other_types(head: ShapeNode, denied: ShapeNode) -> bool:
    if denied.classed:
        named = not denied.categories and not head.categories and bool(head.types)
        return (named and set(head.types).isdisjoint(denied.types)) or (
            not head.classed and not denied.categories and systems.UNNAMED_EXCLUDED.issuperset(denied.types)
        )
    return not head.categories and bool(head.types) and systems.UNNAMED_EXCLUDED.issuperset(head.types)
