from typing import Any

import pytest

from fhirstore.matching import NeedsTerminology, UnfitModifier, matcher, sort_value
from fhirstore.parameters import Kind, SearchParameter
from fhirstore.search.test import BadValue, UnknownModifier
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

LOINC = "http://loinc.org"
LOCAL = "http://hospital.example/codes"
MRN = "http://acme.example/patient"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"

CODE = parameter(Kind.TOKEN, "code", type_name="Condition")
IDENTIFIER = parameter(Kind.TOKEN, "identifier", type_name="Patient")
GENDER = parameter(Kind.TOKEN, "gender", type_name="Patient")
ACTIVE = parameter(Kind.TOKEN, "active", type_name="Patient")
TELECOM = parameter(Kind.TOKEN, "telecom", type_name="Patient")
DECEASED = parameter(Kind.TOKEN, "?deceasedBoolean|deceasedDateTime", type_name="Patient")
STATUS = parameter(Kind.TOKEN, "status", type_name="Observation")
CONTENT_TYPE = parameter(Kind.TOKEN, "content.attachment.contentType")
LOT = parameter(Kind.TOKEN, "lotNumber", type_name="Immunization")

HEADACHE = {
    "code": {
        "coding": [
            {"system": LOCAL, "code": "ha125", "display": "Headache, chronic"},
            {"code": "bare"},
        ],
        "text": "頭痛",
    }
}
PATIENT = {
    "identifier": [
        {
            "system": MRN,
            "value": "2345",
            "type": {"coding": [{"system": V2_0203, "code": "MR"}], "text": "Medical record"},
        },
        {"value": "1.2.3"},
    ]
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ha125", True),
        (f"{LOCAL}|ha125", True),
        (f"{LOCAL}|", True),
        ("|ha125", False),
        ("|bare", True),
        ("bare", True),
        (f"{LOCAL}|bare", False),
        (f"{LOINC}|ha125", False),
        (f"{LOINC}|", False),
        ("HA125", False),
        ("ha", False),
    ],
)
def test_code_is_found_by_itself_and_its_system(text: str, expected: bool) -> None:
    assert matches(CODE, HEADACHE, text) is expected
    assert matches(CODE, HEADACHE, text, modifier="not") is not expected


def test_coding_is_found_as_a_concept_is() -> None:
    tag = parameter(Kind.TOKEN, "meta.tag")
    tree = {"meta": {"tag": [{"system": LOCAL, "code": "a"}]}}
    assert matches(tag, tree, "a")
    assert matches(tag, tree, f"{LOCAL}|a")
    assert not matches(tag, tree, "|a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2345", True),
        (f"{MRN}|2345", True),
        ("|2345", False),
        ("|1.2.3", True),
        (f"{MRN}|", True),
        ("234", False),
    ],
)
def test_identifier_is_found_by_its_value_and_system(text: str, expected: bool) -> None:
    assert matches(IDENTIFIER, PATIENT, text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{V2_0203}|MR|2345", True),
        (f"{V2_0203}|MR|1.2.3", False),
        (f"{V2_0203}|PPN|2345", False),
    ],
)
def test_identifier_is_found_by_its_type(text: str, expected: bool) -> None:
    assert matches(IDENTIFIER, PATIENT, text, modifier="of-type") is expected


@pytest.mark.parametrize("text", ["MR|2345", f"{V2_0203}||2345", "2345", f"{V2_0203}|MR|2345|x"])
def test_identifier_of_type_needs_all_three_parts(text: str) -> None:
    with pytest.raises(BadValue):
        matcher(IDENTIFIER, "of-type", [text], CONTEXT)


@pytest.mark.parametrize(
    ("asked", "tree", "text"),
    [
        (CODE, HEADACHE, "headache"),
        (CODE, HEADACHE, "頭痛"),
        (IDENTIFIER, PATIENT, "MEDICAL"),
        (parameter(Kind.TOKEN, "meta.tag"), {"meta": {"tag": [{"display": "Test"}]}}, "test"),
    ],
)
def test_text_is_searched_as_a_string(asked: SearchParameter, tree: dict[str, Any], text: str) -> None:
    assert matches(asked, tree, text, modifier="text")
    assert not matches(asked, tree, f"x{text}", modifier="text")


def test_not_counts_a_record_as_a_whole() -> None:
    assert matches(GENDER, {}, "male", modifier="not")
    assert not matches(CODE, HEADACHE, "bare", modifier="not")
    assert not matches(GENDER, {"gender": "female"}, "male", "female", modifier="not")
    assert matches(GENDER, {"gender": "other"}, "male", "female", modifier="not")


