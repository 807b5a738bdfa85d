"""FHIRPath Patch: each operation, the paths that it understands, and the refusal of what is beyond them.

http://hl7.org/fhir/R4/fhirpatch.html
"""

from copy import deepcopy
from typing import Any

import pytest

from fhirstore.patch import PatchFails, UnreadablePatch, read_fhirpath_patch

PATIENT: Any = {
    "resourceType": "Patient",
    "active": True,
    "birthDate": "1954-01-01",
    "name": [
        {"use": "official", "family": "見本", "given": ["花子", "はな"]},
        {"use": "usual", "family": "架空"},
    ],
    "contact": [{"name": {"text": "a"}}],
    "identifier": [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"}],
    "deceasedBoolean": False,
}


def operation(type_: str, path: str, *more: Any, **parts: Any) -> Any:
    listed = [
        {"name": "type", "valueCode": type_},
        {"name": "path", "valueString": path},
        *({"name": name, **value} for name, value in parts.items()),
        *more,
    ]
    return {"name": "operation", "part": listed}


def document(*operations: Any) -> Any:
    return {"resourceType": "Parameters", "parameter": list(operations)}


def patched(*operations: Any) -> Any:
    before = deepcopy(PATIENT)
    result = read_fhirpath_patch(document(*operations))(PATIENT)
    assert before == PATIENT
    return result


def string(value: str) -> Any:
    return {"valueString": value}


def whole(value: int) -> Any:
    return {"valueInteger": value}


def test_replace_changes_one_value() -> None:
    assert patched(operation("replace", "Patient.birthDate", value={"valueDate": "1955-02-02"}))[
        "birthDate"
    ] == ("1955-02-02")


@pytest.mark.parametrize(
    "path",
    [
        "Patient.name[1].family",
        "Patient.name.where(use='usual').family",
        "Patient.name.where(use = 'usual').family.first()",
        "Patient.name.last().family",
        "Patient.name[1].family.single()",
    ],
)
def test_paths_lead_to_the_same_place(path: str) -> None:
    assert patched(operation("replace", path, value=string("別")))["name"][1]["family"] == "別"


def test_replace_of_a_choice_makes_the_element_of_the_new_type() -> None:
    tree: Any = {"resourceType": "Observation", "valueString": "x", "_valueString": {"id": "a"}}

    def replaced(path: str, value: Any) -> Any:
        one = operation("replace", path, value=value)
        return read_fhirpath_patch({"resourceType": "Parameters", "parameter": [one]})(tree)

    assert replaced("Observation.value", whole(5)) == {"resourceType": "Observation", "valueInteger": 5}
    assert replaced("Observation.value", string("y")) == {**tree, "valueString": "y"}
    assert replaced("Observation.valueString", string("y")) == {**tree, "valueString": "y"}


@pytest.mark.parametrize("path", ["Patient.name.where(use='spam')", "Patient.name[0].given[0]"])
def test_operations_together_look_at_so_much_at_most(path: str) -> None:
    names = [{"given": [str(at)]} for at in range(2_000)]
    tree: Any = {"resourceType": "Patient", "name": names}
    patch = read_fhirpath_patch({"resourceType": "Parameters", "parameter": [operation("delete", path)] * 40})
    with pytest.raises(PatchFails, match="look at more than"):
        patch(tree)


def test_add_appends_to_a_list_and_sets_what_is_single() -> None:
    result = patched(
        operation("add", "Patient.name[0]", name=string("given"), value=string("華")),
        operation("add", "Patient", name=string("gender"), value={"valueCode": "female"}),
        operation("add", "Patient", name=string("multipleBirth"), value={"valueBoolean": True}),
    )
    assert result["name"][0]["given"] == ["花子", "はな", "華"]
    assert result["gender"] == "female"
    assert result["multipleBirthBoolean"] is True


def test_add_builds_an_element_from_parts() -> None:
    inside = [
        {"name": "name", "valueHumanName": {"text": "b"}},
        {"name": "relationship", "valueCodeableConcept": {"text": "child"}},
    ]
    result = patched(operation("add", "Patient", name=string("contact"), value={"part": inside}))
    assert result["contact"][1] == {"name": {"text": "b"}, "relationship": [{"text": "child"}]}


def test_delete_removes_one_place_and_is_content_with_none() -> None:
    result = patched(
        operation("delete", "Patient.birthDate"),
        operation("delete", "Patient.photo"),
        operation("delete", "Patient.identifier.where(system='urn:a')"),
        operation("delete", "Patient.deceased"),
        operation("delete", "Patient.contact[0].name.text"),
    )
    assert "birthDate" not in result
    assert "deceasedBoolean" not in result
    assert "contact" not in result
    assert [one["value"] for one in result["identifier"]] == ["2"]


def test_insert_and_move_keep_the_order_of_the_rest() -> None:
    result = patched(
        operation("insert", "Patient.name[0].given", index=whole(1), value=string("x")),
        operation("move", "Patient.identifier", source=whole(1), destination=whole(0)),
    )
    assert result["name"][0]["given"] == ["花子", "x", "はな"]
    assert [one["value"] for one in result["identifier"]] == ["2", "1"]


@pytest.mark.parametrize(
    "path",
    [
        "name", "", "Patient.name.exists()", "Patient.name | Patient.contact", "Patient.name.where(use='a' or 1=1)",
        "Patient.name[-1]", "Patient..name", "Patient.name[0]family", "Patient.name.resolve()", "%context",
        "Patient.name.where(use.exists())", "Patient.extension('urn:x')", "Patient.name.first(1)", "P" * 1_001,
    ],
)  # fmt: skip
def test_what_is_more_than_a_path_is_refused_by_name(path: str) -> None:
    with pytest.raises(UnreadablePatch):
        read_fhirpath_patch(document(operation("delete", path)))


@pytest.mark.parametrize(
    "broken",
    [
        {"resourceType": "Parameters"},
        {"resourceType": "Patient", "parameter": []},
        document({"name": "other"}),
        document({"name": "operation"}),
        document(operation("spam", "Patient.name")),
        document(operation("add", "Patient", value=string("x"))),
        document(operation("replace", "Patient.name")),
        document(operation("insert", "Patient.name", index=whole(-1), value=string("x"))),
        document(operation("delete", "Patient.name", {"name": "path", "valueString": "Patient"})),
    ],
)
def test_what_is_no_patch_is_unreadable(broken: Any) -> None:
    with pytest.raises(UnreadablePatch):
        read_fhirpath_patch(broken)


@pytest.mark.parametrize(
    "one",
    [
        operation("replace", "Patient.name", value={"valueHumanName": {}}),
        operation("replace", "Patient.photo", value=string("x")),
        operation("replace", "Patient", value=string("x")),
        operation("replace", "Observation.status", value=string("x")),
        operation("delete", "Patient.name"),
        operation("delete", "Patient"),
        operation("add", "Patient", name=string("birthDate"), value={"valueDate": "2000"}),
        operation("add", "Patient", name=string("spam"), value=string("x")),
        operation("add", "Patient.birthDate", name=string("extension"), value={"valueExtension": {}}),
        operation("insert", "Patient.name", index=whole(3), value={"valueHumanName": {}}),
        operation("insert", "Patient.photo", index=whole(0), value={"valueAttachment": {}}),
        operation("move", "Patient.name", source=whole(2), destination=whole(0)),
        operation("add", "Patient", name=string("name"), value={}),
        operation("add", "Patient", name=string("contact"), value={"part": [{"name": "spam"}]}),
    ],
)
def test_an_operation_that_does_not_fit_is_named(one: Any) -> None:
    with pytest.raises(PatchFails) as failed:
        patched(one)
    assert [problem.expression for problem in failed.value.problems] == ["Parameters.parameter[0]"]
