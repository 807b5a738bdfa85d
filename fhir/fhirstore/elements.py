"""Reading elements of a tree by their path, codes and references among them.

http://hl7.org/fhir/R4/datatypes.html#CodeableConcept
http://hl7.org/fhir/R4/references.html#literal

Nothing here raises on a tree of another shape: what is not where it should be is not there.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from posixpath import normpath
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from fhirstore.types import REPEATED, Path

UCUM: Final = "http://unitsofmeasure.org"
"""The system of units: https://ucum.org/ucum"""

_NODES: Final = (dict, list)
_REMEMBERED_ADDRESSES: Final = 256
_META: Final = "meta"
_VERSION: Final = re.compile(r"/_history/[A-Za-z0-9\-.]{1,64}$")
_RELATIVE: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_RESTFUL: Final = re.compile(r"(?P<base>https?://.+)/[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}$")


class Code(NamedTuple):
    """A code and its system, which is empty where the coding names none."""

    system: str
    code: str


def values_at(tree: object, paths: Iterable[Path]) -> list[Any]:
    """Return what stands at any of the paths, in their order; lists are walked through."""
    found: list[Any] = []
    for path in paths:
        reached = [tree]
        for name in path:
            reached = _nested(reached, name[:-1]) if name[-1] == REPEATED else _below(reached, name)
        found += reached
    return found


def _below(nodes: Sequence[Any], name: str) -> list[Any]:
    return [
        value for node in nodes if isinstance(node, dict) and name in node for value in _listed(node[name])
    ]


def _nested(nodes: Sequence[Any], name: str) -> list[Any]:
    """What stands under the name, and under the same name in that, as deep as it goes."""
    found: list[Any] = []
    level = _below(nodes, name)
    while level:
        found += level
        level = _below(level, name)
    return found


def codes_in(values: Iterable[object], system: str = "") -> tuple[Code, ...]:
    """Return the codes of CodeableConcepts, Codings and plain codes, each once.

    Args:
        values: elements of any of these types.
        system: the system that the specification fixes for plain codes.
    """
    found: dict[Code, None] = {}
    for value in values:
        if isinstance(value, str):
            found[Code(system, value)] = None
        elif isinstance(value, dict):
            for coding in _listed(value["coding"]) if "coding" in value else (value,):
                if (code := _code(coding)) is not None:
                    found[code] = None
    return tuple(found)


class _Address(NamedTuple):
    """Where an http address leads: host in small letters, with a port that is not the scheme's own; a plain path."""

    host: str
    path: str


@lru_cache(_REMEMBERED_ADDRESSES)
def _address(text: str) -> _Address | None:
    if text[:4].lower() != "http":
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    named = "" if port in (None, 80, 443) else f":{port}"
    # `normpath` leaves two slashes at the beginning as they are.
    return _Address(f"{parts.hostname.rstrip('.')}{named}", normpath(f"/{unquote(parts.path).lstrip('/')}"))


@dataclass(frozen=True, slots=True)
class References:
    """How references are read where they stand.

    `own` are the base URLs of this service, without a slash at the end. `base` is the one on which a
    relative reference stands: empty for this service, another's for the entries of a Bundle that were
    taken from there.
    """

    own: tuple[str, ...] = ()
    base: str = ""

    def literal(self, reference: str) -> str | None:
        """Return a reference as it is compared: `Type/id` here, else absolute; never with a version.

        None for a reference to a contained resource, which has no identity of its own.
        """
        if reference.startswith("#"):
            return None
        reference = _VERSION.sub("", reference)
        if ":" not in reference:
            if not self.base:
                return reference
            reference = f"{self.base}/{reference}"
        for base in self.own:
            if reference.startswith(f"{base}/"):
                rest = reference[len(base) + 1 :]
                return rest if _RELATIVE.fullmatch(rest) else self._respelt(reference) or rest
        return self._respelt(reference) or reference

    def _respelt(self, reference: str) -> str | None:
        """The `Type/id` of an address that leads here as well, spelt otherwise; None for any other one.

        Scheme, case of the host, port, slashes, dots and escapes: clients and proxies take these away, and so whoever
        follows the reference comes to the record.
        """
        if (address := _address(reference)) is None:
            return None
        for base in self.own:
            here = _address(base)
            if here is not None and here.host == address.host and address.path.startswith(f"{here.path}/"):
                rest = _VERSION.sub("", address.path[len(here.path) + 1 :])
                return rest if _RELATIVE.fullmatch(rest) else None
        return None

    def literals(self, elements: Iterable[object]) -> tuple[str, ...]:
        """Return the literal references of Reference elements, each once; logical ones name nothing."""
        found: dict[str, None] = {}
        for element in elements:
            text = element.get("reference") if isinstance(element, dict) else None
            literal = self.literal(text) if isinstance(text, str) else None
            if literal:
                found[literal] = None
        return tuple(found)

    def within(self, full_url: object) -> "References":
        """Return how references are read inside a Bundle entry of this full URL."""
        match = _RESTFUL.fullmatch(full_url) if isinstance(full_url, str) else None
        if match is None or match["base"] in self.own:
            return References(self.own)
        return References(self.own, match["base"])


def is_address(full_url: object) -> bool:
    """Return whether a Bundle entry of this full URL has an identity: it has none under a `urn:`."""
    return full_url is None or (isinstance(full_url, str) and _RESTFUL.fullmatch(full_url) is not None)


def reference_elements(tree: Mapping[str, Any], skipped: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return every element with a literal reference, except below the root's `skipped` elements."""
    return inside(tree, skipped)[0]


def inside(
    tree: Mapping[str, Any], skipped: Sequence[str] = ()
) -> tuple[list[dict[str, Any]], tuple[Code, ...]]:
    """Return every element with a literal reference, and every code of a named system, wherever it stands.

    One walk for both; the root's `skipped` elements are left out. A quantity names the code of its unit. The
    codes in `meta` are about the record and not of what it says.
    """
    references: list[dict[str, Any]] = []
    codes: dict[Code, None] = {}
    for name, value in tree.items():
        if name not in skipped and isinstance(value, _NODES):
            _collect(value, references, {} if name == _META else codes)
    return references, tuple(codes)


def _collect(
    node: dict[str, Any] | list[Any], references: list[dict[str, Any]], codes: dict[Code, None]
) -> None:
    # Recurses no deeper than the parser let the tree be.
    if isinstance(node, list):
        for value in node:
            if isinstance(value, _NODES):
                _collect(value, references, codes)
        return
    if isinstance(node.get("reference"), str):
        references.append(node)
    system, code = node.get("system"), node.get("code")
    if isinstance(code, str) and isinstance(system, str):
        codes[Code(system, code)] = None
    for value in node.values():
        if isinstance(value, _NODES):
            _collect(value, references, codes)


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else (value,)


def _code(coding: object) -> Code | None:
    if not isinstance(coding, dict):
        return None
    system, code = coding.get("system"), coding.get("code")
    if not isinstance(code, str):
        return None
    return Code(system if isinstance(system, str) else "", code)
