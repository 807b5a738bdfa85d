from decimal import Decimal
from typing import Any

import pytest

from fhirstore.matching import UnfitModifier, matcher, sort_value
from fhirstore.parameters import Kind
from fhirstore.search.test import BadValue, UnknownPrefix
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

PROBABILITY = parameter(Kind.NUMBER, "probability")


def found(text: str, value: Any) -> bool:
    return matches(PROBABILITY, {"probability": value}, text)


@pytest.mark.parametrize(
    ("text", "least", "beyond"),
    [
        ("100", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("1e2", "95", "105"),
        ("1.00e2", "99.5", "100.5"),
        ("5.40", "5.395", "5.405"),
        ("5.40e-3", "0.005395", "0.005405"),
        ("8e-1", "0.75", "0.85"),
        ("-5", "-5.5", "-4.5"),
    ],
)
def test_number_is_as_wide_as_it_is_written(text: str, least: str, beyond: str) -> None:
    assert found(text, Decimal(least))
    assert not found(text, Decimal(least) - Decimal("1e-9"))
    assert found(text, Decimal(beyond) - Decimal("1e-9"))
    assert not found(text, Decimal(beyond))
    assert not found(f"ne{text}", Decimal(least))
    assert found(f"ne{text}", Decimal(beyond))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lt100", (True, False, False)),
        ("le100", (True, True, False)),
        ("gt100", (False, False, True)),
        ("ge100", (False, True, True)),
        ("sa100", (False, False, True)),
        ("eb100", (True, False, False)),
    ],
)
def test_other_prefixes_take_the_number_exactly(text: str, expected: tuple[bool, ...]) -> None:
    values = (Decimal("99.999"), Decimal(100), Decimal("100.001"))
    assert tuple(found(text, value) for value in values) == expected


def test_approximately_is_within_a_tenth() -> None:
    assert [found("ap100", value) for value in (89, 90, 110, 111)] == [False, True, True, False]
    assert found("ap0", Decimal("0.4"))


def test_integers_match_exactly_and_never_a_fraction() -> None:
    assert found("2", 2)
    assert not found("2", 3)
    assert not found("2.4", 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1e999999999",
        "1e-999999999",
        "9" * 65,
        "NaN",
        "Infinity",
        "gt",
        "5 mg",
        "1.",
        ".5",
        "٥",
        "1_0",
    ],
)
def test_what_is_no_number_is_refused_cheaply(text: str) -> None:
    with pytest.raises(BadValue):
        matcher(PROBABILITY, None, [text], CONTEXT)


def test_exponent_whose_plus_sign_became_a_space_is_read() -> None:
    assert found("1e 2", 100)


@pytest.mark.parametrize(
    "value", [True, "100", None, [], {"value": 100}, Decimal("NaN"), Decimal("1e999999999")]
)
def test_other_elements_are_no_numbers(value: Any) -> None:
    assert not found("ge-1", value)
    assert sort_value(PROBABILITY, {"probability": value}, CONTEXT, descending=False) is None


def test_unknown_prefix_is_refused_as_such() -> None:
    with pytest.raises(UnknownPrefix, match="expected one of eq, ne, gt, lt, ge, le, sa, eb, ap"):
        matcher(PROBABILITY, None, ["xx5"], CONTEXT)


def test_number_has_no_modifier() -> None:
    with pytest.raises(UnfitModifier, match="got modifier `:exact` on `asked`, which is a number parameter"):
        matcher(PROBABILITY, "exact", ["1"], CONTEXT)


def test_one_of_several_values_is_enough() -> None:
    assert matches(PROBABILITY, {"probability": [1, 7]}, "5", "7")
