from typing import Final

import pytest

from fhirstore.parameters import Kind, SearchParameter, Source, parameters_of
from fhirstore.registry import COMMON, PARAMETERS
from fhirstore.types import TYPES
from fhirstore.validate.schema import Element, shape

EVERY: Final = [parameter for name in TYPES for parameter in parameters_of(name).values()]
NAMES: Final = {each.name for each in COMMON}


def named(parameter: SearchParameter) -> str:
    return f"{parameter.type.name}.{parameter.name}"


def of(*sources: Source) -> list[SearchParameter]:
    return [parameter for parameter in EVERY if parameter.source in sources]


def elements(parameter: SearchParameter, *, at: int = 0) -> list[Element]:
    """The elements on the way of a path, which has no special steps."""
    found = []
    type_name = parameter.type.name
    for name in parameter.paths[at]:
        found.append(shape(type_name).elements[name])
        type_name = found[-1].type
    return found


@pytest.mark.parametrize("name", [name for name, row in TYPES.items() if row.writable])
def test_every_type_has_the_common_parameters_and_its_own(name: str) -> None:
    assert parameters_of(name).keys() == NAMES | {each.name for each in PARAMETERS[name]}


def test_audit_log_has_the_parameters_that_it_answers() -> None:
    assert parameters_of("AuditEvent").keys() == {
        *("_id", "_lastUpdated", "agent", "date", "outcome", "patient")
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "Patient",
            "active address address-city address-country address-postalcode address-state address-use birthdate"
            " death-date deceased email family gender general-practitioner given identifier language link name"
            " organization phone phonetic telecom",
        ),
        (
            "Observation",
            "based-on category code code-value-concept code-value-date code-value-quantity code-value-string"
            " combo-code combo-code-value-concept combo-code-value-quantity combo-data-absent-reason"
            " combo-value-concept combo-value-quantity component-code component-code-value-concept"
            " component-code-value-quantity component-data-absent-reason component-value-concept"
            " component-value-quantity data-absent-reason date derived-from device encounter focus has-member"
            " identifier method part-of patient performer specimen status subject value-concept value-date"
            " value-quantity value-string",
        ),
        (
            "MedicationRequest",
            "authoredon category code date encounter identifier intended-dispenser intended-performer"
            " intended-performertype intent medication patient priority requester status subject",
        ),
        ("Bundle", "composition identifier message timestamp type"),
        ("Binary", ""),
    ],
)
def test_type_has_the_parameters_of_the_specification(name: str, expected: str) -> None:
    assert parameters_of(name).keys() - NAMES == set(expected.split())


def test_type_that_the_store_does_not_hold_has_no_parameters() -> None:
    assert parameters_of("Basic") == {}


def test_no_two_parameters_share_a_number() -> None:
    numbers = [parameter.number for parameter in EVERY]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 2**15 for number in numbers)


def test_numbers_that_stand_in_index_rows_never_change() -> None:
    assert {named(each): each.number for each in of(Source.CODE_ROWS)} == {
        "Device.type": 596,
        "Observation.code": 646,
        "MedicationRequest.code": 710,
        "MedicationDispense.code": 774,
        "MedicationStatement.code": 838,
        "Medication.code": 902,
        "Immunization.vaccine-code": 967,
        "AllergyIntolerance.code": 1030,
        "Condition.code": 1094,
        "DeviceMetric.type": 1556,
        "DiagnosticReport.code": 1606,
        "Specimen.type": 1684,
        "Procedure.code": 1734,
        "FamilyMemberHistory.code": 1798,
        "MedicationAdministration.code": 1862,
        "ServiceRequest.code": 2118,
        "Task.code": 2246,
        "List.code": 2438,
        "DocumentReference.type": 2516,
        "Composition.type": 2644,
    }
    assert parameters_of("Consent")["patient"].number == 1220


@pytest.mark.parametrize(
    ("type_name", "name", "source"),
    [
        ("Observation", "_id", Source.ID),
        ("Observation", "_lastUpdated", Source.LAST_UPDATED),
        ("Observation", "identifier", Source.IDENTIFIERS),
        ("Observation", "patient", Source.PATIENT),
        ("Observation", "subject", Source.PATIENT),
        ("Observation", "code", Source.CODE_ROWS),
        ("Observation", "category", Source.CATEGORIES),
        ("Observation", "status", Source.STATUS),
        ("Observation", "date", Source.TIME),
        ("Coverage", "beneficiary", Source.PATIENT),
        ("Task", "subject", Source.PATIENT),
        ("AllergyIntolerance", "clinical-status", Source.STATUS),
        ("Provenance", "patient", Source.PATIENT),
        ("Consent", "patient", Source.PATIENT),
        ("DocumentReference", "identifier", Source.IDENTIFIERS),
    ],
)
def test_facts_of_a_record_answer_what_is_asked_most(type_name: str, name: str, source: Source) -> None:
    assert parameters_of(type_name)[name].source is source


@pytest.mark.parametrize(
    ("type_name", "name"),
    [
        # Of these elements there may be several; who is not the first does not own the record.
        ("Appointment", "patient"),
        ("Person", "patient"),
        ("Group", "member"),
        ("Patient", "link"),
        # They read more, or less, than the fact.
        ("Observation", "combo-code"),
        ("Observation", "performer"),
        ("ServiceRequest", "authored"),
        ("Task", "requester"),
        ("Encounter", "type"),
        ("Group", "code"),
        ("Condition", "recorded-date"),
        ("Specimen", "container-id"),
    ],
)
def test_what_no_fact_says_is_answered_by_the_elements(type_name: str, name: str) -> None:
    assert parameters_of(type_name)[name].source is Source.ELEMENTS


@pytest.mark.parametrize("parameter", of(Source.PATIENT), ids=named)
def test_owner_answers_where_one_patient_at_most_stands(parameter: SearchParameter) -> None:
    row = parameter.type
    assert parameter.kind is Kind.REFERENCE
    if row.follows or not row.writable:
        assert parameter.name == "patient"
        return
    (element,) = elements(parameter)
    assert not element.many
    assert row.patients[0] == parameter.paths[0]
    assert not element.targets or "Patient" in element.targets


@pytest.mark.parametrize("parameter", of(Source.TIME), ids=named)
def test_time_of_a_record_answers_where_one_time_at_most_stands(parameter: SearchParameter) -> None:
    assert set(parameter.paths) == set(parameter.type.times)
    ways = [elements(parameter, at=at) for at in range(len(parameter.paths))]
    assert not any(element.many for way in ways for element in way)
    assert len(ways) == 1 or len({way[-1].choice for way in ways} - {None}) == 1


@pytest.mark.parametrize("parameter", of(Source.STATUS, Source.CATEGORIES), ids=named)
def test_status_and_categories_answer_for_codes(parameter: SearchParameter) -> None:
    kinds = {"code", "Coding", "CodeableConcept"}
    assert {elements(parameter, at=at)[-1].type for at in range(len(parameter.paths))} <= kinds
    assert parameter.source is not Source.STATUS or not elements(parameter)[-1].many


@pytest.mark.parametrize("parameter", of(Source.CODE_ROWS), ids=named)
def test_code_rows_hold_every_code_that_the_parameter_reads(parameter: SearchParameter) -> None:
    assert set(parameter.paths) >= set(parameter.type.codes)
    assert parameter.kind is Kind.TOKEN


@pytest.mark.parametrize("name", TYPES)
def test_one_parameter_at_most_has_the_rows_of_the_main_code(name: str) -> None:
    assert sum(each.source is Source.CODE_ROWS for each in parameters_of(name).values()) <= 1
