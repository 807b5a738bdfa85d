"""Reference parameters: to records here, to records elsewhere, and to canonical URLs.

http://hl7.org/fhir/R4/search.html#reference
http://hl7.org/fhir/R4/search.html#versions

A reference is compared without the version of the record that it names. A canonical URL is found with its
business version only by that version, and without by every version.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhirstore.elements import References
from fhirstore.matching.escaping import unescaped
from fhirstore.matching.model import Context, ElementMatches, UnfitModifier
from fhirstore.matching.token import element_test, wanted_tokens
from fhirstore.parameters import SearchParameter
from fhirstore.search.test import BadValue
from fhirstore.types import TYPES

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_LOCAL: Final = re.compile(r"(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}")
_ANYWHERE: Final = re.compile(r"(?:.*/)?(?P<type>[A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}", re.DOTALL)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.\-]*:.+", re.DOTALL)
_EXPECTED: Final = "`Type/id`, an id or a URL"

CANONICAL: Final = frozenset({"instantiatesCanonical", "questionnaire", "supplements"})
"""Elements that name a record by its canonical URL, and so do not stand among a record's references."""

_NESTED: Final = "resource"


@dataclass(frozen=True, slots=True)
class _Named:
    """What a search names: literal references, ids of any type, and canonical URLs."""

    literals: frozenset[str]
    ids: frozenset[str]

    def has(self, literal: str) -> bool:
        if literal in self.literals:
            return True
        return bool(self.ids) and _LOCAL.fullmatch(literal) is not None and _id_of(literal) in self.ids

    def has_canonical(self, url: str) -> bool:
        return url in self.literals or url.partition("|")[0] in self.literals


def reference_test(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: Context
) -> ElementMatches:
    """Return whether a reference leads to one of the values.

    Raises:
        UnfitModifier: another modifier than a type and `:identifier`, or, of canonical URLs, `:below`.
        BadValue: a value that names nothing.
    """
    if modifier == "identifier" and not _reads(parameter, CANONICAL):
        return _identifier_test(parameter, values)
    if modifier == "below" and _reads(parameter, CANONICAL):
        return _versions_test(parameter, values)
    named = _read(parameter, modifier, values, context)
    literal_of = _literals(context)
    targets = parameter.targets

    def matches(element: Any) -> bool:
        literal = literal_of(element)
        if literal is None:
            return False
        if isinstance(element, str) and named.has_canonical(literal):
            return True
        return named.has(literal) and _allowed(literal, targets)

    return matches


def references_of(parameter: SearchParameter, elements: Sequence[Any], context: Context) -> Iterator[str]:
    """Return `Type/id` of every record here that the elements lead to."""
    literal_of = _literals(context)
    for element in elements:
        literal = literal_of(element)
        if literal and _LOCAL.fullmatch(literal) and _allowed(literal, parameter.targets):
            yield literal


def literals_named(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: Context
) -> tuple[str, ...]:
    """Return every literal reference by which a record could match; none if that cannot be said."""
    if modifier in ("identifier", "below", "missing", "not"):
        return ()
    if _reads(parameter, CANONICAL | {_NESTED}):
        return ()
    named = _read(parameter, modifier, values, context)
    return () if named.ids else tuple(sorted(named.literals))


def leads_to(element: Any, targets: Sequence[str]) -> bool:
    """Return whether an element can be a reference to one of the types; all can where none is given."""
    if not targets or not isinstance(element, dict):
        return True
    literal = element.get("reference")
    if isinstance(literal, str):
        return _allowed(References().literal(literal) or "", targets)
    type_ = element.get("type", element.get("resourceType"))
    return not isinstance(type_, str) or type_ in targets


def reference_sort_value(element: Any, context: Context) -> str | None:
    """Return the reference by which an element is sorted."""
    return _literals(context)(element)


def _read(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: Context
) -> _Named:
    if modifier is not None and (modifier not in TYPES or modifier not in (parameter.targets or TYPES)):
        types = parameter.targets or ("[type]",)
        other = "below" if _reads(parameter, CANONICAL) else "identifier"
        raise UnfitModifier(parameter, modifier, (*types, other, "missing"))
    literals: set[str] = set()
    ids: set[str] = set()
    for value in map(unescaped, values):
        if _ID.fullmatch(value) is None:
            literals.add(_literal(parameter, modifier, value, context))
        elif types := (modifier,) if modifier else parameter.targets:
            literals |= {f"{type_}/{value}" for type_ in types}
        else:
            ids.add(value)
    return _Named(frozenset(literals), frozenset(ids))


def _literal(parameter: SearchParameter, modifier: str | None, value: str, context: Context) -> str:
    literal = References(context.base_urls).literal(value)
    local = _LOCAL.fullmatch(literal or "")
    if not literal or (local is None and _SCHEME.fullmatch(literal) is None):
        raise BadValue(parameter.name, _EXPECTED)
    if modifier is not None and (local is None or local["type"] != modifier):
        raise BadValue(f"{parameter.name}:{modifier}", f"the id of a record of type {modifier}")
    return literal


def _literals(context: Context) -> Callable[[Any], str | None]:
    read = References(context.base_urls).literal

    def literal_of(element: Any) -> str | None:
        if isinstance(element, dict):
            reference = element.get("reference")
            if reference is None and isinstance(type_ := element.get("resourceType"), str):
                # A record that stands inside another, as in the first entry of a document.
                reference = f"{type_}/{element.get('id', '')}"
            element = reference
        return read(element) or None if isinstance(element, str) else None

    return literal_of


def _identifier_test(parameter: SearchParameter, values: Sequence[str]) -> ElementMatches:
    matches = element_test(wanted_tokens(parameter.name, values))

    def identified(element: Any) -> bool:
        return (
            isinstance(element, dict)
            and isinstance(identifier := element.get("identifier"), dict)
            and matches(identifier)
            and leads_to(element, parameter.targets)
        )

    return identified


def _versions_test(parameter: SearchParameter, values: Sequence[str]) -> ElementMatches:
    sought = [unescaped(value).partition("|") for value in values]
    if not all(_SCHEME.fullmatch(url) for url, _, _ in sought):
        raise BadValue(f"{parameter.name}:below", "a canonical URL")

    def matches(element: Any) -> bool:
        if not isinstance(element, str):
            return False
        url, _, version = element.partition("|")
        return any(
            url == wanted and (not upper or version == upper or version.startswith(f"{upper}."))
            for wanted, _, upper in sought
        )

    return matches


def _reads(parameter: SearchParameter, elements: Collection[str]) -> bool:
    return any(step in elements for path in parameter.paths for step in path[-1:])


def _allowed(literal: str, targets: Sequence[str]) -> bool:
    if not targets:
        return True
    match = _ANYWHERE.fullmatch(literal)
    return match is None or match["type"] in targets


def _id_of(literal: str) -> str:
    return literal.rpartition("/")[2]
