from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from fhirstore.errors import Problem
from fhirstore.parse import Number
from fhirstore.validate import validate
from tests.unit.fhirstore.examples import (
    LOINC,
    allergy,
    blood_pressure,
    concept,
    medication_request,
    patient,
    valid_resources,
)

EXTENSION = {"url": "http://x.example/e", "valueString": "a"}


def found(tree: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.code, problem.expression) for problem in validate(tree)]


@pytest.mark.parametrize("name", valid_resources())
def test_valid_resource_of_every_type_has_no_problem(name: str) -> None:
    assert validate(valid_resources()[name]) == []


def test_everything_that_is_wrong_is_told_at_once() -> None:
    tree = blood_pressure(
        status="finished", foo=1, effectiveDateTime="2024-13", code=None, subject={"reference": "nobody"}
    )
    tree["component"][1]["valueQuantity"]["value"] = "82"
    assert found(tree) == [
        ("code-invalid", "Observation.status"),
        ("value", "Observation.subject.reference"),
        ("value", "Observation.effectiveDateTime"),
        ("value", "Observation.component[1].valueQuantity.value"),
        ("structure", "Observation.foo"),
        ("required", "Observation.code"),
    ]


def test_an_identifier_has_one_spelling() -> None:
    composed, parted = "caf\u00e9", "cafe\u0301"
    system = "http://x.example/"
    assert found(patient(identifier=[{"system": f"{system}{composed}", "value": composed}])) == []
    assert found(
        patient(
            identifier=[{"system": f"{system}{parted}", "value": composed}, {"value": parted}],
            name=[{"text": parted}],
        )
    ) == [("value", "Patient.identifier[0].system"), ("value", "Patient.identifier[1].value")]


def test_hostile_resource_does_not_make_an_endless_answer() -> None:
    assert len(validate(blood_pressure() | {f"x{number}": 1 for number in range(1000)})) == 100


@pytest.mark.parametrize("name", [None, 5, "", "Invoice", "DomainResource", "Quantity", "Zzz", "observation"])
def test_type_that_the_store_does_not_hold_is_refused(name: object) -> None:
    assert [problem.code for problem in validate({"resourceType": name, "id": "x"})] == ["not-supported"]


@pytest.mark.parametrize("name", ["Invoice", "ImagingStudy", "Flag"])
def test_type_that_the_store_does_not_hold_is_checked_inside_of_another(name: str) -> None:
    inside = {
        "resourceType": name,
        "id": "x",
        "status": "active",
        "code": {"text": "x"},
        "subject": {"display": "x"},
    }
    tree = blood_pressure(
        contained=[inside | {"foo": 1}],
        extension=[{"url": "http://x.example/e", "valueReference": {"reference": "#x"}}],
    )
    assert ("structure", "Observation.contained[0].foo") in found(tree)
    assert "not-supported" not in dict(found(tree))


@pytest.mark.parametrize(
    ("name", "elements", "wrong"),
    [
        ("Flag", {"status": "active"}, {"status": "final"}),
        ("DeviceRequest", {"intent": "order", "priority": "stat"}, {"intent": "order", "priority": "now"}),
        ("RiskAssessment", {"status": "cancelled"}, {"status": "draft"}),
    ],
)
def test_codes_of_a_type_that_only_stands_inside_are_bound(
    name: str, elements: dict[str, str], wrong: dict[str, str]
) -> None:
    needed = {
        "Flag": {"code": {"text": "x"}},
        "DeviceRequest": {"codeCodeableConcept": {"text": "x"}},
        "RiskAssessment": {},
    }[name]
    inside: dict[str, Any] = {"resourceType": name, "id": "x", "subject": {"display": "x"}, **needed}
    refers = [{"url": "http://x.example/e", "valueReference": {"reference": "#x"}}]
    assert found(blood_pressure(contained=[inside | elements], extension=refers)) == []
    (problem,) = found(blood_pressure(contained=[inside | wrong], extension=refers))
    assert problem == ("code-invalid", f"Observation.contained[0].{list(wrong)[-1]}")


