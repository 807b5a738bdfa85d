"""Shapes: what a grant says of records, apart from whom it is for; interned, because many say the same.

http://hl7.org/fhir/R4/consent.html

A shape is immutable and holds keys in place of codes and references. Its own key is a hash of its content,
so that equal provisions of different people share one row and one piece of SQL.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from consent.errors import ConsentError, UnknownShape
from consent.model import Interval

_VERSION: Final = 1
_KEYS: Final = ("categories", "sensitivities", "instances", "dependents", "authors", "children")


class CodeSet(NamedTuple):
    """Codes of one system: its name tells which types use it, its key which records carry it."""

    system: str
    system_key: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeNode:
    """The conditions of one provision on records; an empty one is no condition.

    `confidentiality` is the level at and below which a permit covers, at and above which a deny does.
    `children` are the indexes of the node's exceptions.
    """

    deny: bool
    types: tuple[str, ...] = ()
    categories: tuple[int, ...] = ()
    codes: tuple[CodeSet, ...] = ()
    confidentiality: int | None = None
    sensitivities: tuple[int, ...] = ()
    period: Interval | None = None
    instances: tuple[int, ...] = ()
    dependents: tuple[int, ...] = ()
    authors: tuple[int, ...] = ()
    children: tuple[int, ...] = ()

    @property
    def classed(self) -> bool:
        """Whether the provision names a class."""
        return bool(self.types or self.categories)


@dataclass(frozen=True, slots=True)
class Shape:
    """A tree of nodes, parents first.

    The first `heads` nodes have to match together: a permit child of a deny root stands behind that root,
    which is a mere condition there.
    """

    nodes: tuple[ShapeNode, ...]
    heads: int = 1

    @property
    def content(self) -> dict[str, object]:
        """The shape as JSON; absent conditions are left out."""
        return {"version": _VERSION, "heads": self.heads, "nodes": [_write(node) for node in self.nodes]}

    @property
    def key(self) -> int:
        """A signed 64-bit hash of the content."""
        text = json.dumps(self.content, sort_keys=True, separators=(",", ":"))
        digest = hashlib.blake2b(text.encode(), digest_size=8, person=b"consent-shape").digest()
        return int.from_bytes(digest, "big", signed=True)


def parse_shape(content: object) -> Shape:
    """The shape that was written as this JSON.

    Raises:
        UnknownShape: the content is not of a form that this version writes, in whole or in part.
    """
    match content:
        case {"version": 1, "heads": 1 | 2 as heads, "nodes": [_, *_] as nodes}:
            shape = Shape(tuple(_read(node) for node in nodes), heads)
        case _:
            raise UnknownShape(f"got a shape in an unknown form, expected version {_VERSION}")
    # Only what comes back exactly as it was read has been understood in full.
    if shape.content != content or not _is_tree(shape):
        raise UnknownShape("got a shape with content that is not evaluated")
    return shape


def _write(node: ShapeNode) -> dict[str, object]:
    content: dict[str, object] = {"deny": node.deny}
    if node.types:
        content["types"] = list(node.types)
    if node.codes:
        content["codes"] = [[group.system, group.system_key, list(group.codes)] for group in node.codes]
    if node.confidentiality is not None:
        content["confidentiality"] = node.confidentiality
    if node.period is not None:
        content["period"] = [end and end.isoformat() for end in (node.period.start, node.period.end)]
    return content | {name: list(found) for name in _KEYS if (found := getattr(node, name))}


def _read(content: object) -> ShapeNode:
    if not isinstance(content, Mapping):
        raise UnknownShape("got a node that is no object")
    level = content.get("confidentiality")
    return ShapeNode(
        deny=content.get("deny") is True,
        types=tuple(str(name) for name in _list(content, "types")),
        codes=tuple(_code_set(entry) for entry in _list(content, "codes")),
        confidentiality=None if level is None else _integer(level),
        period=_interval(content),
        categories=_integers(content, "categories"),
        sensitivities=_integers(content, "sensitivities"),
        instances=_integers(content, "instances"),
        dependents=_integers(content, "dependents"),
        authors=_integers(content, "authors"),
        children=_integers(content, "children"),
    )


def _list(content: Mapping[object, object], name: str) -> list[object]:
    found = content.get(name, [])
    if not isinstance(found, list):
        raise UnknownShape("got a condition that is no list")
    return found


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise UnknownShape("got a key that is no integer")
    return value


def _integers(content: Mapping[object, object], name: str) -> tuple[int, ...]:
    return tuple(_integer(value) for value in _list(content, name))


def _code_set(entry: object) -> CodeSet:
    match entry:
        case [str() as system, int() as key, [*codes]]:
            return CodeSet(system, key, tuple(_integer(code) for code in codes))
        case _:
            raise UnknownShape("got codes in an unknown form")


def _interval(content: Mapping[object, object]) -> Interval | None:
    if "period" not in content:
        return None
    try:
        start, end = (
            None if end is None else datetime.fromisoformat(str(end)) for end in _list(content, "period")
        )
        return Interval(start, end)
    except (ConsentError, ValueError) as error:
        raise UnknownShape("got a period in an unknown form") from error


def _is_tree(shape: Shape) -> bool:
    """Every node but the heads is the child of one earlier node, so that walking down comes to an end."""
    pairs = [(child, parent) for parent, node in enumerate(shape.nodes) for child in node.children]
    return (
        shape.heads <= len(shape.nodes)
        and sorted(child for child, _ in pairs) == list(range(shape.heads, len(shape.nodes)))
        and all(parent < child for child, parent in pairs)
    )
