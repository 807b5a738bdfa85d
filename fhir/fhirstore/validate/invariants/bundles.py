"""The rules of a Bundle.

http://hl7.org/fhir/R4/bundle.html#invs
"""

from typing import Final

from fhirstore.elements import values_at
from fhirstore.validate.invariants.rule import Kept, Node

_REQUESTS: Final = frozenset({"batch", "transaction", "history"})
_RESPONSES: Final = frozenset({"batch-response", "transaction-response", "history"})


def _entries(bundle: Node) -> list[Node]:
    return [entry for entry in values_at(bundle, (("entry",),)) if isinstance(entry, dict)]


def _only_in(name: str, *types: str) -> Kept:
    """Keep that `name` stands in a Bundle of these types alone."""
    return lambda bundle: name not in bundle or bundle.get("type") in types


def _entries_with(name: str, types: frozenset[str]) -> Kept:
    """Keep that every entry has `name` in Bundles of these types, and none in others."""
    return lambda bundle: all(
        (name in entry) == (str(bundle.get("type")) in types) for entry in _entries(bundle)
    )


def _search_only_in_searchset(bundle: Node) -> bool:
    return bundle.get("type") == "searchset" or all("search" not in entry for entry in _entries(bundle))


def _full_urls_differ(bundle: Node) -> bool:
    if bundle.get("type") == "history":
        return True
    named = [
        (entry["fullUrl"], str(values_at(entry, (("resource", "meta", "versionId"),))))
        for entry in _entries(bundle)
        if isinstance(entry.get("fullUrl"), str)
    ]
    return len(set(named)) == len(named)


def _document_has(*path: str) -> Kept:
    return lambda bundle: bundle.get("type") != "document" or bool(values_at(bundle, (path,)))


def _document_is_identified(bundle: Node) -> bool:
    return all(_document_has("identifier", part)(bundle) for part in ("system", "value"))


def _begins_with(kind: str, type_name: str) -> Kept:
    """Keep that Bundles of this type hold a resource of that type first."""

    def kept(bundle: Node) -> bool:
        if bundle.get("type") != kind:
            return True
        first = _entries(bundle)[:1]
        return values_at(first[0], (("resource", "resourceType"),)) == [type_name] if first else False

    return kept


def _says_something(entry: Node) -> bool:
    return any(name in entry for name in ("resource", "request", "response"))


def _has_no_version(entry: Node) -> bool:
    return "/_history/" not in str(entry.get("fullUrl", ""))


BUNDLE: Final[tuple[tuple[str, str, Kept], ...]] = (
    ("bdl-1", "expected a total only of a searchset or history", _only_in("total", "searchset", "history")),
    ("bdl-2", "expected entry.search only in a searchset", _search_only_in_searchset),
    (
        "bdl-3",
        "expected entry.request exactly in a batch, transaction or history",
        _entries_with("request", _REQUESTS),
    ),
    (
        "bdl-4",
        "expected entry.response exactly in a response or history",
        _entries_with("response", _RESPONSES),
    ),
    ("bdl-7", "expected every fullUrl once", _full_urls_differ),
    ("bdl-9", "expected an identifier with system and value of a document", _document_is_identified),
    ("bdl-10", "expected a timestamp of a document", _document_has("timestamp")),
    ("bdl-11", "expected a Composition first in a document", _begins_with("document", "Composition")),
    ("bdl-12", "expected a MessageHeader first in a message", _begins_with("message", "MessageHeader")),
)
BUNDLE_ENTRY: Final[tuple[tuple[str, str, Kept], ...]] = (
    ("bdl-5", "expected a resource, a request or a response", _says_something),
    ("bdl-8", "expected a fullUrl without a version", _has_no_version),
)
