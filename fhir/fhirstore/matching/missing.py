"""`:missing`: whether a record says anything where a parameter reads.

http://hl7.org/fhir/R4/search.html#missing

An element of which only extensions are given has no value.
"""

from collections.abc import Sequence
from typing import Any

from fhirstore.matching.model import Matches, Tree
from fhirstore.matching.reference import leads_to
from fhirstore.parameters import Kind, SearchParameter
from fhirstore.registry.reading import elements_at
from fhirstore.search.test import BadValue


def missing_matcher(parameter: SearchParameter, values: Sequence[str]) -> Matches:
    """Return whether a record has no value, or has one, as the one searched value says.

    Raises:
        BadValue: anything but `true` or `false`.
    """
    if len(values) != 1 or values[0] not in ("true", "false"):
        raise BadValue(f"{parameter.name}:missing", "`true` or `false`")
    wanted = values[0] == "true"

    def found(tree: Tree) -> bool:
        return has_value(parameter, tree) is not wanted

    return found


def has_value(parameter: SearchParameter, tree: Tree) -> bool:
    """Return whether a record has a value of the parameter."""
    elements = (element for element in elements_at(tree, parameter.paths) if _says(element))
    if parameter.kind is Kind.COMPOSITE:
        return any(
            all(any(map(_says, elements_at(element, each.paths))) for each in parameter.components)
            for element in elements
        )
    if parameter.kind is Kind.REFERENCE:
        return any(leads_to(element, parameter.targets) for element in elements)
    return any(True for _ in elements)


def _says(element: Any) -> bool:
    return not isinstance(element, dict) or any(name not in ("extension", "id") for name in element)
