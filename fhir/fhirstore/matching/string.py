"""String parameters: texts, and the texts of names and addresses.

http://hl7.org/fhir/R4/search.html#string
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from fhirstore.matching.escaping import unescaped
from fhirstore.matching.folding import beginnings, folded
from fhirstore.matching.model import Context, ElementMatches, Matches, Tree, expect_modifier
from fhirstore.parameters import SearchParameter
from fhirstore.registry.reading import elements_at
from fhirstore.search.test import BadValue

_FAMILY: Final = "family"
# Of HumanName and Address; what is no text in them (`use`, `period`) is not searched.
_NAME: Final = ("text", "prefix", "given", "suffix")
_ADDRESS: Final = ("line", "city", "district", "state", "postalCode", "country")

TextMatches = Callable[[str], bool]


def string_matcher(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], _context: Context
) -> Matches:
    """Return whether a record has a text that begins with, contains or is one of the values.

    A family name of several words is found by each of them.

    Raises:
        UnfitModifier: another modifier than `:exact` and `:contains`.
        BadValue: a value of which nothing is left to compare.
    """
    expect_modifier(parameter, modifier, "exact", "contains")
    matches, family_matches = _tests(parameter, modifier, values)
    plain = tuple(path for path in parameter.paths if path[-1:] != (_FAMILY,))
    family = tuple(path for path in parameter.paths if path[-1:] == (_FAMILY,))

    def found(tree: Tree) -> bool:
        return any(element_matches(each) for each in elements_at(tree, plain)) or any(
            isinstance(each, str) and family_matches(each) for each in elements_at(tree, family)
        )

    def element_matches(element: Any) -> bool:
        if isinstance(element, dict) and isinstance(name := element.get(_FAMILY), str):
            return family_matches(name) or any(map(matches, texts(element)))
        return any(map(matches, texts(element)))

    return found


def begins_with(name: str, values: Sequence[str]) -> TextMatches:
    """Return whether a text begins with one of the values, both folded.

    Raises:
        BadValue: a value of which folding leaves nothing.
    """
    sought = tuple(_folded(name, value) for value in values)
    return lambda text: folded(text).startswith(sought)


def texts(element: Any) -> Iterator[str]:
    """Return the text of a string, or the texts of a HumanName or Address but for the family name."""
    if isinstance(element, str):
        yield element
    elif isinstance(element, dict):
        for part in (*_NAME, *_ADDRESS):
            yield from _strings(element.get(part))


def string_test(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: Context
) -> ElementMatches:
    """Return whether an element has a text that matches, for the components of a composite."""
    expect_modifier(parameter, modifier)
    matches = begins_with(parameter.name, values)
    return lambda element: any(map(matches, texts(element)))


def string_sort_value(element: Any) -> str | None:
    """Return the folded text by which an element is sorted: a name by family, then given names."""
    if isinstance(element, dict):
        named = [*_strings(element.get(_FAMILY)), *_strings(element.get("given"))]
        element = " ".join(named or _strings(element.get("text")) or texts(element))
    return folded(element) or None if isinstance(element, str) else None


def _tests(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str]
) -> tuple[TextMatches, TextMatches]:
    if modifier == "exact":
        exactly = frozenset(map(unescaped, values))
        return exactly.__contains__, exactly.__contains__
    sought = tuple(_folded(parameter.name, value) for value in values)
    if modifier == "contains":

        def contains(text: str) -> bool:
            within = folded(text)
            return any(one in within for one in sought)

        return contains, contains
    return begins_with(parameter.name, values), lambda text: any(
        beginning.startswith(sought) for beginning in beginnings(text)
    )


def _folded(name: str, value: str) -> str:
    text = folded(unescaped(value))
    if not text:
        raise BadValue(name, "a text with letters or digits")
    return text


def _strings(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else (value,)) if isinstance(each, str)]
