"""The registry against an independent account of the types: the models of fhir.resources.

They are R4B's. Of the types of the registry R4B changed no element that a parameter reads, and no target of
one: what the tables say of R4 is held against them without exceptions.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from fhirstore.registry import COMMON, PARAMETERS
from fhirstore.registry.definition import Definition, Kind
from fhirstore.types import TYPES, Path
from fhirstore.validate.schema import RESOURCE, Element, shape

ALL: Final = [(name, each) for name, rows in PARAMETERS.items() for each in (*COMMON, *rows)]

FITTING: Final[Mapping[Kind, set[str]]] = {
    Kind.DATE: {"date", "dateTime", "instant", "Period", "Timing"},
    Kind.STRING: {"string", "markdown", "HumanName", "Address"},
    Kind.TOKEN: {
        "CodeableConcept",
        "Coding",
        "ContactPoint",
        "Identifier",
        "boolean",
        "code",
        "id",
        "string",
    },
    Kind.REFERENCE: {"Reference", "canonical", RESOURCE},
    Kind.QUANTITY: {"Age", "Duration", "Quantity", "Range", "SampledData"},
    Kind.URI: {"canonical", "uri", "url"},
}


def reached(type_name: str, path: Path) -> Iterator[Element]:
    """The elements at a path; a test of presence is a boolean."""
    at = type_name
    for place, step in enumerate(path):
        if step.startswith("?"):
            for name in step[1:].split("|"):
                assert name in shape(at).elements
            yield Element(step, "boolean")
            return
        match = re.fullmatch(r"(\w+)(?:\[(?:0|(\w+)=\w+)\])?", step)
        assert match is not None, step
        assert match[1] in shape(at).elements, f"{at}.{match[1]}"
        element = shape(at).elements[match[1]]
        if match[2] is not None:
            assert match[2] in shape(element.type).elements
        if place == len(path) - 1:
            yield element
        elif element.type == RESOURCE:
            assert path[place + 1 :] == ()
        at = element.type


def leads(type_name: str, each: Definition) -> list[Element]:
    return [element for path in each.paths for element in reached(type_name, path)]


@pytest.mark.parametrize("type_name, each", ALL, ids=lambda one: getattr(one, "name", one))
def test_every_path_leads_to_elements_of_a_fitting_type(type_name: str, each: Definition) -> None:
    assert each.paths
    found = leads(type_name, each)
    if each.kind is Kind.COMPOSITE:
        assert len(each.components) == 2
        return
    assert len(found) == len(each.paths)
    assert {element.type for element in found} <= FITTING[each.kind]


@pytest.mark.parametrize(
    "type_name, each",
    [(name, each) for name, each in ALL if each.kind is Kind.COMPOSITE],
    ids=lambda one: getattr(one, "name", one),
)
def test_every_component_leads_to_elements_of_a_fitting_type(type_name: str, each: Definition) -> None:
    for path in each.paths:
        whole = [element.type for element in reached(type_name, path)] or [type_name]
        for component in each.components:
            assert component.kind is not Kind.COMPOSITE
            for beneath in component.paths:
                assert {element.type for element in reached(whole[0], beneath)} <= FITTING[component.kind]


@pytest.mark.parametrize(
    "type_name, each",
    [(name, each) for name, each in ALL if each.kind is Kind.REFERENCE],
    ids=lambda one: getattr(one, "name", one),
)
def test_every_target_is_one_that_the_element_may_refer_to(type_name: str, each: Definition) -> None:
    allowed = [element.targets for element in leads(type_name, each)]
    assert len(set(each.targets)) == len(each.targets)
    if all(allowed):
        assert set(each.targets) <= frozenset().union(*allowed)
        assert each.targets


@pytest.mark.parametrize("type_name", PARAMETERS)
def test_no_parameter_is_named_twice(type_name: str) -> None:
    names = [each.name for each in (*COMMON, *PARAMETERS[type_name])]
    assert len(set(names)) == len(names)


def test_every_type_that_is_held_has_a_table() -> None:
    assert TYPES.keys() <= PARAMETERS.keys()
