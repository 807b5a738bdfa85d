from typing import Any

import pytest

from fhirstore.elements import (
    Code,
    References,
    codes_in,
    inside,
    is_address,
    reference_elements,
    values_at,
)

HERE = References(own=("https://passport.example/fhir",))


def test_values_are_found_through_lists_and_in_the_order_of_the_paths() -> None:
    tree = {"b": "2", "a": [{"c": "1"}, {"c": ["3", "4"]}, {"d": "5"}, "6"]}
    assert values_at(tree, (("a", "c"), ("b",), ("x", "y"))) == ["1", "3", "4", "2"]


@pytest.mark.parametrize("tree", [None, "text", 5, [], {"a": None}])
def test_tree_of_another_shape_has_no_values(tree: object) -> None:
    assert values_at(tree, (("a", "b"),)) == []


def test_codes_of_concepts_codings_and_plain_codes_are_read_once_each() -> None:
    values: list[object] = [
        {"coding": [{"system": "s", "code": "1"}, {"system": "s", "code": "1"}, {"code": "2"}]},
        {"system": "s", "code": "3"},
        "4",
    ]
    assert codes_in(values, "fixed") == (Code("s", "1"), Code("", "2"), Code("s", "3"), Code("fixed", "4"))


@pytest.mark.parametrize(
    "value", [{}, {"text": "x"}, {"coding": []}, {"coding": [{"display": "x"}]}, 5, None]
)
def test_what_carries_no_code_gives_none(value: object) -> None:
    assert codes_in([value]) == ()


@pytest.mark.parametrize(
    "reference, literal",
    [
        ("Patient/x", "Patient/x"),
        ("Patient/x/_history/3", "Patient/x"),
        ("https://passport.example/fhir/Patient/x", "Patient/x"),
        ("https://passport.example/fhir/Patient/x/_history/3", "Patient/x"),
        ("https://passport.example/fhirother/Patient/x", "https://passport.example/fhirother/Patient/x"),
        ("https://hospital.example/fhir/Patient/x", "https://hospital.example/fhir/Patient/x"),
        ("urn:uuid:00000000-0000-4000-8000-000000000000", "urn:uuid:00000000-0000-4000-8000-000000000000"),
        ("https://PASSPORT.example/fhir/Patient/x", "Patient/x"),
        ("HTTP://passport.example:80/fhir/Patient/x", "Patient/x"),
        ("https://somebody@passport.example.:443/fhir/Patient/x", "Patient/x"),
        ("https://passport.example//fhir//Patient/x/", "Patient/x"),
        ("https://passport.example/other/../fhir/./Patient/x", "Patient/x"),
        ("https://passport.example/fhir/%50atient/x/_history/3?_format=json#y", "Patient/x"),
        ("https://passport.example:8443/fhir/Patient/x", "https://passport.example:8443/fhir/Patient/x"),
        ("https://PASSPORT.example/fhir/Patient?name=x", "https://PASSPORT.example/fhir/Patient?name=x"),
        ("https://[passport/fhir/Patient/x", "https://[passport/fhir/Patient/x"),
        ("#x", None),
        ("#", None),
    ],
)
def test_reference_is_compared_as_documented(reference: str, literal: str | None) -> None:
    assert HERE.literal(reference) == literal


def test_relative_reference_stands_on_the_base_of_its_entry() -> None:
    there = HERE.within("https://hospital.example/fhir/Observation/1")
    assert there.literal("Patient/7") == "https://hospital.example/fhir/Patient/7"
    assert there.literal("https://passport.example/fhir/Patient/7") == "Patient/7"
    assert there.literal("urn:uuid:1") == "urn:uuid:1"
    assert HERE.within("https://PASSPORT.example/fhir/Observation/1").literal("Patient/7") == "Patient/7"


@pytest.mark.parametrize("url", [None, "https://passport.example/fhir/Observation/1", "urn:uuid:1"])
def test_relative_reference_of_another_entry_stands_here(url: str | None) -> None:
    assert HERE.within(url).literal("Patient/7") == "Patient/7"


@pytest.mark.parametrize(
    "url, expected",
    [(None, True), ("http://a.example/Patient/1", True), ("urn:uuid:1", False), ("http://a.example", False)],
)
def test_only_an_address_gives_an_entry_its_identity(url: str | None, expected: bool) -> None:
    assert is_address(url) is expected


def test_logical_reference_names_nothing() -> None:
    elements: list[object] = [
        {"identifier": {"value": "1"}, "type": "Patient"},
        {"reference": "Patient/x"},
        {"reference": 5},
        "Patient/y",
        {"reference": "Patient/x"},
    ]
    assert HERE.literals(elements) == ("Patient/x",)


def test_every_literal_reference_is_found_but_not_below_what_is_skipped() -> None:
    tree: dict[str, Any] = {
        "subject": {"reference": "Patient/x"},
        "extension": [{"valueReference": {"reference": "Device/d"}}],
        "contained": [{"subject": {"reference": "Patient/y"}}],
    }
    found = reference_elements(tree, ("contained",))
    assert sorted(element["reference"] for element in found) == ["Device/d", "Patient/x"]
    assert len(reference_elements(tree)) == 3


def test_every_code_of_a_system_is_found_but_in_meta_and_below_what_is_skipped() -> None:
    tree: dict[str, Any] = {
        "meta": {"tag": [{"system": "t", "code": "1"}], "extension": [{"reference": "Device/d"}]},
        "code": {
            "coding": [
                {"system": "s", "code": "a"},
                {"code": "b"},
                {"system": "s"},
                {"system": "s", "code": 1},
            ]
        },
        "reasonCode": [{"coding": [{"system": "s", "code": "a"}, {"system": "r", "code": "c"}]}],
        "extension": [{"extension": [{"valueCoding": {"system": "x", "code": "d"}}]}],
        "valueQuantity": {"value": 1, "system": "u", "code": "mm"},
        "contained": [{"code": {"coding": [{"system": "s", "code": "e"}]}}],
    }
    references, codes = inside(tree, ("contained",))
    assert codes == (Code("s", "a"), Code("r", "c"), Code("x", "d"), Code("u", "mm"))
    assert references == [{"reference": "Device/d"}]