@pytest.mark.parametrize("name", ["Parameters", "MedicinalProduct", "Evidence", "Nonsense"])
def test_type_whose_facts_could_not_be_read_is_refused_inside_of_another(name: str) -> None:
    inside = {"resourceType": name, "id": "x"}
    tree = blood_pressure(
        contained=[inside], extension=[{"url": "http://x.example/e", "valueReference": {"reference": "#x"}}]
    )
    assert found(tree) == [("not-supported", "Observation.contained[0]")]


# Names and shapes


@pytest.mark.parametrize(
    "name",
    [
        "foo",
        "Status",
        "fhir_comments",
        "resource_type",
        "status__ext",
        "class_fhir",
        "_id",
        "_code",
        "_foo",
        "見本",
        "",
    ],
)
def test_element_that_the_type_does_not_have_is_refused(name: str) -> None:
    assert [code for code, _ in found(blood_pressure() | {name: "x"})] == ["structure"]


def test_name_that_could_be_a_persons_is_not_repeated() -> None:
    assert "見本" not in repr(validate(blood_pressure() | {"見本 花子": 1}))


@pytest.mark.parametrize(
    ("name", "value", "expression"),
    [
        ("category", concept(LOINC, "x"), "Observation.category"),
        ("category", [], "Observation.category"),
        ("category", [{}], "Observation.category[0]"),
        ("category", [None], "Observation.category[0]"),
        ("category", None, None),
        ("code", [concept(LOINC, "x")], "Observation.code"),
        ("code", {}, "Observation.code"),
        ("code", "x", "Observation.code"),
        ("code", '{"text":"x"}', "Observation.code"),
        ("status", ["final"], "Observation.status"),
        ("status", {"a": 1}, "Observation.status"),
    ],
)
def test_object_array_and_value_are_not_taken_for_each_other(
    name: str, value: Any, expression: str | None
) -> None:
    assert [where for _, where in found(blood_pressure(**{name: value}))] == (
        [expression] if expression else []
    )


def test_null_is_no_value() -> None:
    tree = blood_pressure()
    tree["subject"] = None
    tree["issued"] = None
    assert [where for _, where in found(tree)] == ["Observation.subject", "Observation.issued"]


def test_element_with_an_id_alone_is_empty() -> None:
    assert found(blood_pressure(subject={"id": "x"})) == [("invariant", "Observation.subject")]


@pytest.mark.parametrize("group", ["valueString", "_valueString"])
def test_choice_is_one_of_its_types(group: str) -> None:
    other: Any = "x" if group == "valueString" else {"extension": [EXTENSION]}
    tree = blood_pressure(component=None, valueInteger=5) | {group: other}
    assert found(tree) == [("structure", "Observation")]


def test_choice_with_an_extension_of_itself_is_one() -> None:
    tree = blood_pressure(component=None, valueInteger=5, _valueInteger={"extension": [EXTENSION]})
    assert found(tree) == []


def test_required_choice_is_missed() -> None:
    assert found(medication_request(medicationCodeableConcept=None)) == [("required", "MedicationRequest")]


def test_required_value_may_be_explained_by_an_extension() -> None:
    assert found(blood_pressure(status=None)) == [("required", "Observation.status")]
    assert found(blood_pressure(status=None, _status={"extension": [EXTENSION]})) == []


# Extensions beside values


@pytest.mark.parametrize(
    ("given", "beside"),
    [
        (["花", "子"], [None, {"id": "x"}]),
        (["花", None], [None, {"extension": [EXTENSION]}]),
        (None, [{"extension": [EXTENSION]}]),
        (["花"], None),
    ],
)
def test_array_and_its_extensions_stand_side_by_side(given: Any, beside: Any) -> None:
    name = {key: value for key, value in (("given", given), ("_given", beside)) if value is not None}
    assert found(patient(name=[name])) == []


