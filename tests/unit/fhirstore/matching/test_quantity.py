from decimal import Decimal
from typing import Any

import pytest

from fhirstore.elements import UCUM
from fhirstore.matching import UnfitModifier, matcher, sort_value
from fhirstore.parameters import Kind
from fhirstore.search.test import BadValue
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

VALUE = parameter(Kind.QUANTITY, "valueQuantity")
YEN = "urn:iso:std:iso:4217"


def amount(value: str, code: str = "mg", **other: Any) -> dict[str, Any]:
    return {"value": Decimal(value), "system": UCUM, "code": code, "unit": code} | other


def found(text: str, element: Any) -> bool:
    return matches(VALUE, {"valueQuantity": element}, text)


@pytest.mark.parametrize(
    ("text", "element", "expected"),
    [
        (f"5.4|{UCUM}|mg", amount("5.4"), True),
        (f"5.4|{UCUM}|mg", amount("5.35"), True),
        (f"5.4|{UCUM}|mg", amount("5.45"), False),
        (f"5.4|{UCUM}|mg", amount("0.0054", "g"), True),
        (f"5.40e-3|{UCUM}|g", amount("5.4"), True),
        (f"5.40e-3|{UCUM}|g", amount("0.005395", "g"), True),
        (f"5.40e-3|{UCUM}|g", amount("5.405"), False),
        ("5.4||mg", amount("5.4"), True),
        ("5.4||mg", {"value": Decimal("5.4"), "unit": "mg"}, True),
        ("5.4||mg", amount("0.0054", "g"), False),
        ("5.4", amount("5.4", "g"), True),
        ("5.4", {"value": Decimal("5.4")}, True),
        (f"le5.4|{UCUM}|mg", amount("5.4"), True),
        (f"le5.4|{UCUM}|mg", amount("5.40001"), False),
        (f"ap5.4|{UCUM}|mg", amount("5.9"), True),
        (f"ap5.4|{UCUM}|mg", amount("6"), False),
        (f"0.23|{UCUM}|m/h", amount("230", "mm/h"), True),
    ],
)
def test_examples_of_the_specification(text: str, element: Any, expected: bool) -> None:
    assert found(text, element) is expected


@pytest.mark.parametrize(
    ("text", "element"),
    [
        (f"98.6|{UCUM}|[degF]", amount("37.0", "Cel")),
        (f"37.0|{UCUM}|Cel", amount("98.6", "[degF]")),
        (f"gt99|{UCUM}|[degF]", amount("37.5", "Cel")),
        (f"16.0|{UCUM}|kPa", amount("120", "mm[Hg]")),
        (f"7.0|{UCUM}|mmol/L", amount("7.0", "mol/m3")),
        (f"60|{UCUM}|/min", amount("60", "{beats}/min")),
        (f"100|{UCUM}|[IU]", amount("0.1", "k[IU]")),
    ],
)
def test_units_are_converted(text: str, element: Any) -> None:
    assert found(text, element)


@pytest.mark.parametrize(
    ("text", "element"),
    [
        (f"37.0|{UCUM}|Cel", amount("37.0", "K")),
        (f"100|{UCUM}|[IU]", amount("100", "mg")),
        (f"ge0|{UCUM}|mg", amount("1", "mL")),
        (f"1|{UCUM}|mg", {"value": 1, "code": "mg", "unit": "mg"}),
        ("1|http://hospital.example/units|mg", amount("1")),
        (f"1|{UCUM}|mg", {"value": True, "system": UCUM, "code": "mg"}),
    ],
)
def test_other_units_and_systems_do_not_match(text: str, element: Any) -> None:
    assert not found(text, element)


@pytest.mark.parametrize("prefix", ["eq", "ge", "le", "ap"])
@pytest.mark.parametrize(("value", "code"), [("1", "g"), ("1000", "mg"), ("1000000", "ug"), ("0.001", "kg")])
def test_equal_amounts_are_equal_without_rounding(prefix: str, value: str, code: str) -> None:
    assert found(f"{prefix}1000|{UCUM}|mg", amount(value, code))
    assert found(f"{prefix}1|{UCUM}|g", amount(value, code))


