import pytest

from fhirstore.parameters import Kind, SearchParameter, Source, parameters_of
from fhirstore.types import TYPES
from fhirstore.validate.schema import shape

EVERY = [parameter for name in TYPES for parameter in parameters_of(name).values()]
INDEXED = (Source.CODE_ROWS, Source.TOKEN_ROWS, Source.DATE_ROWS)


@pytest.mark.parametrize("name", TYPES)
def test_every_type_is_searched_by_id_and_last_update(name: str) -> None:
    assert {"_id", "_lastUpdated"} <= parameters_of(name).keys()


@pytest.mark.parametrize(
    "name, expected",
    [
        ("Observation", {"identifier", "patient", "subject", "code", "category", "date", "status"}),
        (
            "MedicationRequest",
            {"identifier", "patient", "subject", "code", "category", "date", "authoredon", "status"},
        ),
        ("MedicationDispense", {"identifier", "patient", "subject", "code", "whenhandedover", "status"}),
        ("Immunization", {"identifier", "patient", "vaccine-code", "date", "status"}),
        ("AllergyIntolerance", {"identifier", "patient", "code", "category", "date", "clinical-status"}),
        ("Patient", {"identifier"}),
        ("Provenance", {"patient", "recorded", "when"}),
        ("Bundle", {"identifier", "timestamp"}),
    ],
)
def test_type_has_the_parameters_of_the_specification(name: str, expected: set[str]) -> None:
    assert parameters_of(name).keys() - {"_id", "_lastUpdated"} == expected


def test_type_that_the_store_does_not_hold_has_no_parameters() -> None:
    assert parameters_of("Specimen") == {}


def test_no_two_parameters_share_a_number() -> None:
    numbers = [parameter.number for parameter in EVERY]
    assert len(set(numbers)) == len(numbers)
    assert all(0 < number < 2**15 for number in numbers)


def test_numbers_that_stand_in_index_rows_never_change() -> None:
    indexed = {f"{each.type.name}.{each.name}": each.number for each in EVERY if each.source in INDEXED}
    assert indexed == {
        "Group.code": 454,
        "Observation.code": 646,
        "MedicationRequest.code": 710,
        "MedicationRequest.date": 715,
        "MedicationDispense.code": 774,
        "MedicationStatement.code": 838,
        "Medication.code": 902,
        "Immunization.vaccine-code": 967,
        "AllergyIntolerance.code": 1030,
        "AllergyIntolerance.date": 1035,
        "Condition.code": 1094,
        "Condition.recorded-date": 1104,
        "Provenance.recorded": 1297,
        "Bundle.timestamp": 1427,
    }


@pytest.mark.parametrize("parameter", EVERY, ids=lambda each: f"{each.type.name}.{each.name}")
def test_every_path_leads_to_an_element_of_the_specification(parameter: SearchParameter) -> None:
    for path in parameter.paths:
        at = parameter.type.name
        for name in path:
            assert name in shape(at).elements
            at = shape(at).elements[name].type


@pytest.mark.parametrize("parameter", EVERY, ids=lambda each: f"{each.type.name}.{each.name}")
def test_parameter_that_a_column_answers_has_facts_in_it(parameter: SearchParameter) -> None:
    row = parameter.type
    column = {
        Source.TIME: row.times,
        Source.STATUS: row.status,
        Source.CATEGORIES: row.categories,
        Source.CODE_ROWS: row.codes,
    }
    assert column.get(parameter.source, True)
    assert (parameter.kind is Kind.REFERENCE) == (parameter.source is Source.PATIENT)