@pytest.mark.parametrize(
    ("given", "beside"),
    [
        (["花"], [None, {"id": "x"}]),
        (["花", None], [{"id": "x"}, None]),
        (["花", None], None),
        (["花", None], [None, {"id": "x"}]),
        (None, [{"id": "x"}]),
        ([None], [None]),
        (["花"], []),
        (["花"], {"id": "x"}),
        (["花"], [{}]),
        (["花"], ["x"]),
        (["花"], [{"foo": 1}]),
        ("花", None),
    ],
)
def test_array_and_extensions_that_do_not_fit_are_refused(given: Any, beside: Any) -> None:
    name = {key: value for key, value in (("given", given), ("_given", beside)) if value is not None}
    assert found(patient(name=[name]))


@pytest.mark.parametrize(
    "extension", [{}, None, "x", [EXTENSION], {"extension": []}, {"foo": 1}, {"extension": [{}]}]
)
def test_extension_of_a_single_value_is_checked(extension: object) -> None:
    tree = blood_pressure()
    tree["_status"] = extension
    assert found(tree)


def test_extension_of_no_value_says_more_than_an_id() -> None:
    assert found(blood_pressure(_status={"id": "x"})) == []
    empty = found(blood_pressure(status=None, _status={"id": "x"}))
    assert empty == [("invariant", "Observation.status")]


# Bindings


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"gender": "F"}, "Patient.gender"),
        ({"identifier": [{"use": "main", "value": "1"}]}, "Patient.identifier[0].use"),
        ({"name": [{"use": "usual", "text": "a"}, {"use": "kanji"}]}, "Patient.name[1].use"),
        ({"telecom": [{"system": "tel", "value": "1"}]}, "Patient.telecom[0].system"),
        ({"address": [{"use": "home", "type": "house"}]}, "Patient.address[0].type"),
        ({"contact": [{"gender": "x", "name": {"text": "a"}}]}, "Patient.contact[0].gender"),
    ],
)
def test_required_binding_is_checked_wherever_the_type_stands(
    change: dict[str, Any], expression: str
) -> None:
    assert found(patient(**change)) == [("code-invalid", expression)]


def test_binding_inside_an_extension_is_checked() -> None:
    extension = {"url": "http://x.example/e", "valueIdentifier": {"use": "main", "value": "1"}}
    assert found(patient(extension=[extension])) == [
        ("code-invalid", "Patient.extension[0].valueIdentifier.use")
    ]


def test_days_and_units_of_time_are_bound() -> None:
    repeat = {"dayOfWeek": ["mon", "monday"], "period": 1, "periodUnit": "day"}
    tree = medication_request(dosageInstruction=[{"timing": {"repeat": repeat}}])
    at = "MedicationRequest.dosageInstruction[0].timing.repeat"
    assert found(tree) == [("code-invalid", f"{at}.dayOfWeek[1]"), ("code-invalid", f"{at}.periodUnit")]


@pytest.mark.parametrize(
    "status",
    [concept("http://x.example", "active"), concept("", "active"), {"text": "active"}],
)
def test_required_concept_needs_a_code_of_its_system(status: dict[str, Any]) -> None:
    status = {"text": "active"} if status.get("coding", [{}])[0].get("system") == "" else status
    assert ("code-invalid", "AllergyIntolerance.clinicalStatus") in found(allergy(clinicalStatus=status))


def test_required_concept_refuses_an_unknown_code_beside_a_known_one() -> None:
    system = allergy()["clinicalStatus"]["coding"][0]["system"]
    assert found(allergy(clinicalStatus=concept(system, "active", "quiet"))) == [
        ("code-invalid", "AllergyIntolerance.clinicalStatus")
    ]


def test_required_concept_allows_codes_of_other_systems_beside_its_own() -> None:
    both = deepcopy(allergy()["clinicalStatus"])
    both["coding"].append({"system": "http://x.example", "code": "quiet"})
    assert found(allergy(clinicalStatus=both)) == []


@pytest.mark.parametrize(
    ("system", "code", "problems"),
    [
        ("http://terminology.hl7.org/CodeSystem/consentscope", "privacy", 1),
        ("http://terminology.hl7.org/CodeSystem/consentscope", "research", 0),
        ("http://x.example", "privacy", 0),
    ],
)
def test_scope_of_a_consent_may_be_of_another_system(system: str, code: str, problems: int) -> None:
    assert len(found(valid_resources()["Consent"] | {"scope": concept(system, code)})) == problems


