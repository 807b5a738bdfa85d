import pytest

from fhirstore.matching import UnfitModifier, matcher, sort_value
from fhirstore.parameters import Kind
from fhirstore.search.test import BadValue
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

URL = parameter(Kind.URI, "url")
PROFILE = parameter(Kind.URI, "meta.profile")
VALUE_SET = "http://acme.example/fhir/ValueSet/123"


def found(text: str, url: str, modifier: str | None = None) -> bool:
    return matches(URL, {"url": url}, text, modifier=modifier)


def test_whole_uri_matches_exactly() -> None:
    assert found(VALUE_SET, VALUE_SET)
    assert found("urn:oid:1.2.3.4.5", "urn:oid:1.2.3.4.5")
    assert not found(VALUE_SET, VALUE_SET.upper())
    assert not found(VALUE_SET, f"{VALUE_SET}/")


def test_below_is_what_begins_with_the_value_and_above_what_the_value_begins_with() -> None:
    assert found("http://acme.example/fhir/", VALUE_SET, "below")
    assert not found("http://other.example/", VALUE_SET, "below")
    assert found(f"{VALUE_SET}/_history/5", VALUE_SET, "above")
    assert found(VALUE_SET, VALUE_SET, "above")
    assert not found(VALUE_SET, f"{VALUE_SET}/_history/5", "above")
    assert not found(VALUE_SET, "", "above")


@pytest.mark.parametrize("modifier", ["above", "below"])
@pytest.mark.parametrize("text", ["urn:oid:1.2", "", "ValueSet/1"])
def test_above_and_below_are_of_urls_alone(modifier: str, text: str) -> None:
    with pytest.raises(BadValue):
        matcher(URL, modifier, [text], CONTEXT)


def test_profile_is_found_with_and_without_its_version() -> None:
    tree = {"meta": {"profile": ["http://acme.example/p|1.0"]}}
    assert matches(PROFILE, tree, "http://acme.example/p")
    assert matches(PROFILE, tree, r"http://acme.example/p\|1.0")
    assert matches(PROFILE, tree, "http://acme.example/p|1.0")
    assert not matches(PROFILE, tree, "http://acme.example/p|2.0")


def test_other_modifiers_and_empty_values_are_refused() -> None:
    with pytest.raises(UnfitModifier):
        matcher(URL, "exact", [VALUE_SET], CONTEXT)
    with pytest.raises(BadValue):
        matcher(URL, None, [""], CONTEXT)


def test_sorted_by_itself() -> None:
    assert sort_value(URL, {"url": VALUE_SET}, CONTEXT, descending=False) == VALUE_SET
