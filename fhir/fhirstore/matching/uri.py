"""URI parameters: the whole URI, or one above or below it.

http://hl7.org/fhir/R4/search.html#uri
"""

from collections.abc import Sequence
from typing import Any, Final

from fhirstore.matching.escaping import unescaped
from fhirstore.matching.model import Context, ElementMatches, expect_modifier
from fhirstore.parameters import SearchParameter
from fhirstore.search.test import BadValue

_URLS: Final = ("http://", "https://")


def uri_test(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], _context: Context
) -> ElementMatches:
    """Return whether a URI is one of the values, or stands above or below one.

    A canonical URL that a record gives with its version is found by the URL alone too.

    Raises:
        UnfitModifier: another modifier than `:above` and `:below`.
        BadValue: `:above` or `:below` of anything but a URL; an empty value.
    """
    expect_modifier(parameter, modifier, "above", "below")
    sought = tuple(map(unescaped, values))
    if not all(sought):
        raise BadValue(parameter.name, "a URI")
    if modifier is None:
        return lambda element: (
            isinstance(element, str) and (element in sought or element.partition("|")[0] in sought)
        )
    if not all(value.startswith(_URLS) for value in sought):
        raise BadValue(parameter.name, f"a URL, since `:{modifier}` is of URLs alone")
    if modifier == "below":
        return lambda element: isinstance(element, str) and element.startswith(sought)
    return lambda element: (
        isinstance(element, str)
        and element.startswith(_URLS)
        and any(value.startswith(element) for value in sought)
    )


def uri_sort_value(element: Any) -> str | None:
    """Return the URI by which an element is sorted."""
    return element if isinstance(element, str) else None
