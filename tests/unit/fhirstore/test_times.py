from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fhirstore.times import (
    BEGINNING,
    END,
    Interval,
    interval_at,
    interval_of,
    interval_of_period,
    interval_of_timing,
)

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")


def utc(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0
) -> datetime:
    return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)


@pytest.mark.parametrize(
    "value, start, end",
    [
        ("2024", (2023, 12, 31, 15), (2024, 12, 31, 15)),
        ("2024-06", (2024, 5, 31, 15), (2024, 6, 30, 15)),
        ("2024-12", (2024, 11, 30, 15), (2024, 12, 31, 15)),
        ("2024-06-01", (2024, 5, 31, 15), (2024, 6, 1, 15)),
        ("2024-02-29", (2024, 2, 28, 15), (2024, 2, 29, 15)),
        ("2024-06-01T10:00Z", (2024, 6, 1, 10), (2024, 6, 1, 10, 1)),
        ("2024-06-01T10:00:00Z", (2024, 6, 1, 10), (2024, 6, 1, 10, 0, 1)),
        ("2024-06-01T10:00:00+09:00", (2024, 6, 1, 1), (2024, 6, 1, 1, 0, 1)),
        ("2024-06-01T10:00:00-03:30", (2024, 6, 1, 13, 30), (2024, 6, 1, 13, 30, 1)),
        ("2024-06-01T10:00:00", (2024, 6, 1, 1), (2024, 6, 1, 1, 0, 1)),
        ("2024-06-01T10:00:00.5Z", (2024, 6, 1, 10, 0, 0, 500000), (2024, 6, 1, 10, 0, 0, 600000)),
        ("2024-06-01T10:00:00.123Z", (2024, 6, 1, 10, 0, 0, 123000), (2024, 6, 1, 10, 0, 0, 124000)),
        (
            "2024-06-01T10:00:00.123456789Z",
            (2024, 6, 1, 10, 0, 0, 123456),
            (2024, 6, 1, 10, 0, 0, 123457),
        ),
    ],
)
def test_value_covers_what_its_precision_covers(
    value: str, start: tuple[int, ...], end: tuple[int, ...]
) -> None:
    assert interval_of(value, TOKYO) == Interval(utc(*start), utc(*end))


def test_leap_second_stays_in_its_year() -> None:
    leap = interval_of("2016-12-31T23:59:60Z", TOKYO)
    assert leap == Interval(utc(2016, 12, 31, 23, 59, 59), utc(2017, 1, 1))


def test_day_of_the_clock_change_is_as_long_as_it_was() -> None:
    spring = interval_of("2024-03-10", NEW_YORK)
    autumn = interval_of("2024-11-03", NEW_YORK)
    assert spring is not None
    assert autumn is not None
    assert (spring.end - spring.start, autumn.end - autumn.start) == (
        timedelta(hours=23),
        timedelta(hours=25),
    )


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0000",
        "0000-01-01",
        "2024-13",
        "2024-02-30",
        "2024-06-01T24:00:00Z",
        "2024-06-01T10:60:00Z",
        "2024-06-01T10:00:75Z",
        "2024-06-01T10:00:00+25:00",
        "24-06-01",
        "2024-6-1",
        "２０２４",
        "yesterday",
        "2024-06-01 10:00:00Z",
    ],
)
def test_text_that_names_no_moment_is_none(value: str) -> None:
    assert interval_of(value, TOKYO) is None


@pytest.mark.parametrize(
    "value, start, end",
    [
        ("9999", utc(9998, 12, 31, 15), END),
        ("9999-12", utc(9999, 11, 30, 15), END),
        ("9999-12-31", utc(9999, 12, 30, 15), END),
        ("9999-12-31T23:59:59Z", utc(9999, 12, 31, 23, 59, 59), END),
        ("9999-12-31T23:59:59-14:00", END - timedelta(microseconds=1), END),
        ("0001-01-01T00:00:00+14:00", BEGINNING, BEGINNING + timedelta(seconds=1)),
        ("0001-01-01T00:00:00Z", BEGINNING, BEGINNING + timedelta(seconds=1)),
    ],
)
def test_edges_of_the_calendar_are_cut_to_what_databases_hold(
    value: str, start: datetime, end: datetime
) -> None:
    assert interval_of(value, TOKYO) == Interval(start, end)


def test_first_year_begins_at_the_beginning() -> None:
    first = interval_of("0001", TOKYO)
    assert first is not None
    assert first.start == BEGINNING


def test_period_runs_from_the_first_instant_of_its_start_to_the_last_of_its_end() -> None:
    period = interval_of_period({"start": "2024-06", "end": "2024-07-01"}, TOKYO)
    assert period == Interval(utc(2024, 5, 31, 15), utc(2024, 7, 1, 15))


def test_absent_side_of_a_period_is_open() -> None:
    assert interval_of_period({"start": "2024-06-01T00:00:00Z"}, TOKYO) == Interval(utc(2024, 6, 1), END)
    assert interval_of_period({"end": "2024-06-01T00:00:00Z"}, TOKYO) == Interval(
        BEGINNING, utc(2024, 6, 1, 0, 0, 1)
    )


@pytest.mark.parametrize(
    "period",
    [{}, {"start": "x"}, {"start": "2024", "end": "x"}, {"start": "2025", "end": "2024"}, {"start": 2024}],
)
def test_period_that_cannot_be_read_is_none(period: dict[str, object]) -> None:
    assert interval_of_period(period, TOKYO) is None


def test_timing_runs_from_its_first_event_to_its_last() -> None:
    timing = {"event": ["2024-06-03", "2024-06-01", "2024-06-02"]}
    assert interval_of_timing(timing, TOKYO) == Interval(utc(2024, 5, 31, 15), utc(2024, 6, 3, 15))


def test_timing_without_events_is_its_bounds() -> None:
    timing = {"repeat": {"boundsPeriod": {"start": "2024-06-01", "end": "2024-06-02"}}}
    assert interval_of_timing(timing, TOKYO) == Interval(utc(2024, 5, 31, 15), utc(2024, 6, 2, 15))


@pytest.mark.parametrize("timing", [{}, {"repeat": {"count": 3}}, {"event": ["2024", "x"]}, {"event": []}])
def test_timing_without_a_known_span_is_none(timing: dict[str, object]) -> None:
    assert interval_of_timing(timing, TOKYO) is None


@pytest.mark.parametrize("value", ["2024", {"start": "2024", "end": "2024"}, {"event": ["2024"]}])
def test_element_of_any_type_of_time_is_read(value: object) -> None:
    assert interval_at(value, TOKYO) == interval_of("2024", TOKYO)


@pytest.mark.parametrize("value", [None, 2024, [], {}])
def test_element_that_is_no_time_is_none(value: object) -> None:
    assert interval_at(value, TOKYO) is None


def test_intervals_that_only_touch_do_not_meet() -> None:
    june, july = interval_of("2024-06", TOKYO), interval_of("2024-07", TOKYO)
    year = interval_of("2024", TOKYO)
    assert june is not None
    assert july is not None
    assert year is not None
    assert not june.meets(july)
    assert june.meets(year)
    assert year.covers(june)
    assert not june.covers(year)
