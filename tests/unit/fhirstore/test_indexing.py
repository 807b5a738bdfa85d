from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fhirstore.facts import extract
from fhirstore.indexing import IndexRows, Token, UnsearchableToken, index_rows, parse_token, token_keys
from fhirstore.keys import KeyMaker
from fhirstore.parameters import parameters_of
from fhirstore.times import interval_of
from tests.unit.fhirstore.examples import (
    ALLERGY_CLINICAL,
    LOINC,
    YJ,
    allergy,
    blood_pressure,
    concept,
    medication_request,
    patient,
    valid_resources,
)

TOKYO = ZoneInfo("Asia/Tokyo")
KEYS = KeyMaker(bytes(32))
LOCAL = "http://hospital.example/codes"
SNOMED = "http://snomed.info/sct"
HERE = "https://passport.example/fhir"


def rows(tree: dict[str, Any]) -> IndexRows:
    return index_rows(tree, extract(tree, zone=TOKYO), keys=KEYS)


def is_owned_otherwise(tree: dict[str, Any]) -> bool:
    facts = extract(tree, zone=TOKYO, base_urls=(HERE,))
    return index_rows(tree, facts, keys=KEYS).owned_otherwise


def found(tree: dict[str, Any], name: str, text: str) -> bool:
    """Return whether a search would find the resource by its index rows."""
    parameter = parameters_of(tree["resourceType"])[name]
    values = {row.value for row in rows(tree).tokens if row.parameter == parameter.number}
    return not values.isdisjoint(token_keys(parameter, parse_token(text), KEYS))


def test_reading_has_one_row_for_its_code_with_its_start() -> None:
    written = rows(blood_pressure())
    assert [row.value for row in written.tokens] == [KEYS.code(LOINC, "85354-9")]
    taken = interval_of("2024-06-01T07:02:11+09:00", TOKYO)
    assert taken is not None
    assert written.tokens[0].starts == taken.start
    assert written.identifiers == ()


@pytest.mark.parametrize("text", ["85354-9", f"{LOINC}|85354-9", "other", f"{LOCAL}|bp"])
def test_code_is_found_with_and_without_its_system(text: str) -> None:
    both = {
        "coding": [{"system": LOINC, "code": "85354-9"}, {"system": LOCAL, "code": "bp"}, {"code": "other"}]
    }
    assert found(blood_pressure(code=both), "code", text)


@pytest.mark.parametrize("text", ["8480-6", "|85354-9", f"{LOCAL}|85354-9", "85354", "bp"])
def test_other_codes_do_not_find_it(text: str) -> None:
    assert not found(blood_pressure(), "code", text)


@pytest.mark.parametrize(("text", "expected"), [("bp", True), ("|bp", True), (f"{LOINC}|bp", False)])
def test_code_without_system_is_found_as_such(text: str, expected: bool) -> None:
    assert found(blood_pressure(code={"coding": [{"code": "bp"}]}), "code", text) is expected


def test_code_of_a_usual_system_has_no_second_row() -> None:
    assert len(rows(medication_request()).tokens) == 1
    assert len(rows(medication_request(medicationCodeableConcept=concept(LOCAL, "x"))).tokens) == 2


def test_undated_record_has_a_row_without_start() -> None:
    assert [row.starts for row in rows(allergy()).tokens] == [None]


@pytest.mark.parametrize("text", ["91936005", "294505008"])
def test_allergy_is_found_by_its_code_and_by_the_substances_of_its_reactions(text: str) -> None:
    reacted = {"substance": concept(SNOMED, "294505008"), "manifestation": [concept(SNOMED, "271807003")]}
    assert found(allergy(code=concept(SNOMED, "91936005"), reaction=[reacted]), "code", text)


@pytest.mark.parametrize("name", ["Group", "Bundle", "Provenance"])
def test_what_the_elements_answer_has_no_rows(name: str) -> None:
    tree = valid_resources()[name] | {"code": concept(LOCAL, "x"), "timestamp": "2026-06-01T09:00:00Z"}
    written = rows(tree)
    assert written.tokens == ()


@pytest.mark.parametrize("text", ["0001", "http://city.example/id|0001", "http://city.example/id|"])
def test_identifier_is_found_by_value_pair_or_system(text: str) -> None:
    parameter = parameters_of("Patient")["identifier"]
    assert set(token_keys(parameter, parse_token(text), KEYS)) <= set(rows(patient()).identifiers)


