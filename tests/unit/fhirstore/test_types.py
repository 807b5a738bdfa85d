from collections.abc import Iterator

import pytest

from consent import systems
from fhirstore.errors import UnknownType
from fhirstore.types import (
    PART_TYPES,
    REPEATED,
    TYPE_NUMBERS,
    TYPES,
    TYPES_BY_NUMBER,
    ResourceType,
    part_type,
    resource_type,
    types_of,
)
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
    "Person": 23,
    "DeviceMetric": 24,
    "DiagnosticReport": 25,
    "Specimen": 26,
    "Procedure": 27,
    "FamilyMemberHistory": 28,
    "MedicationAdministration": 29,
    "EpisodeOfCare": 30,
    "CarePlan": 31,
    "Goal": 32,
    "ServiceRequest": 33,
    "Appointment": 34,
    "Task": 35,
    "Communication": 36,
    "CommunicationRequest": 37,
    "List": 38,
    "DocumentReference": 39,
    "Binary": 40,
    "Composition": 41,
    "Questionnaire": 42,
    "QuestionnaireResponse": 43,
    "ValueSet": 44,
    "CodeSystem": 45,
    "Coverage": 46,
    "Subscription": 47,
}
SANDBOX = {"ValueSet", "CodeSystem"}

# Whom a record talks about is its content; who took part and whom it is about is read.
TALKED_ABOUT = {
    "AuditEvent.source.observer",
    "Consent.performer",
    "Consent.provision.actor.reference",
    "Consent.verification.verifiedWith",
    "Provenance.entity.agent.onBehalfOf",
    "Provenance.entity.agent.who",
}
_CONTENT = {"Annotation", "Extension", "Identifier", "Meta", "Narrative", "Signature", "UsageContext"}


def test_numbers_that_stand_in_databases_never_change() -> None:
    assert {name: row.number for name, row in TYPES.items()} == NUMBERS
    assert {row.number: row for row in TYPES.values()} == TYPES_BY_NUMBER


def test_unknown_type_is_refused_without_repeating_a_long_name() -> None:
    with pytest.raises(UnknownType) as refusal:
        resource_type("X" * 1000)
    assert len(str(refusal.value)) < 200


def test_a_sandbox_holds_terminology_and_everybody_else_does_not_know_it() -> None:
    assert types_of(sandbox=True).keys() - types_of(sandbox=False).keys() == SANDBOX
    for name in SANDBOX:
        assert resource_type(name, sandbox=True) is TYPES[name]
        with pytest.raises(UnknownType):
            resource_type(name)


def test_every_type_of_r4_may_occur_inside_of_a_record_under_a_number_of_its_own() -> None:
    assert PART_TYPES.keys() == systems.TYPES
    assert len(set(TYPE_NUMBERS.values())) == len(TYPE_NUMBERS)
    assert {name for name, row in PART_TYPES.items() if not row.foreign} == TYPES.keys()
    assert all(0 < number < 2**15 for number in TYPE_NUMBERS.values())


def test_numbers_of_types_inside_of_records_never_change() -> None:
    foreign = [(row.number, name) for name, row in PART_TYPES.items() if row.foreign]
    assert (min(foreign), max(foreign)) == ((1001, "Account"), (1099, "VisionPrescription"))
    assert part_type("ImagingStudy").number == 1038
    assert [name for _, name in sorted(foreign)] == sorted(name for _, name in foreign)


def test_a_type_that_r4_does_not_have_occurs_nowhere() -> None:
    with pytest.raises(UnknownType):
        part_type("Passport")


def test_only_audit_events_are_not_written_from_outside() -> None:
    assert [name for name, row in TYPES.items() if not row.writable] == ["AuditEvent"]


def test_directory_holds_no_type_that_can_name_a_patient() -> None:
    assert not [name for name, row in TYPES.items() if row.directory and (row.patients or row.is_patient)]


@pytest.mark.parametrize("row", TYPES.values(), ids=lambda row: str(row.name))
def test_every_path_leads_to_an_element_of_the_specification(row: ResourceType) -> None:
    paths = [
        *row.patients,
        *row.criteria,
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
            element = name.removesuffix(REPEATED)
            assert element in shape(at).elements, f"{row.name}: {'.'.join(path)}"
            at = shape(at).elements[element].type
            assert element == name or shape(at).elements[element].type == at


def _may_name_a_patient(type_name: str, before: str = "", seen: tuple[str, ...] = ()) -> Iterator[str]:
    for element in shape(type_name).elements.values():
        if element.type == "Reference" and "Patient" in element.targets:
            yield before + element.name
        elif not element.primitive and element.type not in {*_CONTENT, *seen, "Reference", RESOURCE}:
            yield from _may_name_a_patient(element.type, f"{before}{element.name}.", (*seen, element.type))


@pytest.mark.parametrize("row", TYPES.values(), ids=lambda row: str(row.name))
def test_every_element_that_may_name_a_patient_is_read(row: ResourceType) -> None:
    may_name = {f"{row.name}.{path}" for path in _may_name_a_patient(row.name)}
    read = {".".join((row.name, *path)).replace(REPEATED, "") for path in row.patients}
    assert may_name - TALKED_ABOUT <= read


def test_a_patients_type_says_whose_a_record_is() -> None:
    silent = {row.name for row in TYPES.values() if row.holding == row.name and not row.is_patient}
    assert silent == {name for name, row in TYPES.items() if row.directory or row.sandbox} | {"Bundle"}
    assert TYPES["Binary"].holding == "Binary.securityContext"
    assert TYPES["Subscription"].holding == "Subscription.criteria"
    assert TYPES["Appointment"].holding == "Appointment.participant.actor"