def test_confidentiality_is_one_of_the_six() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "HIV"}
    assert found(blood_pressure(meta={"security": [label]})) == [
        ("code-invalid", "Observation.meta.security")
    ]


def test_code_that_could_be_words_of_a_person_is_not_repeated() -> None:
    problems = validate(patient(gender="見本 花子"))
    assert [problem.code for problem in problems] == ["code-invalid"]
    assert "見本" not in repr(problems)


# Numbers


@pytest.mark.parametrize("value", [5, 0, -5, Number("5.0"), Number("1e2"), Decimal("0.10")])
def test_decimal_is_any_number(value: object) -> None:
    assert found(blood_pressure(component=None, valueQuantity={"value": value})) == []


@pytest.mark.parametrize("value", ["5", True, [5], {"value": 5}, 5.0])
def test_decimal_is_nothing_but_a_number(value: object) -> None:
    tree = blood_pressure(component=None, valueQuantity={"value": value})
    assert found(tree) == [("value", "Observation.valueQuantity.value")]


@pytest.mark.parametrize("value", [Number("5.0"), "5", True, 2**31, -(2**31) - 1])
def test_integer_is_a_whole_number_of_32_bits(value: object) -> None:
    tree = blood_pressure(component=None, valueInteger=value)
    assert found(tree) == [("value", "Observation.valueInteger")]


# fhir.resources


@pytest.mark.parametrize("name", valid_resources())
def test_models_are_asked_on_demand(name: str) -> None:
    assert validate(valid_resources()[name], confirm=True) == []


def test_elements_of_r4_that_r4b_lacks_are_accepted() -> None:
    meta = {"url": "http://x.example/e", "valueMeta": {"versionId": "1"}}
    uuid = {"url": "http://x.example/e", "valueUuid": "urn:uuid:c757873d-ec9a-11e3-a141-60f81dc1ab68"}
    assert validate(patient(extension=[meta, uuid]), confirm=True) == []


@pytest.mark.parametrize("name", ["valueCodeableReference", "valueRatioRange"])
def test_elements_that_only_r4b_has_are_refused(name: str) -> None:
    extension = {"url": "http://x.example/e", name: {"extension": [EXTENSION]}}
    assert ("structure", f"Patient.extension[0].{name}") in found(patient(extension=[extension]))


def test_bundle_entries_are_checked_in_their_place() -> None:
    tree = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient(gender="F")}]}
    assert found(tree) == [("code-invalid", "Bundle.entry[0].resource.gender")]


def test_problem_says_what_was_expected() -> None:
    assert validate(patient(gender="F")) == [
        Problem(
            "error", "code-invalid", "Patient.gender", "got `F`, expected one of female, male, other, unknown"
        )
    ]


@pytest.mark.parametrize(
    ("element", "value", "got"),
    [
        ("status", ["final"], "an array"),
        ("status", 5, "a number"),
        ("status", {"a": 1}, "an object"),
        ("status", True, "a boolean"),
        ("status", "final ", "another text"),
        ("status", "", "an empty text"),
        ("category", {"text": "x"}, "an object"),
        ("category", [], "an empty array"),
        ("note", "x", "another text"),
        ("subject", "Patient/1", "another text"),
        ("subject", {}, "an empty object"),
        ("valueQuantity", 5, "a number"),
        ("effectiveDateTime", None, "null"),
        ("effectiveDateTime", 20261122, "a number"),
    ],
)
def test_what_is_wrong_says_what_was_got(element: str, value: Any, got: str) -> None:
    (problem,) = validate({**blood_pressure(), element: value})
    assert problem.text.startswith(f"got {got}, expected ")


@pytest.mark.parametrize("day", ["2026-02-30", "2026-13-01", "2026-02-30T10:00:00+09:00"])
def test_a_day_that_there_is_not_is_told_from_what_is_no_date(day: str) -> None:
    (problem,) = validate({**blood_pressure(), "effectiveDateTime": day})
    assert problem.text == "got another text, expected a day that the calendar has"
