"""What the facts of a record answer is what its elements say: the same values find it either way.

http://hl7.org/fhir/R4/search.html#token
"""

from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.facts import extract
from fhirstore.indexing import index_rows, parse_token, token_keys
from fhirstore.keys import KeyMaker
from fhirstore.matching import Context, matcher
from fhirstore.parameters import SearchParameter, Source, parameters_of
from tests.unit.fhirstore.examples import LOINC, allergy, blood_pressure, medication_request, patient

TOKYO: Final = ZoneInfo("Asia/Tokyo")
KEYS: Final = KeyMaker(bytes(32))
HERE: Final = "https://passport.example/fhir"
CONTEXT: Final = Context(TOKYO, (HERE,))
SYSTEMS: Final = (LOINC, "http://hospital.example/codes", "http://other.example/codes")
CODES: Final = ("85354-9", "bp", "BP", "b|p")

written_systems = st.none() | st.sampled_from(SYSTEMS)
codes = st.none() | st.sampled_from(CODES)


def present(**elements: Any) -> dict[str, Any]:
    return {name: value for name, value in elements.items() if value is not None}


codings = st.builds(present, system=written_systems, code=codes)
concepts = st.builds(present, coding=st.none() | st.lists(codings, min_size=1, max_size=3), text=codes)
identifiers = st.builds(present, system=written_systems, value=codes)
tokens = st.one_of(
    st.sampled_from(("85354-9", "bp", "BP", r"b\|p", "zzz")),
    st.builds("{}|{}".format, st.sampled_from(("", *SYSTEMS)), st.sampled_from(("85354-9", "bp", r"b\|p"))),
)


def by_facts(parameter: SearchParameter, tree: dict[str, Any], text: str) -> bool:
    facts = extract(tree, zone=TOKYO)
    rows, columns = index_rows(tree, facts, keys=KEYS), facts.columns(KEYS)
    held: dict[Source, set[Any]] = {
        Source.CODE_ROWS: {row.value for row in rows.tokens if row.parameter == parameter.number},
        Source.CATEGORIES: set(columns.categories),
        Source.STATUS: {columns.status},
        Source.IDENTIFIERS: set(rows.identifiers),
    }
    return not held[parameter.source].isdisjoint(token_keys(parameter, parse_token(text), KEYS))


def agree(tree: dict[str, Any], name: str, text: str) -> None:
    parameter = parameters_of(tree["resourceType"])[name]
    assert by_facts(parameter, tree, text) == matcher(parameter, None, [text], CONTEXT)(tree)


@given(concepts, tokens)
def test_codes_of_a_reading(code: dict[str, Any], text: str) -> None:
    agree(blood_pressure(code=code), "code", text)


@given(concepts, concepts, tokens)
def test_codes_of_an_allergy_and_of_its_substances(
    code: dict[str, Any], substance: dict[str, Any], text: str
) -> None:
    agree(allergy(code=code, reaction=[{"substance": substance}]), "code", text)


@given(concepts, tokens)
def test_codes_of_a_medicine(code: dict[str, Any], text: str) -> None:
    agree(medication_request(medicationCodeableConcept=code), "code", text)


@given(st.lists(concepts, min_size=1, max_size=2), tokens)
def test_categories(categories: list[dict[str, Any]], text: str) -> None:
    agree(blood_pressure(category=categories), "category", text)


@given(st.lists(identifiers, min_size=1, max_size=3), tokens)
def test_identifiers(found: list[dict[str, Any]], text: str) -> None:
    agree(patient(identifier=found), "identifier", text)


@pytest.mark.parametrize(
    "text",
    [
        "final",
        "amended",
        "http://hl7.org/fhir/observation-status|final",
        "|final",
        "http://other.example|final",
    ],
)
def test_status(text: str) -> None:
    agree(blood_pressure(), "status", text)


OWNED: Final = {
    "Observation": "performer",
    "Condition": "asserter",
    "CarePlan": "contributor",
    "Task": "owner",
    "Coverage": "subscriber",
    "QuestionnaireResponse": "source",
    "Encounter": "account",
}
"""Types that are searched by their owner, with another element of theirs, where most may name a patient too."""

references = st.one_of(
    st.none(),
    st.just({"identifier": {"value": "0001"}}),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(("", f"{HERE}/", "https://elsewhere.example/fhir/")),
        st.sampled_from(("Patient/a", "Patient/b", "Group/a", "Practitioner/a")),
        st.sampled_from(("", "/_history/2")),
    ).map(lambda text: {"reference": text}),
)


@given(st.sampled_from(sorted(OWNED)), references, references, references)
def test_owner(
    type_name: str,
    subject: dict[str, Any] | None,
    other: dict[str, Any] | None,
    within: dict[str, Any] | None,
) -> None:
    parameter = parameters_of(type_name)["patient"]
    contained = present(resourceType="Condition", id="c", subject=within)
    tree = {
        "resourceType": type_name,
        "contained": [contained],
        **present(**{parameter.paths[0][0]: subject, OWNED[type_name]: other}),
    }
    facts = extract(tree, zone=TOKYO, base_urls=(HERE,))
    left_out = index_rows(tree, facts, keys=KEYS).owned_otherwise
    for name in ("Patient/a", "Patient/b"):
        owns = facts.patients[:1] == (name,) and not left_out
        assert owns == matcher(parameter, None, [name], CONTEXT)(tree)