@pytest.mark.parametrize("prefix", ["ne", "gt", "lt", "sa", "eb"])
def test_equal_amounts_are_neither_more_nor_less(prefix: str) -> None:
    assert not found(f"{prefix}1|{UCUM}|g", amount("1000"))
    assert not found(f"{prefix}1000|{UCUM}|mg", amount("1", "g"))


def test_units_outside_of_ucum_compare_as_text() -> None:
    local = "http://hospital.example/units"
    element = {"value": 2, "system": local, "code": "錠"}
    assert found(f"2|{local}|錠", element)
    assert not found(f"2|{local}|包", element)
    assert found(f"2|{local}|", element)
    assert found("2||錠", element)
    assert found(f"2|{UCUM}|tablet", {"value": 2, "system": UCUM, "code": "tablet"})


@pytest.mark.parametrize(
    ("comparator", "matched"),
    [
        ("<", "ne5 lt5 le5 eb5 gt3 lt9 ap4 ap5"),
        ("<=", "ne5 lt5 le5 ge5 gt3 lt9 ap4 ap5"),
        (">", "ne5 gt5 ge5 sa5 gt3 sa3 lt9 ap5 ap9"),
        (">=", "ne5 gt5 ge5 le5 gt3 sa3 lt9 ap5 ap9"),
    ],
)
def test_amount_with_a_comparator_is_every_amount_that_it_leaves_open(comparator: str, matched: str) -> None:
    asked = (
        "5",
        "ne5",
        "lt5",
        "le5",
        "gt5",
        "ge5",
        "sa5",
        "eb5",
        "gt3",
        "sa3",
        "eb3",
        "lt9",
        "ap4",
        "ap5",
        "ap9",
    )
    element = {"value": 5, "comparator": comparator}
    assert {text for text in asked if found(text, element)} == {*matched.split()}


def test_range_is_a_span() -> None:
    element = {"low": amount("10"), "high": amount("0.02", "mg")}
    assert not found("15", element)
    span = {"low": amount("10"), "high": amount("20")}
    assert found(f"gt15|{UCUM}|mg", span)
    assert found(f"lt15|{UCUM}|mg", span)
    assert not found(f"15|{UCUM}|mg", span)
    assert found(f"1e1|{UCUM}|g", {"low": amount("9.9", "g"), "high": amount("10.1", "g")})
    assert not found(f"gt15|{UCUM}|mg", {"low": amount("10"), "high": amount("20", "g")})
    assert found(f"ge5|{UCUM}|mg", {"low": amount("10")})


def test_money_has_its_currency_for_a_unit() -> None:
    element = {"value": Decimal(1200), "currency": "JPY"}
    assert found(f"1200|{YEN}|JPY", element)
    assert found("gt1000||JPY", element)
    assert not found(f"1200|{YEN}|USD", element)


def test_samples_are_the_span_of_their_readings() -> None:
    element = {
        "origin": amount("10", "mm[Hg]"),
        "factor": Decimal("0.5"),
        "lowerLimit": -20,
        "data": "0 4 -2.5 E L --3 x",
    }
    assert found(f"gt11|{UCUM}|mm[Hg]", element)
    assert not found(f"gt12|{UCUM}|mm[Hg]", element)
    assert found(f"le0|{UCUM}|mm[Hg]", element)
    assert not found(f"lt0|{UCUM}|mm[Hg]", element)
    assert not found("gt0", {"origin": amount("10"), "data": "E E"})


@pytest.mark.parametrize(
    "text", ["", "mg", "5.4|mg", f"5.4|{UCUM}|mg|x", "5.4||", f"|{UCUM}|mg", f"1e999999999|{UCUM}|mg", "5x"]
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(BadValue):
        matcher(VALUE, None, [text], CONTEXT)


def test_quantity_has_no_modifier() -> None:
    with pytest.raises(UnfitModifier):
        matcher(VALUE, "above", ["1"], CONTEXT)


def test_sorted_in_base_units() -> None:
    tree = {"valueQuantity": [amount("1"), amount("0.5", "g")]}
    assert sort_value(VALUE, tree, CONTEXT, descending=False) == Decimal("0.001")
    assert sort_value(VALUE, tree, CONTEXT, descending=True) == Decimal("0.5")
    assert sort_value(VALUE, {"valueQuantity": {"value": 3}}, CONTEXT, descending=True) == 3
    assert sort_value(VALUE, {"valueQuantity": {"unit": "mg"}}, CONTEXT, descending=True) is None
