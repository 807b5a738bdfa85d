from datetime import UTC, datetime
from typing import Any

import pytest

from fhirstore.matching import Context, matcher, sort_value
from fhirstore.matching.date import approximately
from fhirstore.parameters import Kind
from fhirstore.search.test import BadValue, UnknownPrefix
from fhirstore.times import BEGINNING, END, Interval
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

DATE = parameter(Kind.DATE, "date")
FROM_21_JANUARY = {"start": "2013-01-21"}
FROM_15_MARCH = {"start": "2013-03-15"}
UP_TO_21_JANUARY = {"end": "2013-01-21"}


def found(text: str, value: Any) -> bool:
    return matches(DATE, {"date": value}, text)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("2013-01-14", "2013-01-14T00:00:00+09:00", True),
        ("eq2013-01-14", "2013-01-14T10:00:00+09:00", True),
        ("eq2013-01-14", "2013-01-15T00:00:00+09:00", False),
        ("ne2013-01-14", "2013-01-15T00:00:00+09:00", True),
        ("ne2013-01-14", "2013-01-14T00:00:00+09:00", False),
        ("ne2013-01-14", "2013-01-14T10:00:00+09:00", False),
        ("lt2013-01-14T10:00", "2013-01-14", True),
        ("gt2013-01-14T10:00", "2013-01-14", True),
        ("ge2013-03-14", FROM_21_JANUARY, True),
        ("le2013-03-14", FROM_21_JANUARY, True),
        ("sa2013-03-14", FROM_15_MARCH, True),
        ("sa2013-03-14", FROM_21_JANUARY, False),
        ("sa2013-03-14", UP_TO_21_JANUARY, False),
        ("eb2013-03-14", FROM_15_MARCH, False),
        ("eb2013-03-14", FROM_21_JANUARY, False),
        ("eb2013-03-14", UP_TO_21_JANUARY, True),
        ("ap2013-03-14", "2013-03-14", True),
        ("ap2013-03-14", "2015-06-15", False),
        ("2013", "2013-12-31", True),
        ("2013-01-14", "2013", False),
    ],
)
def test_examples_of_the_specification(text: str, value: Any, expected: bool) -> None:
    assert found(text, value) is expected


def test_days_are_those_of_the_passports_zone() -> None:
    assert found("2024-06-01", "2024-05-31T15:00:00Z")
    assert not found("2024-06-01", "2024-05-31T14:59:59Z")
    assert found("2024-05-31T15:00:00Z", "2024-06-01T00:00:00+09:00")


def test_timing_counts_from_its_first_event_to_its_last() -> None:
    timing = {"event": ["2013-01-31", "2013-03-24"]}
    assert found("ge2013-02-01", timing)
    assert found("2013", timing)
    assert not found("2013-01-31", timing)


def test_period_open_on_both_sides_is_no_time() -> None:
    assert not found("ne2013", {})


@pytest.mark.parametrize("text", ["", "ap", "xxx2013", "2013-13", "2013-02-30", "yesterday", "2013-01-14T10"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        matcher(DATE, None, [text], CONTEXT)


def test_offset_whose_plus_sign_became_a_space_is_read() -> None:
    assert found("2024-06-01T00:00:00 09:00", "2024-06-01T00:00:00+09:00")


@pytest.mark.parametrize(("text", "context"), [("xx2013", CONTEXT), ("ap2013", Context(CONTEXT.zone))])
def test_prefix_that_is_not_known_here_is_refused_as_such(text: str, context: Context) -> None:
    # Approximately is a matter of what time it is.
    with pytest.raises(UnknownPrefix):
        matcher(DATE, None, [text], context)


def test_approximately_widens_by_a_tenth_of_the_gap_to_now() -> None:
    day = Interval(datetime(2024, 5, 21, tzinfo=UTC), datetime(2024, 5, 22, tzinfo=UTC))
    now = datetime(2024, 6, 1, tzinfo=UTC)
    assert approximately(day, now) == Interval(
        datetime(2024, 5, 20, tzinfo=UTC), datetime(2024, 5, 23, tzinfo=UTC)
    )
    assert approximately(day, day.start) == day
    assert approximately(Interval(BEGINNING, END), now) == Interval(BEGINNING, END)


def test_sorted_by_the_start_upwards_and_by_the_end_downwards() -> None:
    tree = {"date": [{"start": "2024-01-02", "end": "2024-01-03"}, "2024-01-01", "nonsense"]}
    assert sort_value(DATE, tree, CONTEXT, descending=False) == datetime(2023, 12, 31, 15, tzinfo=UTC)
    assert sort_value(DATE, tree, CONTEXT, descending=True) == datetime(2024, 1, 3, 15, tzinfo=UTC)
