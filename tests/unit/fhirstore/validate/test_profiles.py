"""What profiles demand beyond R4; the resources are of nobody who exists."""

from copy import deepcopy
from typing import Any

import pytest

from fhirstore.parse import Number
from fhirstore.validate import validate
from fhirstore.validate.profiles import PROFILES, claimed, held_problems, profile_problems
from fhirstore.validate.profiles.jp_clins import BASE as ECS
from fhirstore.validate.profiles.jp_core import BASE as CORE
from fhirstore.validate.profiles.vital_signs import BASE as R4
from tests.unit.fhirstore.examples import blood_pressure, concept, patient

UCUM = "http://unitsofmeasure.org"
RESOURCE_ID = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
MHLW = "http://jpfhir.jp/fhir/core/mhlw"
TABLET = {"value": 1, "unit": "錠", "system": f"{MHLW}/CodeSystem/MedicationUnitMERIT9Code", "code": "TAB"}
DAY = {"value": 1, "unit": "日", "system": UCUM, "code": "d"}
LOCAL_TEST = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_LocalCode_CS"
PERIOD_OF_USE = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_PeriodOfUse"


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": "見本"}], "text": "見本"}


def dosage() -> dict[str, Any]:
    return {
        "extension": [{"url": PERIOD_OF_USE, "valuePeriod": {"start": "2026-06-01"}}],
        "text": "1日1回 朝食後",
        "timing": {"code": coded(f"{MHLW}/CodeSystem/MedicationUsage_ePrescription", "1011000400000000")},
        "doseAndRate": [
            {
                "type": coded(f"{MHLW}/CodeSystem/MedicationIngredientStrengthStrengthType", "1"),
                "doseQuantity": TABLET,
                "rateRatio": {"numerator": TABLET, "denominator": DAY},
            }
        ],
    }


def prescription() -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "identifier": [
            {"system": f"{MHLW}/IdSystem/Medication-RPGroupNumber", "value": "1"},
            {"system": f"{MHLW}/IdSystem/MedicationAdministrationIndex", "value": "1"},
            {"system": RESOURCE_ID, "value": "見本-1"},
        ],
        "status": "completed",
        "intent": "order",
        "medicationCodeableConcept": coded(
            "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code", "2149039F1031"
        ),
        "subject": {"reference": "Patient/hanako"},
        "authoredOn": "2026-06-01T10:00:00+09:00",
        "dosageInstruction": [dosage()],
        "dispenseRequest": {"quantity": TABLET, "expectedSupplyDuration": DAY},
    }


def dispense() -> dict[str, Any]:
    tree = prescription()
    del tree["authoredOn"], tree["dispenseRequest"], tree["intent"]
    return tree | {
        "resourceType": "MedicationDispense",
        "quantity": TABLET,
        "whenHandedOver": "2026-06-01T11:00:00+09:00",
    }


def laboratory() -> dict[str, Any]:
    category = coded("http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS", "laboratory")
    return {
        "resourceType": "Observation",
        "identifier": [{"system": RESOURCE_ID, "value": "見本-2"}],
        "status": "final",
        "category": [category],
        "code": coded(LOCAL_TEST, "0000000001"),
        "subject": {"reference": "Patient/hanako"},
        "effectiveDateTime": "2026-06-01T10:00:00+09:00",
        "specimen": {"display": "血清"},
        "valueQuantity": {"value": Number("4.10"), "unit": "g/dL"},
    }


def allergy() -> dict[str, Any]:
    return {
        "resourceType": "AllergyIntolerance",
        "identifier": [{"system": RESOURCE_ID, "value": "見本-3"}],
        "clinicalStatus": concept(
            "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"
        ),
        "code": coded("http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS", "J9FC11310000"),
        "patient": {"reference": "Patient/hanako"},
    }


def person() -> dict[str, Any]:
    return patient(address=[{"text": "見本県見本市1-1"}])


def measured(code: str, unit: str) -> dict[str, Any]:
    tree = blood_pressure(code=concept("http://loinc.org", code))
    del tree["component"]
    return tree | {"valueQuantity": {"value": 40, "unit": unit, "system": UCUM, "code": unit}}


def panel() -> dict[str, Any]:
    tree = blood_pressure(code=concept("http://loinc.org", "85353-1"))
    del tree["component"]
    return tree | {"hasMember": [{"reference": "Observation/bp-1"}]}


