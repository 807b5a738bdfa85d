"""What a rule between elements is, and the predicates that rules are made of.

http://hl7.org/fhir/R4/conformance-rules.html#constraints
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from fhirstore.elements import codes_in, values_at
from fhirstore.times import interval_of

Node = Mapping[str, Any]
Kept = Callable[[Node], bool]

_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint: its key in the specification, what it expects, and whether a node keeps it."""

    key: str
    expects: str
    kept: Kept


def has(node: Node, name: str) -> bool:
    """Return whether an element stands there, be it as an extension in place of its value."""
    return name in node or f"_{name}" in node


def has_choice(node: Node, prefix: str) -> bool:
    """Return whether one of the types of `prefix[x]` stands there."""
    at = len(prefix)
    for name in node:
        if prefix in name:
            bare = name[1:] if name[:1] == "_" else name
            if bare.startswith(prefix) and bare[at : at + 1].isupper():
                return True
    return False


def any_of(*names: str) -> Kept:
    """Keep that one of the elements stands there."""
    standing = frozenset(each for name in names for each in (name, f"_{name}"))
    return lambda node: not standing.isdisjoint(node)


def needs(name: str, *others: str) -> Kept:
    """Keep that where `name` stands one of the others stands too."""
    one_of, beside = any_of(*others), f"_{name}"
    return lambda node: (name not in node and beside not in node) or one_of(node)


def not_both(first: str, second: str) -> Kept:
    """Keep that at most one of the two stands there."""
    return lambda node: not (has(node, first) and has(node, second))


def exactly_one(first: str, second: str) -> Kept:
    """Keep that one of the two stands there, and not both."""
    return lambda node: has(node, first) != has(node, second)


def ordered(first: str, second: str) -> Kept:
    """Keep that the one date does not lie wholly after the other."""

    def kept(node: Node) -> bool:
        if first not in node or second not in node:
            return True
        start, end = (
            interval_of(value, _UTC) if isinstance(value := node.get(name), str) else None
            for name in (first, second)
        )
        return start is None or end is None or start.start < end.end

    return kept


def number_at(node: Node, name: str) -> int | Decimal | None:
    """Return the number that an element holds, None where it holds none."""
    value = node.get(name)
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def not_negative(name: str) -> Kept:
    """Keep that a number is not below zero."""
    return lambda node: (value := number_at(node, name)) is None or value >= 0


def is_one_of(node: Node, name: str, codes: frozenset[str]) -> bool:
    """Return whether an element is one of these codes; what is no string is none."""
    value = node.get(name)
    return isinstance(value, str) and value in codes


def codes_at(node: Node, *path: str) -> set[str]:
    """Return the codes at a path, whatever their systems."""
    return {code.code for code in codes_in(values_at(node, (path,)))}
