"""The elements of a record at a parameter's paths.

http://hl7.org/fhir/R4/search.html#searchparameter

Nothing here raises on a tree of another shape: what is not where it should be is not there.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from fhirstore.types import Path

_FILTERED: Final = re.compile(r"(?P<name>\w+)\[(?P<key>\w+)=(?P<value>[^\]]*)\]")
_FIRST: Final = re.compile(r"(?P<name>\w+)\[0\]")
_ANY: Final = "?"


def elements_at(tree: object, paths: Iterable[Path]) -> list[Any]:
    """Return what stands at any of the paths, in their order; lists are walked through.

    A step is an element's name, `name[key=value]` for the elements of which a child has this value,
    `name[0]` for the first of a list, or `?name|name`, which is True or False at every object: whether one of
    the names is there and is not false.
    """
    found: list[Any] = []
    for path in paths:
        reached = list(_listed(tree))
        for step in path:
            reached = [value for node in reached if isinstance(node, dict) for value in _taken(node, step)]
        found += reached
    return found


def _taken(node: dict[str, Any], step: str) -> Iterator[Any]:
    if step.startswith(_ANY):
        yield any(node.get(name) not in (None, False) for name in step[1:].split("|"))
    elif (filtered := _FILTERED.fullmatch(step)) is not None:
        for value in _listed(node.get(filtered["name"])):
            if isinstance(value, dict) and value.get(filtered["key"]) == filtered["value"]:
                yield value
    elif (first := _FIRST.fullmatch(step)) is not None:
        yield from list(_listed(node.get(first["name"])))[:1]
    else:
        yield from _listed(node.get(step))


def _listed(value: object) -> Iterator[Any]:
    # A primitive list has nulls where only extensions stand.
    for each in value if isinstance(value, list) else (value,):
        if each is not None:
            yield each