MADE = {
    f"{R4}vitalsigns": blood_pressure(),
    f"{R4}vitalspanel": panel(),
    f"{R4}resprate": measured("9279-1", "/min"),
    f"{R4}heartrate": measured("8867-4", "/min"),
    f"{R4}oxygensat": measured("2708-6", "%"),
    f"{R4}bodytemp": measured("8310-5", "Cel"),
    f"{R4}bodyheight": measured("8302-2", "cm"),
    f"{R4}headcircum": measured("9843-4", "cm"),
    f"{R4}bodyweight": measured("29463-7", "kg"),
    f"{R4}bmi": measured("39156-5", "kg/m2"),
    f"{R4}bp": blood_pressure(),
    f"{CORE}JP_Patient": person(),
    f"{CORE}JP_MedicationRequest": prescription(),
    f"{CORE}JP_MedicationDispense": dispense(),
    f"{CORE}JP_Observation_Common": blood_pressure(),
    f"{CORE}JP_Observation_LabResult": laboratory(),
    f"{CORE}JP_Observation_VitalSigns": blood_pressure(),
    f"{CORE}JP_AllergyIntolerance": allergy(),
    f"{ECS}JP_Patient_eCS": person(),
    f"{ECS}JP_AllergyIntolerance_eCS": allergy(),
    f"{ECS}JP_MedicationRequest_eCS": prescription(),
    f"{ECS}JP_Observation_LabResult_eCS": laboratory(),
}


def without(tree: dict[str, Any], path: str) -> dict[str, Any]:
    """The tree less what stands at a dotted path; numbers are places in arrays."""
    changed: Any = deepcopy(tree)
    node = changed
    *steps, last = path.split(".")
    for step in steps:
        node = node[int(step)] if isinstance(node, list) else node[step]
    del node[int(last) if isinstance(node, list) else last]
    return dict(changed)


def test_every_profile_has_an_example() -> None:
    assert MADE.keys() == PROFILES.keys()


@pytest.mark.parametrize("url", PROFILES)
def test_example_keeps_its_profile(url: str) -> None:
    assert validate(MADE[url]) == []
    assert profile_problems(MADE[url], [url]) == []


REMOVED = [
    (f"{CORE}JP_Patient", "identifier", "Patient.identifier"),
    (f"{CORE}JP_Patient", "identifier.0.value", "Patient.identifier[0].value"),
    (f"{CORE}JP_MedicationRequest", "identifier.0", "MedicationRequest.identifier"),
    (f"{CORE}JP_MedicationRequest", "identifier.1.value", "MedicationRequest.identifier"),
    (f"{CORE}JP_MedicationRequest", "authoredOn", "MedicationRequest.authoredOn"),
    (
        f"{CORE}JP_MedicationRequest",
        "medicationCodeableConcept.coding.0.display",
        "MedicationRequest.medicationCodeableConcept.coding[0].display",
    ),
    (
        f"{CORE}JP_MedicationRequest",
        "dosageInstruction.0.text",
        "MedicationRequest.dosageInstruction[0].text",
    ),
    (
        f"{CORE}JP_MedicationRequest",
        "dosageInstruction.0.timing.code",
        "MedicationRequest.dosageInstruction[0].timing.code",
    ),
    (
        f"{CORE}JP_MedicationRequest",
        "dispenseRequest.quantity.code",
        "MedicationRequest.dispenseRequest.quantity.code",
    ),
    (f"{CORE}JP_MedicationDispense", "whenHandedOver", "MedicationDispense.whenHandedOver"),
    (f"{CORE}JP_MedicationDispense", "quantity", "MedicationDispense.quantity"),
    (f"{CORE}JP_MedicationDispense", "quantity.unit", "MedicationDispense.quantity.unit"),
    (f"{CORE}JP_Observation_LabResult", "code.text", "Observation.code.text"),
    (f"{CORE}JP_Observation_LabResult", "effectiveDateTime", "Observation.effective[x]"),
    (f"{CORE}JP_Observation_LabResult", "specimen", "Observation.specimen"),
    (f"{CORE}JP_Observation_VitalSigns", "category", "Observation.category"),
    (f"{CORE}JP_Observation_VitalSigns", "subject", "Observation.subject"),
    (f"{CORE}JP_AllergyIntolerance", "code", "AllergyIntolerance.code"),
    (f"{ECS}JP_Patient_eCS", "birthDate", "Patient.birthDate"),
    (f"{ECS}JP_Patient_eCS", "address.0.text", "Patient.address[0].text"),
    (f"{ECS}JP_AllergyIntolerance_eCS", "code.coding.0.code", "AllergyIntolerance.code.coding[0].code"),
    (f"{ECS}JP_AllergyIntolerance_eCS", "identifier", "AllergyIntolerance.identifier"),
    (f"{ECS}JP_MedicationRequest_eCS", "identifier.2", "MedicationRequest.identifier"),
    (
        f"{ECS}JP_MedicationRequest_eCS",
        "dosageInstruction.0.extension",
        "MedicationRequest.dosageInstruction[0].extension",
    ),
    (
        f"{ECS}JP_MedicationRequest_eCS",
        "dosageInstruction.0.doseAndRate.0.type",
        "MedicationRequest.dosageInstruction[0].doseAndRate[0].type",
    ),
    (f"{ECS}JP_Observation_LabResult_eCS", "identifier.0.value", "Observation.identifier"),
]


