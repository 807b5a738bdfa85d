"""What the CapabilityStatement says, and that it is what the code does.

http://hl7.org/fhir/R4/capabilitystatement.html
"""

import re
from pathlib import Path
from typing import Any, Final

import pytest
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from fhirstore.parameters import Kind, parameters_of
from fhirstore.registry import COMMON
from fhirstore.types import types_of
from passport import interactions
from passport.interactions import ON_THE_SYSTEM, ON_TYPES, ROUTES
from passport.main import create_app
from passport.operations import OPERATIONS, Level, OperationDefinition
from passport.routes.metadata import statement
from passport.settings import Mode, Settings

Json = dict[str, Any]
OF_THE_SERVICE: Final = ("read", "search-type")


def stated(mode: Mode = "production") -> Json:
    return statement(Settings(state=Path("none"), key_file=Path("none"), mode=mode))


def resources(mode: Mode = "production") -> dict[str, Json]:
    return {row["type"]: row for row in stated(mode)["rest"][0]["resource"]}


@pytest.fixture(scope="module")
def served() -> set[tuple[str, str]]:
    """Method and address of every route, the names of its parameters left out."""
    paths = create_app(Settings(state=Path("none"), key_file=Path("none"))).openapi()["paths"]
    return {(method.upper(), anonymous(path)) for path, methods in paths.items() for method in methods}


def anonymous(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


@pytest.mark.parametrize("mode", ["production", "sandbox"])
def test_statement_is_a_valid_one(mode: Mode) -> None:
    CapabilityStatement.model_validate(stated(mode))


def test_every_interaction_stands_in_the_table_with_its_address() -> None:
    assert ROUTES.keys() == ON_TYPES.keys() | ON_THE_SYSTEM.keys()


def test_what_all_types_are_searched_by_is_stated() -> None:
    (rest,) = stated()["rest"]
    named = [each["name"] for each in rest["searchParam"]]
    assert named == ["_type", *(each.name for each in COMMON)]
    every = [parameters_of(name) for name, row in types_of(sandbox=True).items() if row.writable]
    assert all(name in known for known in every for name in named[1:])


@pytest.mark.parametrize("code", ROUTES)
def test_interaction_is_stated_if_it_has_a_route(code: str, served: set[tuple[str, str]]) -> None:
    method, path = ROUTES[code]
    assert {**ON_TYPES, **ON_THE_SYSTEM}[code] == ((method, anonymous(path)) in served)


def test_formats_of_patches_are_stated_if_patches_are_carried_out() -> None:
    assert bool(interactions.PATCH_FORMATS) == ON_TYPES["patch"]


def levels(operation: OperationDefinition) -> set[tuple[str, Level]]:
    types = operation.types or ("{}",)
    return {("" if level == "system" else name, level) for level in operation.levels for name in types}


def test_operation_is_stated_if_it_has_a_route(served: set[tuple[str, str]]) -> None:
    asked: dict[str, set[tuple[str, Level]]] = {}
    for _, path in served:
        match = re.fullmatch(r"/fhir(?:/([A-Z]\w*|\{\}))?(/\{\})?/\$([\w-]+)", path)
        if match is not None:
            level: Level = "instance" if match[2] else "type" if match[1] else "system"
            asked.setdefault(match[3], set()).add((match[1] or "", level))
    assert {each.name: levels(each) for each in OPERATIONS} == asked


@pytest.mark.parametrize("mode", ["production", "demo", "sandbox"])
def test_types_are_those_that_the_installation_holds(mode: Mode) -> None:
    assert list(resources(mode)) == list(types_of(sandbox=mode == "sandbox"))


def test_what_suites_alone_need_is_not_stated_outside_of_a_sandbox() -> None:
    assert not {"CodeSystem", "ValueSet"} & resources().keys()
    assert {"CodeSystem", "ValueSet"} <= resources("sandbox").keys()


def test_log_is_read_and_searched_alone() -> None:
    log = resources()["AuditEvent"]
    assert [each["code"] for each in log["interaction"]] == list(OF_THE_SERVICE)
    assert (log["versioning"], log["readHistory"], log["updateCreate"]) == ("no-version", False, False)
    assert (log["conditionalCreate"], log["conditionalDelete"]) == (False, "not-supported")
    assert [each["name"] for each in log["searchParam"]] == list(parameters_of("AuditEvent"))


def test_an_update_is_said_to_create_where_callers_name_records() -> None:
    creating = [name for name, row in resources().items() if row["updateCreate"]]
    assert "Organization" in creating
    assert "Patient" in creating
    assert "Observation" not in creating
    assert resources("sandbox")["Observation"]["updateCreate"]


@pytest.mark.parametrize("type_name", types_of(sandbox=False))
def test_parameters_of_a_type_are_those_that_it_is_searched_by(type_name: str) -> None:
    row = resources()[type_name]
    told = {each["name"]: each["type"] for each in row["searchParam"]}
    assert told == {each.name: each.kind.name.lower() for each in parameters_of(type_name).values()}


def test_compartment_is_stated_if_it_has_a_route(served: set[tuple[str, str]]) -> None:
    (rest,) = stated()["rest"]
    assert rest["compartment"] == ["http://hl7.org/fhir/CompartmentDefinition/patient"]
    assert ("GET", "/fhir/Patient/{}/{}") in served


@pytest.mark.parametrize("type_name", types_of(sandbox=False))
def test_links_of_a_type_are_its_reference_parameters(type_name: str) -> None:
    row = resources()[type_name]
    links = [
        f"{type_name}:{each.name}"
        for each in parameters_of(type_name).values()
        if each.kind is Kind.REFERENCE and type_name != "AuditEvent"
    ]
    assert row.get("searchInclude", []) == (links if interactions.INCLUDES else [])


def test_links_to_a_type_are_those_that_may_lead_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interactions, "INCLUDES", True)
    told = resources()
    assert {"Observation:patient", "Observation:subject", "Task:subject", "Appointment:actor"} <= set(
        told["Patient"]["searchRevInclude"]
    )
    assert "Observation:subject" not in told["Practitioner"]["searchRevInclude"]
    assert "Observation:patient" in told["Observation"]["searchInclude"]
    assert not any(link.startswith("AuditEvent:") for row in told.values() for link in links_in(row))
    # The log has a search of its own, which brings nothing along.
    assert links_in(told["AuditEvent"]) == []


def links_in(row: Json) -> list[str]:
    return [*row.get("searchInclude", ()), *row.get("searchRevInclude", ())]


def test_nothing_is_stated_as_an_empty_list() -> None:
    def lists(node: object) -> list[list[Any]]:
        if isinstance(node, dict):
            return [found for value in node.values() for found in lists(value)]
        if isinstance(node, list):
            return [node, *(found for value in node for found in lists(value))]
        return []

    assert all(lists(stated()))