@pytest.mark.parametrize(
    ("asked", "tree", "system"),
    [
        (GENDER, {"gender": "male"}, "http://hl7.org/fhir/administrative-gender"),
        (STATUS, {"status": "male"}, "http://hl7.org/fhir/observation-status"),
        (
            parameter(Kind.TOKEN, "category", type_name="AllergyIntolerance"),
            {"category": ["male"]},
            "http://hl7.org/fhir/allergy-intolerance-category",
        ),
    ],
)
def test_plain_code_is_found_with_the_system_that_its_binding_fixes(
    asked: SearchParameter, tree: dict[str, Any], system: str
) -> None:
    assert matches(asked, tree, "male")
    assert matches(asked, tree, f"{system}|male")
    assert matches(asked, tree, f"{system}|")
    assert not matches(asked, tree, f"{LOINC}|male")
    assert not matches(asked, tree, "|male")


def test_boolean_is_found_by_its_name() -> None:
    assert matches(ACTIVE, {"active": True}, "true")
    assert matches(ACTIVE, {"active": True}, "http://hl7.org/fhir/special-values|true")
    assert not matches(ACTIVE, {"active": False}, "true")
    assert not matches(ACTIVE, {}, "false")


def test_death_is_known_by_its_date_too() -> None:
    assert matches(DECEASED, {"deceasedDateTime": "2020-01-01"}, "true")
    assert matches(DECEASED, {}, "false")


@pytest.mark.parametrize(
    "text", ["0312345678", "03-1234-5678", "０３（１２３４）５６７８", "A.Tanaka@clinic.example"]
)
def test_contact_point_is_found_however_it_is_punctuated(text: str) -> None:
    tree = {
        "telecom": [
            {"system": "phone", "value": "03-1234-5678"},
            {"system": "email", "value": "a.tanaka@clinic.example"},
        ]
    }
    assert matches(TELECOM, tree, text)
    assert not matches(TELECOM, tree, "atanaka@clinic.example")
    assert not matches(TELECOM, tree, "312345678")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("phone|03 1234 5678", True),
        ("email|A.Tanaka@clinic.example", True),
        ("email|", True),
        ("email|0312345678", False),
        ("fax|0312345678", False),
        ("fax|", False),
        ("urn:oid:1.2.3|0312345678", False),
    ],
)
def test_contact_point_is_found_by_what_it_is_reached_through(text: str, *, expected: bool) -> None:
    tree = {
        "telecom": [
            {"system": "phone", "value": "03-1234-5678"},
            {"system": "email", "value": "a.tanaka@clinic.example"},
        ]
    }
    assert matches(TELECOM, tree, text) is expected


def test_elements_of_type_string_compare_without_case() -> None:
    assert matches(LOT, {"lotNumber": "aB-1"}, "AB-1")
    assert not matches(LOT, {"lotNumber": "aB-1"}, "AB-2")


@pytest.mark.parametrize("modifier", ["in", "not-in", "above", "below"])
def test_modifiers_of_meaning_are_refused_with_the_reason(modifier: str) -> None:
    with pytest.raises(NeedsTerminology, match="needs a terminology server") as refused:
        matcher(CODE, modifier, ["x"], CONTEXT)
    assert isinstance(refused.value, UnknownModifier)
    assert refused.value.parameter == "asked"


@pytest.mark.parametrize("modifier", ["exact", "of-type", "identifier"])
def test_modifier_that_a_code_has_not_is_refused(modifier: str) -> None:
    with pytest.raises(UnfitModifier, match="expected one of `:not`, `:text`, `:missing` or none"):
        matcher(CODE, modifier, ["x"], CONTEXT)


def test_media_type_is_found_above_its_parameters() -> None:
    tree = {"content": [{"attachment": {"contentType": "text/xml; charset=UTF-8"}}]}
    assert not matches(CONTENT_TYPE, tree, "text/xml")
    assert matches(CONTENT_TYPE, tree, "text/xml", modifier="below")
    assert matches(CONTENT_TYPE, tree, "text", modifier="below")
    assert not matches(CONTENT_TYPE, tree, "text/xm", modifier="below")


@pytest.mark.parametrize("text", ["", "|"])
def test_empty_token_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        matcher(CODE, None, [text], CONTEXT)


def test_bar_inside_a_code_is_escaped() -> None:
    tree = {"code": {"coding": [{"code": "a|b"}]}}
    assert matches(CODE, tree, r"a\|b")


def test_sorted_by_code() -> None:
    assert sort_value(CODE, HEADACHE, CONTEXT, descending=False) == "ha125"
    assert sort_value(GENDER, {"gender": "male"}, CONTEXT, descending=True) == "male"
    assert sort_value(CODE, {"code": {"text": "x"}}, CONTEXT, descending=True) is None