@pytest.mark.parametrize(("url", "path", "expression"), REMOVED)
def test_what_is_missing_is_told_with_its_place(url: str, path: str, expression: str) -> None:
    problems = profile_problems(without(MADE[url], path), [url])
    assert expression in {problem.expression for problem in problems}
    assert {problem.severity for problem in problems} == {"error"}
    name = url.rpartition("/")[2]
    assert all(problem.text.startswith(f"{name}: ") for problem in problems)


@pytest.mark.parametrize(
    ("url", "change", "expression"),
    [
        (f"{CORE}JP_MedicationRequest", {"intent": "plan"}, "MedicationRequest.intent"),
        (f"{ECS}JP_MedicationRequest_eCS", {"status": "active"}, "MedicationRequest.status"),
        (
            f"{ECS}JP_MedicationRequest_eCS",
            {"medicationCodeableConcept": coded("http://medis.or.jp/CodeSystem/master-HOT9", "103835401")},
            "MedicationRequest.medicationCodeableConcept.coding",
        ),
        (
            f"{ECS}JP_MedicationRequest_eCS",
            {"note": [{"text": "a"}, {"text": "b"}]},
            "MedicationRequest.note",
        ),
        (
            f"{ECS}JP_Observation_LabResult_eCS",
            {"code": coded("http://medis.or.jp/CodeSystem/master-JLAC10-17digits", "3A015000002327101")},
            "Observation.code.coding",
        ),
        (f"{CORE}JP_Observation_LabResult", {"valueBoolean": True}, "Observation.valueBoolean"),
        (
            f"{CORE}JP_Observation_LabResult",
            {"category": [coded("http://x.example", "laboratory")]},
            "Observation.category[0].coding",
        ),
    ],
)
def test_another_value_than_the_profile_fixes_is_told(
    url: str, change: dict[str, Any], expression: str
) -> None:
    tree = MADE[url] | change
    if "valueBoolean" in change:
        del tree["valueQuantity"]
    assert expression in {problem.expression for problem in profile_problems(tree, [url])}


def test_several_numbers_of_one_kind_are_refused() -> None:
    tree = prescription()
    tree["identifier"] += [tree["identifier"][0]]
    (problem,) = profile_problems(tree, [f"{CORE}JP_MedicationRequest"])
    assert (problem.code, problem.expression) == ("structure", "MedicationRequest.identifier")


# Which profiles


def test_unknown_profile_is_a_warning_and_never_silence() -> None:
    (problem,) = profile_problems(patient(), ["http://x.example/StructureDefinition/own"])
    assert (problem.severity, problem.code) == ("warning", "not-found")
    assert "http://x.example/StructureDefinition/own" in problem.text
    assert "not known" in problem.text


def test_hostile_profile_name_is_not_repeated() -> None:
    (problem,) = profile_problems(patient(), ["http://x.example/見本 花子"])
    assert "見本" not in problem.text


def test_profile_of_another_type_is_an_error() -> None:
    (problem,) = profile_problems(patient(), [f"{CORE}JP_MedicationRequest"])
    assert problem.severity == "error"


def test_base_definition_is_kept_by_what_r4_finds_valid() -> None:
    assert profile_problems(patient(), ["http://hl7.org/fhir/StructureDefinition/Patient"]) == []


@pytest.mark.parametrize(("version", "warnings"), [("", 0), ("|1", 0), ("|1.12.0", 0), ("|2", 1), ("|12", 1)])
def test_version_that_is_not_known_is_said(version: str, warnings: int) -> None:
    url = f"{ECS}JP_Patient_eCS{version}"
    assert [problem.severity for problem in profile_problems(person(), [url])] == ["warning"] * warnings


def test_missing_text_of_a_reaction_is_a_warning() -> None:
    tree = allergy() | {"reaction": [{"manifestation": [concept("http://x.example", "x")]}]}
    (problem,) = profile_problems(tree, [f"{ECS}JP_AllergyIntolerance_eCS"])
    assert problem.severity == "warning"


# Claims


def claiming(tree: dict[str, Any], *urls: str) -> dict[str, Any]:
    return tree | {"meta": {"profile": list(urls)}}


def test_claim_of_an_exchange_profile_is_held_when_stored() -> None:
    broken = laboratory() | {"code": coded("http://x.example", "1")}
    tree = claiming(broken, f"{ECS}JP_Observation_LabResult_eCS|1")
    assert [problem.expression for problem in validate(tree)] == ["Observation.code.coding"]
    assert validate(claiming(laboratory(), f"{ECS}JP_Observation_LabResult_eCS|1")) == []


def test_other_claims_do_not_keep_a_record_out() -> None:
    assert validate(claiming(patient(identifier=None), f"{CORE}JP_Patient", "http://x.example/p")) == []


@pytest.mark.parametrize("meta", [None, {}, {"profile": []}, {"profile": "x"}, {"profile": [1]}, "x"])
def test_claims_are_read_where_they_stand(meta: object) -> None:
    assert claimed({"resourceType": "Patient", "meta": meta}) == ()
    assert held_problems({"resourceType": "Patient", "meta": meta}) == []
