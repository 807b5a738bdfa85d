"""Periods cover what their dates cover, in the passport's time zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from consent.errors import ConsentError
from consent.model import Interval
from consent.period import read_period
from tests.unit.consent.words import TOKYO


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2024", "2023-12-31T15:00:00+00:00"),
        ("2024-03", "2024-02-29T15:00:00+00:00"),
        ("2024-03-01", "2024-02-29T15:00:00+00:00"),
        ("2024-03-01T10:00:00Z", "2024-03-01T10:00:00+00:00"),
        ("2024-03-01T10:00:00.25+09:00", "2024-03-01T01:00:00.250000+00:00"),
    ],
)
def test_a_start_is_the_first_instant_of_what_it_names(start: str, expected: str) -> None:
    assert read_period({"start": start}, TOKYO) == Interval(datetime.fromisoformat(expected), None)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2024", "2024-12-31T15:00:00+00:00"),
        ("2024-02", "2024-02-29T15:00:00+00:00"),
        ("2024-12", "2024-12-31T15:00:00+00:00"),
        ("2024-02-29", "2024-02-29T15:00:00+00:00"),
        ("2024-02-29T10:00:00Z", "2024-02-29T10:00:00+00:00"),
    ],
)
def test_an_end_without_time_of_day_covers_its_whole_day(end: str, expected: str) -> None:
    assert read_period({"end": end}, TOKYO) == Interval(None, datetime.fromisoformat(expected))


def test_the_day_is_that_of_the_passports_time_zone() -> None:
    day = read_period({"start": "2024-03-01", "end": "2024-03-01"}, ZoneInfo("Europe/Berlin"))
    assert day == Interval(datetime(2024, 2, 29, 23, tzinfo=UTC), datetime(2024, 3, 1, 23, tzinfo=UTC))


def test_a_day_of_a_clock_change_is_as_long_as_it_was() -> None:
    day = read_period({"start": "2024-03-31", "end": "2024-03-31"}, ZoneInfo("Europe/Berlin"))
    assert day == Interval(datetime(2024, 3, 30, 23, tzinfo=UTC), datetime(2024, 3, 31, 22, tzinfo=UTC))


@pytest.mark.parametrize("end", ["9999", "9999-12", "9999-12-31"])
def test_the_last_day_of_the_calendar_means_no_end(end: str) -> None:
    assert read_period({"start": "2024", "end": end}, TOKYO).end is None


def test_a_start_past_the_calendar_never_opens_a_period() -> None:
    start = read_period({"start": "9999-12-31T23:00:00-05:00"}, TOKYO).start
    assert start is not None
    assert start.year == 9999


@pytest.mark.parametrize(
    "period",
    [
        {},
        {"start": None, "end": None},
        {"start": ""},
        {"start": "24"},
        {"start": "2024-1"},
        {"start": "2024-13"},
        {"start": "2024-02-30"},
        {"start": "0000"},
        {"start": "2024-01-01T10:00"},
        {"start": "2024-01-01T10:00:00"},
        {"start": "2024-01-01T25:00:00Z"},
        {"start": "2024-01-01T10:00:00+99:00"},
        {"start": "２０２４"},
        {"start": "2024 "},
        {"start": 2024},
        {"start": "2025", "end": "2024"},
        {"start": "2024-01-01T10:00:00Z", "end": "2024-01-01T10:00:00Z"},
    ],
)
def test_what_is_no_period_is_refused(period: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^got "):
        read_period(period, TOKYO)


def test_an_instant_without_time_zone_is_no_bound() -> None:
    with pytest.raises(ConsentError):
        Interval(datetime(2024, 1, 1, tzinfo=UTC).replace(tzinfo=None), None)
