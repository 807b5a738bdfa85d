from typing import Any

import pytest

from fhirstore.validate import validate
from fhirstore.validate.references import reference_problem, type_problem
from tests.unit.fhirstore.examples import YJ, blood_pressure, concept, medication_request, patient

ANY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/x",
        "Patient/x/_history/1",
        "https://hospital.example/fhir/Patient/x",
        "http://hospital.example/fhir/Patient/x/_history/1",
        "http://hospital.example/patients/12",
        "http://hospital.example/Charts/12",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "urn:oid:1.2.3",
        "#x",
        "#",
        "mailto:a@x.example",
    ],
)
def test_literal_reference_is_accepted(reference: str) -> None:
    assert reference_problem({"reference": reference}, ANY) is None


@pytest.mark.parametrize(
    "reference",
    [
        "x",
        "Patient",
        "Patient/",
        "Patient/a b",
        "Patient/" + "a" * 65,
        "/Patient/x",
        "patient/x",
        "Nothing/x",
        "Patient/x/_history",
        "Patient/x/_history/",
        "Patient/x#y",
        "Patient?identifier=x",
        "urn:uuid:x",
        "http://",
        "https:///x",
        "#a b",
        "",
    ],
)
def test_other_text_is_no_reference(reference: str) -> None:
    assert reference_problem({"reference": reference}, ANY) is not None


@pytest.mark.parametrize("prefix", ["", "https://hospital.example/fhir/"])
def test_reference_names_a_type_that_the_element_allows(prefix: str) -> None:
    allowed = frozenset({"Patient", "Group"})
    assert reference_problem({"reference": f"{prefix}Patient/x"}, allowed) is None
    assert (
        reference_problem({"reference": f"{prefix}Device/x"}, allowed)
        == "expected a reference to Group or Patient"
    )


def test_reference_agrees_with_the_type_that_it_states() -> None:
    assert reference_problem({"reference": "Patient/x", "type": "Patient"}, ANY) is None
    assert reference_problem({"reference": "Patient/x", "type": "Device"}, ANY) is not None


@pytest.mark.parametrize("node", [{"display": "x"}, {"identifier": {"value": "1"}, "type": "Patient"}])
def test_logical_reference_is_accepted(node: dict[str, Any]) -> None:
    assert reference_problem(node, ANY) is None
    assert type_problem(node, ANY) is None


def test_address_elsewhere_that_names_no_type_of_r4_may_be_of_any() -> None:
    assert (
        reference_problem({"reference": "https://hospital.example/Charts/x"}, frozenset({"Patient"})) is None
    )


def test_stated_type_is_one_that_the_element_allows() -> None:
    tree = blood_pressure(
        performer=[{"display": "x", "type": name} for name in ("Practitioner", "Medication")]
    )
    (problem,) = validate(tree)
    assert problem.expression == "Observation.performer[1].type"
    assert "Practitioner" in problem.text
    anything = blood_pressure(focus=[{"display": "x", "type": name} for name in ("Medication", "Chart")])
    assert [one.expression for one in validate(anything)] == ["Observation.focus[1].type"]


def medicine(**changes: Any) -> dict[str, Any]:
    inner = {"resourceType": "Medication", "id": "m", "code": concept(YJ, "111")} | changes
    return medication_request(
        medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[inner]
    )


def found(tree: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.text.partition(":")[0], problem.expression) for problem in validate(tree)]


def test_contained_resource_that_is_referred_to_is_accepted() -> None:
    assert validate(medicine()) == []


def test_contained_resource_that_nothing_refers_to_is_refused() -> None:
    assert found(medication_request(contained=[patient(id="p")])) == [
        ("dom-3", "MedicationRequest.contained[0]")
    ]


def test_contained_resource_that_refers_to_its_container_is_accepted() -> None:
    inner = blood_pressure(id="o", meta=None, derivedFrom=[{"reference": "#"}])
    assert validate(blood_pressure(contained=[inner])) == []


def test_contained_resource_may_be_referred_to_by_another_contained_one() -> None:
    tree = medicine(manufacturer={"reference": "#o"})
    tree["contained"].append({"resourceType": "Organization", "id": "o", "name": "例示製薬"})
    assert validate(tree) == []


def test_contained_resource_contains_nothing() -> None:
    tree = medicine(
        contained=[{"resourceType": "Organization", "id": "o", "name": "x"}], manufacturer={"reference": "#o"}
    )
    assert ("dom-2", "MedicationRequest.contained[0].contained") in found(tree)


@pytest.mark.parametrize(
    ("meta", "key", "below"),
    [
        ({"versionId": "1"}, "dom-4", ""),
        ({"lastUpdated": "2024-06-01T10:00:00Z"}, "dom-4", ""),
        ({"security": [{"system": "http://x.example", "code": "x"}]}, "dom-5", ".security"),
    ],
)
def test_contained_resource_has_no_version_and_no_labels(meta: dict[str, Any], key: str, below: str) -> None:
    assert found(medicine(meta=meta)) == [(key, f"MedicationRequest.contained[0].meta{below}")]


def test_reference_to_a_contained_resource_that_is_not_there_is_refused() -> None:
    tree = medication_request(
        requester={"reference": "#nobody"}, note=[{"text": "x", "authorReference": {"reference": "#nobody"}}]
    )
    places = ["MedicationRequest.requester.reference", "MedicationRequest.note[0].authorReference.reference"]
    assert found(tree) == [("ref-1", place) for place in places]


def test_contained_resource_is_of_a_type_that_the_reference_allows() -> None:
    inner = {"resourceType": "Organization", "id": "m", "name": "x"}
    (problem,) = validate(medicine() | {"contained": [inner]})
    assert (problem.code, problem.expression) == ("value", "MedicationRequest.medicationReference.reference")
    assert "Medication" in problem.text


def test_container_is_of_a_type_that_the_reference_allows() -> None:
    (problem,) = validate(blood_pressure(performer=[{"reference": "#"}]))
    assert problem.expression == "Observation.performer[0].reference"


def test_contained_resource_without_an_id_is_referred_to_by_nothing() -> None:
    inner = {"resourceType": "Organization", "name": "x"}
    tree = blood_pressure(contained=[inner], hasMember=[{"reference": "#"}])
    assert found(tree) == [("dom-3", "Observation.contained[0]")]


def test_contained_resources_have_ids_of_their_own() -> None:
    tree = medicine()
    tree["contained"] *= 2
    assert [where for _, where in found(tree)] == ["MedicationRequest.contained"]


def test_contained_resources_of_one_entry_are_not_those_of_the_next() -> None:
    entries = [{"resource": medicine()}, {"resource": medication_request(requester={"reference": "#m"})}]
    tree = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert found(tree) == [("ref-1", "Bundle.entry[1].resource.requester.reference")]