@pytest.mark.parametrize("text", ["|0001", "http://other.example|0001", "0002", "http://other.example|"])
def test_other_identifiers_do_not_find_it(text: str) -> None:
    parameter = parameters_of("Patient")["identifier"]
    assert set(token_keys(parameter, parse_token(text), KEYS)).isdisjoint(rows(patient()).identifiers)


@pytest.mark.parametrize("identifier", [{"system": "http://city.example/id"}, {"value": ["0001"]}, "0001"])
def test_identifier_without_value_has_no_row(identifier: object) -> None:
    assert rows(patient(identifier=[identifier])).identifiers == ()


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("active", True),
        (f"{ALLERGY_CLINICAL}|active", True),
        ("http://other.example|active", False),
        ("|active", False),
        ("Active", False),
    ],
)
def test_status_is_found_in_its_own_system_alone(text: str, matches: bool) -> None:
    parameter = parameters_of("AllergyIntolerance")["clinical-status"]
    status = extract(allergy(), zone=TOKYO).columns(KEYS).status
    assert (status in token_keys(parameter, parse_token(text), KEYS)) is matches


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("medication", True),
        ("http://hl7.org/fhir/allergy-intolerance-category|medication", True),
        ("food", False),
        ("|medication", False),
    ],
)
def test_category_is_found_with_and_without_its_system(text: str, matches: bool) -> None:
    parameter = parameters_of("AllergyIntolerance")["category"]
    categories = extract(allergy(), zone=TOKYO).columns(KEYS).categories
    assert (not set(categories).isdisjoint(token_keys(parameter, parse_token(text), KEYS))) is matches


@pytest.mark.parametrize("name", ["code", "category", "status"])
def test_system_alone_is_refused_where_only_codes_are_indexed(name: str) -> None:
    with pytest.raises(UnsearchableToken, match=f"for `{name}`"):
        token_keys(parameters_of("Observation")[name], parse_token(f"{LOINC}|"), KEYS)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("a", Token(None, "a")),
        ("s|a", Token("s", "a")),
        ("|a", Token("", "a")),
        ("s|", Token("s", None)),
        ("s|a|b", Token("s", "a|b")),
        ("s\\|t|a", Token("s|t", "a")),
        ("s\\\\|a", Token("s\\", "a")),
        ("a\\,b", Token(None, "a,b")),
        ("a\\|b", Token(None, "a|b")),
        ("", Token(None, "")),
    ],
)
def test_token_is_read_with_its_escapes(text: str, token: Token) -> None:
    assert parse_token(text) == token


def test_two_codings_of_one_code_have_one_row() -> None:
    twice = {"coding": [{"system": YJ, "code": "1"}, {"system": YJ, "code": "1", "display": "x"}]}
    assert len(rows(medication_request(medicationCodeableConcept=twice)).tokens) == 1


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p1",
        "Patient/p1/_history/2",
        f"{HERE}/Patient/p1",
        f"{HERE}/Patient/p1/_history/2",
    ],
)
def test_record_about_its_owner_has_no_row_that_says_otherwise(reference: str) -> None:
    assert not is_owned_otherwise(blood_pressure(subject={"reference": reference}))


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Group/g1"},
        {"reference": "https://elsewhere.example/fhir/Patient/p1"},
        {"identifier": {"value": "0001"}},
        {"reference": "#p1"},
        None,
    ],
)
def test_record_that_another_element_gave_to_its_owner_has_a_row_that_says_so(subject: object) -> None:
    tree = blood_pressure(subject=subject, performer=[{"reference": "Patient/p1"}])
    assert extract(tree, zone=TOKYO).patients == ("Patient/p1",)
    assert is_owned_otherwise(tree)


def test_record_that_its_contained_resource_gave_to_its_owner_has_a_row_that_says_so() -> None:
    tree = valid_resources()["Encounter"] | {"contained": [blood_pressure(id="c")]}
    tree.pop("subject", None)
    assert is_owned_otherwise(tree)


def test_record_of_nobody_has_no_row_about_its_owner() -> None:
    assert not is_owned_otherwise(blood_pressure(subject=None, performer=None))


@pytest.mark.parametrize("name", ["Provenance", "Group", "Practitioner"])
def test_type_that_is_not_asked_by_its_owner_has_no_row_about_it(name: str) -> None:
    assert not is_owned_otherwise(valid_resources()[name])
