import pytest

from fhirstore.errors import UnknownType
from fhirstore.types import TYPES, TYPES_BY_NUMBER, ResourceType, resource_type
from fhirstore.validate.schema import RESOURCE, shape

NUMBERS = {
    "Patient": 1,
    "Practitioner": 2,
    "PractitionerRole": 3,
    "Organization": 4,
    "Location": 5,
    "CareTeam": 6,
    "Group": 7,
    "RelatedPerson": 8,
    "Device": 9,
    "Observation": 10,
    "MedicationRequest": 11,
    "MedicationDispense": 12,
    "MedicationStatement": 13,
    "Medication": 14,
    "Immunization": 15,
    "AllergyIntolerance": 16,
    "Condition": 17,
    "Encounter": 18,
    "Consent": 19,
    "Provenance": 20,
    "AuditEvent": 21,
    "Bundle": 22,
}


def test_numbers_that_stand_in_databases_never_change() -> None:
    assert {name: row.number for name, row in TYPES.items()} == NUMBERS
    assert {row.number: row for row in TYPES.values()} == TYPES_BY_NUMBER


def test_unknown_type_is_refused_without_repeating_a_long_name() -> None:
    with pytest.raises(UnknownType) as refusal:
        resource_type("X" * 1000)
    assert len(str(refusal.value)) < 200


def test_only_audit_events_are_not_written_from_outside() -> None:
    assert [name for name, row in TYPES.items() if not row.writable] == ["AuditEvent"]


def test_directory_holds_no_type_that_can_name_a_patient() -> None:
    assert not [name for name, row in TYPES.items() if row.directory and (row.patients or row.is_patient)]


@pytest.mark.parametrize("row", TYPES.values(), ids=lambda row: str(row.name))
def test_every_path_leads_to_an_element_of_the_specification(row: ResourceType) -> None:
    paths = [
        *row.patients,
        *row.codes,
        *row.component_codes,
        *row.categories,
        *row.times,
        *row.authors,
        *row.follows,
        *(path for path in (row.medication, row.status) if path),
    ]
    for path in paths:
        at = row.name
        for name in path:
            assert name in shape(at).elements, f"{row.name}: {'.'.join(path)}"
            at = shape(at).elements[name].type


@pytest.mark.parametrize("row", TYPES.values(), ids=lambda row: str(row.name))
def test_every_element_of_the_root_that_may_name_a_patient_is_read(row: ResourceType) -> None:
    may_name = {
        element.name
        for element in shape(row.name).elements.values()
        if element.type == "Reference" and "Patient" in element.targets
    }
    # Who signed a consent is its content; whom it is about is in `patient`.
    excluded = {"Consent": {"performer"}}.get(row.name, set())
    assert may_name - excluded <= {path[0] for path in row.patients}
    assert RESOURCE not in may_name
