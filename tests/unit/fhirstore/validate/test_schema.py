"""The shapes against an independent library that publishes R4 (4.0.1) itself."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from inspect import getmembers, isclass
from typing import Any

import fhirclient.models
import pytest

from fhirstore.types import PART_TYPES, TYPES
from fhirstore.validate.primitives import CHECKS
from fhirstore.validate.schema import RESOURCE, may_be_inside, shape

# The types that the store holds, and those that are sent to it or by it.
SPOKEN_OF = {*TYPES, "OperationOutcome", "Parameters"}
INSIDE = SPOKEN_OF | set(filter(may_be_inside, PART_TYPES))


def _reached(types: set[str]) -> list[str]:
    """Return every type that those types are made of."""
    open_types, found = sorted(types), dict.fromkeys(sorted(types))
    while open_types:
        for element in shape(open_types.pop()).elements.values():
            if not element.primitive and element.type != RESOURCE and element.type not in found:
                found[element.type] = None
                open_types.append(element.type)
    return list(found)


def _r4_classes() -> Iterator[tuple[str, Any]]:
    for module in pkgutil.iter_modules(fhirclient.models.__path__):
        if not module.name.endswith("_test"):
            yield from getmembers(import_module(f"fhirclient.models.{module.name}"), isclass)


REACHED = _reached(SPOKEN_OF)
REACHED_INSIDE = _reached(INSIDE)
R4 = dict(_r4_classes())


@pytest.mark.parametrize("name", REACHED_INSIDE)
def test_elements_are_those_of_r4(name: str) -> None:
    theirs = {row[1]: row for row in R4[name]().elementProperties()}
    ours = shape(name).elements
    assert ours.keys() == theirs.keys()
    for element in ours.values():
        _, _, _, many, choice, required = theirs[element.name]
        assert element.many == many, element.name
        assert element.choice == choice, element.name
        assert (element.required or shape(name).choices.get(choice, False)) == required, element.name


@pytest.mark.parametrize("name", REACHED_INSIDE)
def test_data_types_are_those_of_r4(name: str) -> None:
    theirs = {row[1]: row[2].__name__ for row in R4[name]().elementProperties()}
    for element in shape(name).elements.values():
        if element.primitive:
            assert element.type in CHECKS
        else:
            assert theirs[element.name].removeprefix("FHIR") == element.type.removeprefix("FHIR")


@pytest.mark.parametrize("name", ["DiagnosticReport", "Observation"])
def test_subject_is_one_whom_r4_names(name: str) -> None:
    assert shape(name).elements["subject"].targets == {"Patient", "Group", "Device", "Location"}


def test_related_person_is_no_member_of_a_group() -> None:
    assert "RelatedPerson" not in shape("GroupMember").elements["entity"].targets


def test_whatever_is_held_may_be_inside_of_something_and_so_may_most_of_r4() -> None:
    assert all(map(may_be_inside, TYPES))
    assert sum(map(may_be_inside, PART_TYPES)) == len(PART_TYPES) - 24
    for name in ("Parameters", "MedicinalProduct", "Evidence", "Quantity", "Nonsense", ""):
        assert not may_be_inside(name)


def test_nothing_but_contained_entries_and_their_outcomes_holds_resources() -> None:
    holding = {
        (name, element.name)
        for name in REACHED_INSIDE
        for element in shape(name).elements.values()
        if element.type == RESOURCE
    }
    assert {place for place in holding if place[1] != "contained"} == {
        ("BundleEntry", "resource"),
        ("BundleEntryResponse", "outcome"),
        ("ParametersParameter", "resource"),
    }


def test_types_of_the_store_reach_every_data_type() -> None:
    assert {"Quantity", "Timing", "Dosage", "ObservationComponent", "ConsentProvision", "Extension"} <= set(
        REACHED
    )
    assert len(REACHED) > 100
