"""What holds for every record and every value."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.elements import UCUM
from fhirstore.matching import MOST_VALUES, TooManyValues, matcher, references, sort_value
from fhirstore.matching.date import COMPARISONS
from fhirstore.matching.decimals import PREFIXES
from fhirstore.parameters import Component, Kind, SearchParameter
from fhirstore.search.test import SearchError
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

ONE_OF_EACH = {
    Kind.NUMBER: ["1", "ne2"],
    Kind.DATE: ["2024", "ap2020-01"],
    Kind.STRING: ["a", "田"],
    Kind.TOKEN: ["a", "http://a.example|", "|b"],
    Kind.REFERENCE: ["1", "Patient/1", "http://a.example/b"],
    Kind.COMPOSITE: ["a$1", "b$gt2||mg"],
    Kind.QUANTITY: ["1", f"ne2|{UCUM}|mg", "gt0||mg"],
    Kind.URI: ["http://a.example/b", "a"],
}
MODIFIERS = {
    Kind.STRING: ["exact", "contains"],
    Kind.TOKEN: ["not", "text"],
    Kind.REFERENCE: ["identifier", "Patient"],
}
COMPONENTS = (
    Component(Kind.TOKEN, (("code",), ("value",))),
    Component(Kind.QUANTITY, (("value",), ("code",))),
)

# The names that any matcher looks for, so that a wrong shape stands where a right one is expected.
NAMES = st.sampled_from(
    [
        *("reference", "identifier", "type", "coding", "system", "code", "value", "text", "display", "unit"),
        *("comparator", "low", "high", "origin", "data", "factor", "lowerLimit", "start", "end", "event"),
        *("repeat", "boundsPeriod", "family", "given", "line", "resourceType", "id", "currency"),
    ]
)
NUMBERS = st.integers() | st.decimals(allow_nan=True, allow_infinity=True) | st.just(Decimal("1e999999999"))
WORDS = st.sampled_from(
    ["a", "mg", UCUM, "http://a.example", "2024-06", "9999-12-31", "<", "Patient/1", "#x", "1 E -2"]
)
LEAVES = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=8)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
TREES = st.fixed_dictionaries({}, optional={"there": JSON})

ASKED = [
    *(
        parameter(kind, "there", targets=targets, components=COMPONENTS)
        for kind in Kind
        for targets in ((), ("Patient",))
    ),
    parameter(Kind.STRING, "there.family"),
    parameter(Kind.TOKEN, "there.lotNumber", "there.contentType"),
]


def questions(asked: SearchParameter) -> list[tuple[str | None, list[str]]]:
    of_kind: list[str | None] = [None, *MODIFIERS.get(asked.kind, [])]
    return [(modifier, [value]) for modifier in of_kind for value in answerable(asked, modifier)]


def answerable(asked: SearchParameter, modifier: str | None) -> list[str]:
    return ["1"] if modifier == "Patient" else ONE_OF_EACH[asked.kind]


@given(TREES)
def test_no_tree_makes_a_matcher_raise(tree: dict[str, Any]) -> None:
    for asked in ASKED:
        for modifier, values in questions(asked):
            matcher(asked, modifier, values, CONTEXT)(tree)
        for descending in (False, True):
            sort_value(asked, tree, CONTEXT, descending=descending)
        references(asked, tree, CONTEXT)


@given(
    st.sampled_from(ASKED),
    st.sampled_from([None, "not", "exact", "below", "above", "of-type", "missing", "x"]),
    st.text(),
)
def test_no_value_raises_anything_but_a_search_error(
    asked: SearchParameter, modifier: str | None, text: str
) -> None:
    with suppress(SearchError):
        matcher(asked, modifier, [text], CONTEXT)({})


@given(TREES)
def test_missing_parts_all_records_in_two(tree: dict[str, Any]) -> None:
    for asked in ASKED:
        there, absent = (matches(asked, tree, text, modifier="missing") for text in ("false", "true"))
        assert there is not absent
        if any(matches(asked, tree, value) for value in ONE_OF_EACH[asked.kind]):
            assert there


@given(TREES)
def test_not_is_the_complement(tree: dict[str, Any]) -> None:
    for asked in ASKED:
        if asked.kind is Kind.TOKEN:
            values = ONE_OF_EACH[Kind.TOKEN]
            assert matches(asked, tree, *values, modifier="not") is not matches(asked, tree, *values)


@given(TREES)
def test_several_values_are_the_union_of_each(tree: dict[str, Any]) -> None:
    for asked in ASKED:
        values = ONE_OF_EACH[asked.kind]
        assert matches(asked, tree, *values) is any(matches(asked, tree, value) for value in values)


AMOUNTS = st.decimals(-200, 200, places=2, allow_nan=False)
SOUGHT = st.decimals(-200, 200, allow_nan=False, allow_infinity=False, places=1).map(str)


def by_prefix(
    asked: SearchParameter, element: object, sought: str, prefixes: Sequence[str]
) -> dict[str, bool]:
    return {prefix: matches(asked, {"there": element}, f"{prefix}{sought}") for prefix in prefixes}


def check_prefixes(answers: dict[str, bool]) -> None:
    assert answers["ne"] is not answers["eq"]
    assert answers["gt"] or not answers["sa"]
    assert answers["lt"] or not answers["eb"]
    assert answers["ge"] or not answers["gt"]
    assert answers["le"] or not answers["lt"]
    assert answers["ge"] or answers["le"]
    assert answers["ap"] or not answers["eq"]
    assert not (answers["sa"] and answers["eb"])


@given(AMOUNTS, SOUGHT)
def test_prefixes_of_numbers_agree(value: Decimal, sought: str) -> None:
    answers = by_prefix(parameter(Kind.NUMBER, "there"), value, sought, list(PREFIXES))
    check_prefixes(answers)
    # A point is on one side of an exact number, or on it.
    assert answers["ge"] is not answers["lt"]
    assert answers["le"] is not answers["gt"]
    assert (answers["ge"] and answers["le"]) is (value == Decimal(sought))


@given(AMOUNTS, SOUGHT, st.sampled_from([None, "<", "<=", ">", ">="]))
def test_prefixes_of_amounts_agree_in_every_unit(value: Decimal, sought: str, comparator: str | None) -> None:
    asked = parameter(Kind.QUANTITY, "there")
    written = {"value": value, "system": UCUM, "code": "mg", "comparator": comparator}
    in_grams = written | {"value": value / 1000, "code": "g"}
    answers = by_prefix(asked, written, f"{sought}|{UCUM}|mg", list(PREFIXES))
    check_prefixes(answers)
    assert by_prefix(asked, in_grams, f"{sought}|{UCUM}|mg", list(PREFIXES)) == answers


MOMENTS = st.integers(0, 60).map(lambda days: datetime(2024, 5, 1, 15, tzinfo=UTC) + timedelta(days=days))
PERIODS = st.tuples(MOMENTS, MOMENTS).map(sorted)
DAYS = st.sampled_from(
    ["2024", "2024-05", "2024-06", "2024-05-31", "2024-06-01", "2024-06-01T00:00:00+09:00"]
)


@given(PERIODS, DAYS, st.sampled_from([("start", "end"), ("start",), ("end",)]))
def test_prefixes_of_dates_agree(period: list[datetime], sought: str, sides: tuple[str, ...]) -> None:
    ends = dict(zip(("start", "end"), (moment.isoformat() for moment in period), strict=True))
    element = {side: ends[side] for side in sides}
    answers = by_prefix(parameter(Kind.DATE, "there"), element, sought, list(COMPARISONS))
    check_prefixes(answers)
    assert not answers["eq"] or (answers["ge"] and answers["le"])


def test_too_many_values_are_refused_before_one_is_read() -> None:
    with pytest.raises(TooManyValues, match="got 201 values of `asked`, expected at most 200"):
        matcher(ASKED[0], None, ["unreadable"] * (MOST_VALUES + 1), CONTEXT)
