"""Number parameters.

http://hl7.org/fhir/R4/search.html#number
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fhirstore.matching.decimals import Span, exact, read_number
from fhirstore.matching.model import Context, ElementMatches, expect_modifier
from fhirstore.parameters import SearchParameter


def number_test(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], _context: Context
) -> ElementMatches:
    """Return whether a number stands to one of the values as its prefix says.

    Raises:
        UnfitModifier: any modifier.
        BadValue: a value that is no number.
        UnknownPrefix: a prefix that no such value has.
    """
    expect_modifier(parameter, modifier)
    sought = [read_number(parameter.name, value) for value in values]

    def matches(element: Any) -> bool:
        value = exact(element)
        if value is None:
            return False
        point = Span.point(value)
        return any(one.matches(point) for one in sought)

    return matches


def number_sort_value(element: Any) -> Decimal | None:
    """Return the number by which an element is sorted."""
    return None if exact(element) is None else Decimal(element)
