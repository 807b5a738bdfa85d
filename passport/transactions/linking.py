"""References between the entries of a Bundle: temporary names and conditions become what is stored.

http://hl7.org/fhir/R4/http.html#trules
http://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

_CONDITIONAL: Final = re.compile(r"(?P<type>[A-Z][A-Za-z]*)\?(?P<query>.+)")
_VERSIONED: Final = re.compile(r"(?P<bare>.+)/_history/[A-Za-z0-9.-]{1,64}")
_LINK: Final = re.compile(r"""((?:href|src)=["'])((?:urn:(?:uuid|oid):|https?://)[^"']{1,500})(["'])""")
# Elements of type uri, url, oid or uuid, by the names that they have in resources.
_URIS: Final = frozenset(
    {
        "contentUrl",
        "endpoint",
        "instantiatesUri",
        "policy",
        "uri",
        "url",
        "valueOid",
        "valueUri",
        "valueUrl",
        "valueUuid",
    }
)
_TEMPORARY: Final = ("urn:uuid:", "urn:oid:")

Named = Mapping[str, str]
"""`Type/id` by the fullUrl, or the conditional reference, that stands for it."""


def conditional_references(tree: Any) -> Iterator[tuple[str, str, str]]:
    """Every reference that is a condition: as it is written, its type, its query."""
    for inside in _objects(tree):
        written = inside.get("reference")
        found = _CONDITIONAL.fullmatch(written) if isinstance(written, str) else None
        if found is not None:
            yield found[0], found["type"], found["query"]


def refers_to_any(tree: Any, names: Collection[str]) -> bool:
    """Whether a reference in the tree is one of these names."""
    written = (inside.get("reference") for inside in _objects(tree))
    return any(isinstance(one, str) and one in names for one in written)


def unanswered(tree: Any) -> str | None:
    """The first reference that is a temporary name still, after those of the entries were replaced."""
    written = (inside.get("reference") for inside in _objects(tree))
    return next((one for one in written if isinstance(one, str) and one.startswith(_TEMPORARY)), None)


def place_of(tree: Any, written: str, under: str) -> str:
    """Where a reference stands first in the tree that is at `under`, such as `….hasMember[0].reference`."""
    waiting = [(tree, under)]
    while waiting:
        one, place = waiting.pop()
        if isinstance(one, dict):
            if one.get("reference") == written:
                return f"{place}.reference"
            waiting += ((inside, f"{place}.{name}") for name, inside in reversed(one.items()))
        elif isinstance(one, list):
            waiting += ((inside, f"{place}[{at}]") for at, inside in reversed(list(enumerate(one))))
    return under


def _objects(tree: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += reversed(one.values())
        elif isinstance(one, list):
            waiting += reversed(one)


def linked(tree: Any, named: Named, base: str) -> Any:
    """A copy of the tree with what stands for an entry replaced by its reference.

    `base` is where the entry's own fullUrl lies, without its type and id: relative references start there.
    """
    if isinstance(tree, dict):
        return {name: _linked_element(name, value, named, base) for name, value in tree.items()}
    return tree


def _linked_element(name: str, value: Any, named: Named, base: str) -> Any:
    if isinstance(value, list):
        return [_linked_element(name, one, named, base) for one in value]
    if not isinstance(value, str):
        return linked(value, named, base)
    if name == "reference":
        return _reference(value, named, base)
    if name in _URIS:
        return named.get(value, value)
    if name == "div":
        return _LINK.sub(lambda link: f"{link[1]}{named.get(link[2], link[2])}{link[3]}", value)
    return value


def _reference(written: str, named: Named, base: str) -> str:
    versioned = _VERSIONED.fullmatch(written)
    bare = versioned["bare"] if versioned else written
    for known in (written, bare, f"{base}{bare}"):
        if known in named:
            return named[known]
    return written


def base_of(full_url: str | None, type_name: str) -> str:
    """What a relative reference in an entry of this fullUrl is relative to; empty where it is to nothing."""
    head, found, _ = (full_url or "").rpartition(f"/{type_name}/")
    return f"{head}/" if found else ""
