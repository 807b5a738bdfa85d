"""What R4's own profiles of vital signs demand.

http://hl7.org/fhir/R4/observation-vitalsigns.html
"""

from typing import Any

import pytest

from fhirstore.facts.reading import VITAL_SIGNS_PROFILES
from fhirstore.validate.profiles import profile_problems
from fhirstore.validate.profiles.vital_signs import BASE, PROFILES
from tests.unit.fhirstore.examples import LOINC, OBSERVATION_CATEGORY, blood_pressure, concept

UCUM = "http://unitsofmeasure.org"


def wrong(tree: dict[str, Any], name: str) -> list[tuple[str, str, str]]:
    return [(each.severity, each.code, each.expression) for each in profile_problems(tree, [BASE + name])]


def weight(**quantity: Any) -> dict[str, Any]:
    value = {"value": 62, "unit": "kg", "system": UCUM, "code": "kg"} | quantity
    tree = blood_pressure(code=concept(LOINC, "29463-7"), valueQuantity=value)
    del tree["component"]
    return tree


def test_every_profile_of_r4_is_known() -> None:
    known = {BASE + name for name, _, _ in PROFILES}
    assert known == {each for each in VITAL_SIGNS_PROFILES if each.startswith(BASE)}


def test_a_blood_pressure_keeps_its_profile_and_that_of_all() -> None:
    for name in ("bp", "vitalsigns"):
        assert wrong(blood_pressure(), name) == []


def test_a_blood_pressure_without_category_date_and_diastolic_is_told_of_all() -> None:
    tree = blood_pressure()
    del tree["category"], tree["effectiveDateTime"], tree["component"][1]
    assert wrong(tree, "bp") == [
        ("error", "required", "Observation.category"),
        ("error", "required", "Observation.effective[x]"),
        ("error", "required", "Observation.category"),
        ("error", "required", "Observation.component.code"),
    ]


def test_a_further_category_is_no_problem_and_another_alone_is() -> None:
    exam = concept(OBSERVATION_CATEGORY, "exam")
    assert wrong(blood_pressure(category=[exam, *blood_pressure()["category"]]), "vitalsigns") == []
    assert wrong(blood_pressure(category=[exam]), "vitalsigns") == [
        ("error", "required", "Observation.category")
    ]


def test_two_systolic_values_are_too_many() -> None:
    tree = blood_pressure()
    tree["component"].append(tree["component"][0])
    assert wrong(tree, "bp") == [("error", "structure", "Observation.component.code")]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"effectiveDateTime": "2024-06"}, ("value", "Observation.effectiveDateTime")),
        ({"code": concept(LOINC, "8867-4")}, ("required", "Observation.code")),
    ],
)
def test_time_and_code_are_those_of_the_profile(changes: dict[str, Any], found: tuple[str, str]) -> None:
    assert wrong(blood_pressure(**changes), "bp") == [("error", *found)]


@pytest.mark.parametrize("unit", ["kg", "g", "[lb_av]"])
def test_a_weight_is_measured_in_one_of_its_units(unit: str) -> None:
    assert wrong(weight(code=unit), "bodyweight") == []


@pytest.mark.parametrize(
    ("quantity", "element"),
    [({"code": "kilos"}, "code"), ({"code": "mm[Hg]"}, "code"), ({"system": "http://x.example"}, "system")],
)
def test_another_unit_is_told(quantity: dict[str, Any], element: str) -> None:
    expected = ("error", "value", f"Observation.valueQuantity.{element}")
    assert wrong(weight(**quantity), "bodyweight") == [expected]


def test_what_a_quantity_lacks_is_told() -> None:
    tree = weight()
    del tree["valueQuantity"]["unit"], tree["valueQuantity"]["code"]
    assert [place for _, _, place in wrong(tree, "bodyweight")] == [
        "Observation.valueQuantity.unit",
        "Observation.valueQuantity.code",
    ]


def test_a_value_or_why_there_is_none() -> None:
    tree = weight()
    del tree["valueQuantity"]
    assert wrong(tree, "bodyweight") == [("error", "required", "Observation.value[x]")]
    assert wrong(tree | {"dataAbsentReason": {"text": "x"}}, "bodyweight") == []
    assert wrong(tree | {"valueString": "62"}, "bodyweight") == [
        ("error", "structure", "Observation.valueString")
    ]
    part = blood_pressure()
    del part["component"][0]["valueQuantity"]
    assert wrong(part, "bp") == [("error", "required", "Observation.component[0].value[x]")]


def test_a_time_that_is_not_known_may_stand_for_why() -> None:
    tree = blood_pressure()
    del tree["effectiveDateTime"]
    unknown = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    assert wrong(tree | {"_effectiveDateTime": {"extension": [unknown]}}, "bp") == []


def test_a_panel_has_members() -> None:
    tree = weight() | {"code": concept(LOINC, "85353-1")}
    assert wrong(tree, "vitalspanel") == [("error", "required", "Observation.hasMember")]
    assert wrong(tree | {"hasMember": [{"reference": "Observation/1"}]}, "vitalspanel") == []
