"""Whose a record is: whom it names, and what it follows.

http://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from typing import Any

import pytest

from fhirstore.facts import Holder, about
from fhirstore.types import TYPES
from tests.hospital import records_of
from tests.unit.fhirstore.examples import blood_pressure, valid_resources
from tests.unit.fhirstore.test_facts import BASE, bundle, facts

MINE = {"reference": "Patient/hanako"}
JIROS = {"reference": "Patient/jiro"}
BOTH = ("Patient/hanako", "Patient/jiro")


def binary(context: dict[str, Any] | None) -> dict[str, Any]:
    tree = {"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}
    return tree if context is None else {**tree, "securityContext": context}


def sections(depth: int, innermost: dict[str, Any]) -> dict[str, Any]:
    for _ in range(depth):
        innermost = {"section": [innermost]}
    return innermost


SEVERAL: list[dict[str, Any]] = [
    {"resourceType": "Appointment", "participant": [{"actor": MINE}, {"actor": JIROS}]},
    {"resourceType": "List", "subject": MINE, "entry": [{"item": JIROS}]},
    {"resourceType": "Group", "member": [{"entity": MINE}, {"entity": JIROS}]},
    {"resourceType": "Task", "for": MINE, "owner": JIROS},
    {"resourceType": "Task", "for": MINE, "restriction": {"recipient": [JIROS]}},
    {"resourceType": "Task", "for": MINE, "focus": JIROS},
    {"resourceType": "Communication", "subject": MINE, "recipient": [JIROS]},
    {"resourceType": "Communication", "sender": MINE, "about": [JIROS]},
    {"resourceType": "CommunicationRequest", "recipient": [MINE], "requester": JIROS},
    {"resourceType": "Coverage", "beneficiary": MINE, "subscriber": JIROS},
    {"resourceType": "Coverage", "beneficiary": MINE, "payor": [JIROS]},
    {"resourceType": "Composition", "subject": MINE, "attester": [{"party": JIROS}]},
    {"resourceType": "Composition", "subject": MINE, "section": [{"section": [{"focus": JIROS}]}]},
    {"resourceType": "Composition", "subject": MINE, "section": [{"entry": [JIROS]}]},
    {"resourceType": "Composition", "subject": MINE, **sections(30, {"focus": JIROS})},
    {"resourceType": "Composition", "subject": MINE, **sections(30, {"author": [JIROS]})},
    {"resourceType": "Person", "link": [{"target": MINE}, {"target": JIROS}]},
    {"resourceType": "CarePlan", "subject": MINE, "activity": [{"detail": {"performer": [JIROS]}}]},
    {"resourceType": "QuestionnaireResponse", "subject": MINE, "source": JIROS},
    {"resourceType": "DocumentReference", "subject": MINE, "context": {"sourcePatientInfo": JIROS}},
    {"resourceType": "Procedure", "subject": MINE, "performer": [{"actor": JIROS}]},
    {"resourceType": "MedicationAdministration", "subject": MINE, "performer": [{"actor": JIROS}]},
    {"resourceType": "ServiceRequest", "subject": MINE, "requester": JIROS},
    {"resourceType": "Goal", "subject": MINE, "expressedBy": JIROS},
]


@pytest.mark.parametrize("tree", SEVERAL, ids=lambda tree: str(tree["resourceType"]))
def test_a_resource_belongs_to_everybody_who_takes_part_in_it(tree: dict[str, Any]) -> None:
    assert facts(tree).patients == ("Patient/hanako", "Patient/jiro")


@pytest.mark.parametrize("name", [row.name for row in TYPES.values() if not row.directory])
def test_a_resource_that_names_nobody_is_of_nobody(name: str) -> None:
    assert facts({"resourceType": name}).holder is Holder.NO_PATIENT


def test_a_subscription_is_of_whom_its_criteria_name() -> None:
    def named(criteria: str) -> tuple[str, ...]:
        return facts({"resourceType": "Subscription", "criteria": criteria}, base_urls=[BASE]).patients

    assert named("Observation?patient=Patient/hanako") == ("Patient/hanako",)
    assert named(f"Observation?patient={BASE}/Patient/hanako") == ("Patient/hanako",)
    assert named("Observation?patient=https://hospital.example/fhir/Patient/hanako") == ()
    assert named("Observation?code=x") == ()


def test_a_device_metric_lies_with_its_device() -> None:
    tree = {"resourceType": "DeviceMetric", "source": {"reference": "Device/cuff"}}
    assert facts(tree).follows == ("Device/cuff",)


def test_a_binary_follows_its_security_context() -> None:
    for context, follows, patients in (
        ("DocumentReference/d", ("DocumentReference/d",), ()),
        ("Patient/hanako", ("Patient/hanako",), ("Patient/hanako",)),
    ):
        found = facts(binary({"reference": context}))
        assert (found.follows, found.patients, found.loose) == (follows, patients, False)


@pytest.mark.parametrize("context", [None, {"identifier": {"value": "1"}}, {"reference": "#x"}])
def test_a_binary_that_says_not_what_it_belongs_to_is_loose(context: dict[str, Any] | None) -> None:
    assert facts(binary(context)).loose
    assert facts(bundle({"resource": blood_pressure()}, {"resource": binary(context)})).loose
    assert facts(blood_pressure(contained=[binary(context)])).loose


def test_a_binary_in_a_bundle_is_bound_to_an_entry_beside_it() -> None:
    urn = "urn:uuid:00000000-0000-4000-8000-000000000000"
    report = {"fullUrl": urn, "resource": blood_pressure()}
    assert not facts(bundle(report, {"resource": binary({"reference": urn})})).loose
    assert facts(bundle(report, {"resource": binary({"reference": "Observation/elsewhere"})})).loose
    inner = blood_pressure(contained=[binary({"reference": "Observation/elsewhere"})])
    assert facts(bundle({"resource": inner})).loose


@pytest.mark.parametrize(
    "tree, named",
    [
        (blood_pressure(), ("Patient/hanako",)),
        (blood_pressure(subject={"reference": f"{BASE}/Patient/hanako"}), ("Patient/hanako",)),
        (
            {"resourceType": "Provenance", "target": [{"reference": f"Observation/{id_}"} for id_ in "op"]},
            ("Observation/o", "Observation/p"),
        ),
        ({"resourceType": "Appointment", "participant": [{"actor": MINE}, {"actor": JIROS}]}, BOTH),
        (binary({"reference": "DocumentReference/d"}), ("DocumentReference/d",)),
        ({"resourceType": "Subscription", "criteria": "Observation?patient=hanako"}, ("Patient/hanako",)),
        ({"resourceType": "Patient", "id": "chosen"}, ()),
        ({"resourceType": "Organization"}, ()),
        ({"resourceType": "Observation", "subject": ["x", 1, {"reference": 2}]}, ()),
    ],
)
def test_whom_a_resource_is_about_is_known_before_it_is_valid(
    tree: dict[str, Any], named: tuple[str, ...]
) -> None:
    assert about(tree, TYPES[tree["resourceType"]], [BASE]) == named


@pytest.mark.parametrize("name", sorted(set(TYPES) - {"Patient", "Bundle"}))
def test_whose_consents_are_asked_are_those_of_whom_the_facts_name(name: str) -> None:
    tree = valid_resources()[name]
    found = facts(tree)
    assert about(tree, TYPES[name], [BASE]) == (found.follows or found.patients)


def test_there_is_an_example_of_every_type() -> None:
    assert valid_resources().keys() == TYPES.keys()


@pytest.mark.parametrize("name", records_of("Patient/hanako"))
def test_a_hospitals_record_lies_with_its_patient(name: str) -> None:
    found = facts(records_of("Patient/hanako")[name])
    assert found.holder is Holder.PATIENT
    assert found.patients == ("Patient/hanako",)
