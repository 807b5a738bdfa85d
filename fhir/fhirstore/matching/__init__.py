"""Search parameters against a record's own elements: one module per parameter type.

http://hl7.org/fhir/R4/search.html

Pure functions over the tree of a record. A parameter's values are read once, when its matcher is made; the
matcher then looks at one record in microseconds, and raises on none.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from fhirstore.matching.composite import composite_test
from fhirstore.matching.date import date_sort_value, date_test
from fhirstore.matching.missing import missing_matcher
from fhirstore.matching.model import (
    MOST_VALUES,
    Context,
    Matches,
    NeedsTerminology,
    SortValue,
    TooManyValues,
    Tree,
    UnfitModifier,
    any_element,
)
from fhirstore.matching.number import number_sort_value, number_test
from fhirstore.matching.quantity import quantity_sort_value, quantity_test
from fhirstore.matching.reference import (
    literals_named,
    reference_sort_value,
    reference_test,
    references_of,
)
from fhirstore.matching.string import string_matcher, string_sort_value
from fhirstore.matching.token import token_matcher, token_sort_value
from fhirstore.matching.uri import uri_sort_value, uri_test
from fhirstore.parameters import Kind, SearchParameter
from fhirstore.registry.reading import elements_at

__all__ = [
    "MOST_VALUES",
    "Context",
    "Matches",
    "NeedsTerminology",
    "SortValue",
    "TooManyValues",
    "Tree",
    "UnfitModifier",
    "matcher",
    "named_targets",
    "references",
    "sort_value",
]

MatcherOf = Callable[[SearchParameter, str | None, Sequence[str], Context], Matches]


def matcher(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: Context
) -> Matches:
    """Return whether a record matches a parameter with any of the values.

    Args:
        parameter: what is searched.
        modifier: without its colon.
        values: the alternatives, still escaped.
        context: the zone, base URLs and moment of the search.

    Raises:
        TooManyValues: more than `MOST_VALUES` alternatives.
        UnknownModifier: one that the parameter's type has not, or that needs a terminology server.
        UnknownPrefix: a prefix that the parameter's type has not.
        BadValue: a value that cannot be read.
    """
    if len(values) > MOST_VALUES:
        raise TooManyValues(parameter.name, len(values))
    if modifier == "missing":
        return missing_matcher(parameter, values)
    return _MATCHERS[parameter.kind](parameter, modifier, values, context)


def sort_value(
    parameter: SearchParameter, tree: Tree, context: Context, *, descending: bool
) -> SortValue | None:
    """Return what a record is sorted by: its lowest value, or the highest when descending.

    Dates count by their start upwards and by their end downwards; texts folded; tokens by code; quantities
    in base units. None where the record has no such element, and for composites, which have no order.
    """
    value_of = _SORT_VALUES.get(parameter.kind)
    if value_of is None:
        return None
    found = [
        value
        for element in elements_at(tree, parameter.paths)
        if (value := value_of(element, context, descending)) is not None
    ]
    return _extreme(found, descending=descending)


def references(parameter: SearchParameter, tree: Tree, context: Context) -> tuple[str, ...]:
    """Return `Type/id` of every record here that a reference parameter leads to, each once."""
    return tuple(dict.fromkeys(references_of(parameter, elements_at(tree, parameter.paths), context)))


def named_targets(
    parameter: SearchParameter, values: Sequence[str], context: Context, modifier: str | None
) -> tuple[str, ...]:
    """Return the literal references of which a record must have one to match; () if that cannot be said.

    Raises:
        UnknownModifier: one that no reference has.
        BadValue: a value that names nothing.
    """
    return literals_named(parameter, modifier, values, context)


def _of_elements(
    test: Callable[[SearchParameter, str | None, Sequence[str], Context], Callable[[Any], bool]],
) -> MatcherOf:
    def of_elements(
        parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: Context
    ) -> Matches:
        return any_element(parameter, test(parameter, modifier, values, context))

    return of_elements


def _extreme(values: Sequence[Any], *, descending: bool) -> Decimal | datetime | str | None:
    if not values:
        return None
    extreme: SortValue = max(values) if descending else min(values)
    return extreme


_MATCHERS: Final[Mapping[Kind, MatcherOf]] = MappingProxyType(
    {
        Kind.NUMBER: _of_elements(number_test),
        Kind.DATE: _of_elements(date_test),
        Kind.STRING: string_matcher,
        Kind.TOKEN: token_matcher,
        Kind.REFERENCE: _of_elements(reference_test),
        Kind.COMPOSITE: _of_elements(composite_test),
        Kind.QUANTITY: _of_elements(quantity_test),
        Kind.URI: _of_elements(uri_test),
    }
)

_SORT_VALUES: Final[Mapping[Kind, Callable[[Any, Context, bool], SortValue | None]]] = MappingProxyType(
    {
        Kind.NUMBER: lambda element, _context, _down: number_sort_value(element),
        Kind.DATE: lambda element, context, down: date_sort_value(element, context, descending=down),
        Kind.STRING: lambda element, _context, _down: string_sort_value(element),
        Kind.TOKEN: lambda element, _context, _down: token_sort_value(element),
        Kind.REFERENCE: lambda element, context, _down: reference_sort_value(element, context),
        Kind.QUANTITY: lambda element, _context, _down: quantity_sort_value(element),
        Kind.URI: lambda element, _context, _down: uri_sort_value(element),
    }
)
