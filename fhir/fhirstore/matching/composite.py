"""Composite parameters: values that must hold together in one element.

http://hl7.org/fhir/R4/search.html#composite
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from fhirstore.matching.date import date_test
from fhirstore.matching.escaping import split
from fhirstore.matching.model import Context, ElementMatches, expect_modifier
from fhirstore.matching.number import number_test
from fhirstore.matching.quantity import quantity_test
from fhirstore.matching.reference import reference_test
from fhirstore.matching.string import string_test
from fhirstore.matching.token import token_test
from fhirstore.matching.uri import uri_test
from fhirstore.parameters import Component, Kind, SearchParameter
from fhirstore.registry.reading import elements_at
from fhirstore.search.test import BadValue

ElementTest = Callable[[SearchParameter, str | None, Sequence[str], Context], ElementMatches]

ELEMENT_TESTS: Final[Mapping[Kind, ElementTest]] = MappingProxyType(
    {
        Kind.NUMBER: number_test,
        Kind.DATE: date_test,
        Kind.STRING: string_test,
        Kind.TOKEN: token_test,
        Kind.REFERENCE: reference_test,
        Kind.QUANTITY: quantity_test,
        Kind.URI: uri_test,
    }
)
"""How each type of parameter, but a composite, looks at one element."""


def composite_test(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: Context
) -> ElementMatches:
    """Return whether one element has all parts of one of the values.

    Raises:
        UnfitModifier: any modifier.
        BadValue: another number of parts than the parameter has, or a part that cannot be read.
    """
    expect_modifier(parameter, modifier)
    alternatives = [_parts(parameter, value, context) for value in values]

    def matches(element: Any) -> bool:
        return any(
            all(
                any(map(part_matches, elements_at(element, component.paths)))
                for component, part_matches in parts
            )
            for parts in alternatives
        )

    return matches


def _parts(
    parameter: SearchParameter, value: str, context: Context
) -> list[tuple[Component, ElementMatches]]:
    parts = split(value, "$")
    if len(parts) != len(parameter.components):
        raise BadValue(parameter.name, f"{len(parameter.components)} values joined by `$`")
    return [
        (component, _component_test(parameter, component, part, context))
        for component, part in zip(parameter.components, parts, strict=True)
    ]


def _component_test(
    parameter: SearchParameter, component: Component, part: str, context: Context
) -> ElementMatches:
    of_component = replace(parameter, kind=component.kind, paths=component.paths, targets=(), components=())
    return ELEMENT_TESTS[component.kind](of_component, None, [part], context)
