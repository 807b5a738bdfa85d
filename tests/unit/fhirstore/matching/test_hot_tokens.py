"""A token finds by its index rows what it finds by the elements."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fhirstore.facts import extract
from fhirstore.indexing import index_rows, parse_token, token_keys
from fhirstore.keys import KeyMaker
from fhirstore.parameters import SearchParameter, parameters_of
from tests.unit.fhirstore.examples import blood_pressure, patient
from tests.unit.fhirstore.matching.asking import CONTEXT, matches

KEYS = KeyMaker(bytes(32))
CODES = ("a", "b", "a|b", "A")
SYSTEMS = ("http://loinc.org", "urn:iso:std:iso:11073:10101", "http://hospital.example/codes")
CODED = st.fixed_dictionaries({"code": st.sampled_from(CODES)}, optional={"system": st.sampled_from(SYSTEMS)})
IDENTIFIED = st.fixed_dictionaries(
    {"value": st.sampled_from(CODES)}, optional={"system": st.sampled_from(SYSTEMS)}
)
BARE = st.sampled_from(CODES).map(lambda code: code.replace("|", r"\|"))
TOKENS = BARE | st.tuples(st.sampled_from(("", *SYSTEMS)), BARE).map("|".join)


def found_by_rows(parameter: SearchParameter, tree: dict[str, Any], text: str) -> bool:
    written = index_rows(tree, extract(tree, zone=CONTEXT.zone), keys=KEYS)
    values = {row.value for row in written.tokens if row.parameter == parameter.number}
    return not values.union(written.identifiers).isdisjoint(token_keys(parameter, parse_token(text), KEYS))


@given(st.lists(CODED, max_size=3), TOKENS)
def test_codes(codings: list[dict[str, str]], text: str) -> None:
    tree = blood_pressure(code={"coding": codings})
    parameter = parameters_of("Observation")["code"]
    assert matches(parameter, tree, text) is found_by_rows(parameter, tree, text)


@given(st.lists(IDENTIFIED, max_size=3), TOKENS | st.sampled_from(SYSTEMS).map(lambda system: f"{system}|"))
def test_identifiers(identifiers: list[dict[str, str]], text: str) -> None:
    tree = patient() | {"identifier": identifiers}
    parameter = parameters_of("Patient")["identifier"]
    assert matches(parameter, tree, text) is found_by_rows(parameter, tree, text)
