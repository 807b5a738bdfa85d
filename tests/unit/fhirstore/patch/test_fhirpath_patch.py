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
        "Patient.name.where(use='usual' and family = '架空').family",
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


def test_conditions_joined_by_and_hold_together() -> None:
    one = operation("delete", "Patient.name.where(use='usual' and family='見本')")
    assert patched(one) == PATIENT


def said(url: str, value: str) -> Any:
    return {"url": url, "valueString": value}


def test_an_extension_is_found_by_its_url() -> None:
    tree: Any = {
        "resourceType": "Patient",
        "extension": [said("urn:a", "1"), {"url": "urn:b", "extension": [said("c", "2"), said("d", "3")]}],
        "birthDate": "1954-01-01",
        "_birthDate": {"extension": [said("urn:time", "4"), said("urn:other", "5")]},
        "_gender": {"extension": [said("urn:why", "6")]},
    }
    operations = (
        operation("replace", "Patient.extension('urn:a').value", value={"valueCode": "x"}),
        operation("replace", "Patient.extension('urn:b').extension('d').value", value=string("y")),
        operation("delete", "Patient.birthDate.extension('urn:time')"),
        operation("delete", "Patient.extension('urn:none')"),
        operation("delete", "Patient.gender.extension('urn:why')"),
    )
    assert read_fhirpath_patch(document(*operations))(tree) == {
        "resourceType": "Patient",
        "extension": [
            {"url": "urn:a", "valueCode": "x"},
            {"url": "urn:b", "extension": [said("c", "2"), said("d", "y")]},
        ],
        "birthDate": "1954-01-01",
        "_birthDate": {"extension": [said("urn:other", "5")]},
    }


def test_an_extension_of_a_value_is_added_beside_it() -> None:
    parts = [{"name": "url", "valueUri": "urn:a"}, {"name": "value", "valueString": "1"}]
    result = patched(
        operation("add", "Patient.birthDate", name=string("extension"), value={"part": parts}),
        operation("add", "Patient.name[0].given[1]", name=string("extension"), value={"part": parts}),
    )
    assert result["_birthDate"] == {"extension": [said("urn:a", "1")]}
    assert result["name"][0]["_given"] == [None, {"extension": [said("urn:a", "1")]}]


def test_a_value_and_its_extensions_go_and_move_together() -> None:
    kana = {"extension": [said("urn:kana", "x")]}
    name = {"given": ["a", "b", "c"], "_given": [None, kana, None]}
    tree: Any = {"resourceType": "Patient", "name": [name], "birthDate": "2000", "_birthDate": {"id": "x"}}

    def given(*operations: Any) -> Any:
        (one,) = read_fhirpath_patch(document(*operations))(tree)["name"]
        return one

    assert "_birthDate" not in read_fhirpath_patch(document(operation("delete", "Patient.birthDate")))(tree)
    path = "Patient.name[0].given"
    assert given(operation("move", path, source=whole(1), destination=whole(2))) == {
        "given": ["a", "c", "b"],
        "_given": [None, None, kana],
    }
    assert given(operation("insert", path, index=whole(0), value=string("z"))) == {
        "given": ["z", "a", "b", "c"],
        "_given": [None, None, kana, None],
    }
    assert given(operation("add", "Patient.name[0]", name=string("given"), value=string("z"))) == {
        "given": ["a", "b", "c", "z"],
        "_given": [None, kana, None, None],
    }
    assert given(operation("delete", f"{path}[0]")) == {"given": ["b", "c"], "_given": [kana, None]}
    plain = {"given": ["a", "b", "c"]}
    assert given(operation("delete", f"{path}[1]")) == {"given": ["a", "c"]}
    assert given(operation("delete", f"{path}[1].extension('urn:kana')")) == plain


@pytest.mark.parametrize(
    "path",
    [
        "name", "", "Patient.name.exists()", "Patient.name | Patient.contact", "Patient.name.where(use='a' or 1=1)",
        "Patient.name[-1]", "Patient..name", "Patient.name[0]family", "Patient.name.resolve()", "%context",
        "Patient.name.where(use.exists())", "Patient.extension(urn)", "Patient.name.first(1)", "P" * 1_001,
        "Patient.extension('urn:x' | 'urn:y')", "Patient.name.where(use='a' and )",
        "Patient.name.where(use='a' and 1=1)",
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
        operation("add", "Patient.birthDate", name=string("text"), value=string("x")),
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
