"""For how long people share: ends of presets, and the first of several."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.period import read_period
from passport.outcomes import Invalid
from passport.sharing.presets import Preset, ending, instant, period, preset_of

TOKYO: Final = ZoneInfo("Asia/Tokyo")
NOW: Final = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
"""Already the 23rd in Tokyo."""


def test_a_visit_lasts_a_day_to_the_second() -> None:
    assert ending(Preset.VISIT, NOW, TOKYO) == "2026-11-23T16:30:00Z"


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2026-11-23", "2027-02-23"),
        ("2026-11-30", "2027-02-28"),
        ("2027-11-30", "2028-02-29"),
        ("2026-10-31", "2027-01-31"),
    ],
)
def test_three_months_end_with_the_same_day_or_the_last_one(day: str, last: str) -> None:
    begun = datetime.fromisoformat(f"{day}T08:00:00+09:00")
    assert ending(Preset.THREE_MONTHS, begun, TOKYO) == last


def test_the_day_is_that_of_the_passports_zone() -> None:
    assert ending(Preset.THREE_MONTHS, NOW, TOKYO) == "2027-02-23"
    assert ending(Preset.THREE_MONTHS, NOW, ZoneInfo("UTC")) == "2027-02-22"


def test_what_is_ongoing_does_not_end() -> None:
    assert ending(Preset.ONGOING, NOW, TOKYO) is None
    assert period([None, None], NOW, TOKYO) == {"start": instant(NOW)}


@pytest.mark.parametrize("value", [None, "", "forever", "VISIT", 3, ["visit"]])
def test_another_preset_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        preset_of(value)


@given(st.lists(st.none() | st.dates(date(2026, 11, 24), date(2199, 12, 31)), max_size=4))
def test_the_first_of_all_ends_counts(days: list[date | None]) -> None:
    ends = [None if day is None else day.isoformat() for day in days]
    found = period(ends, NOW, TOKYO)
    known = [day for day in days if day is not None]
    assert found == {"start": instant(NOW)} | ({"end": min(known).isoformat()} if known else {})


@given(st.integers(946_684_800, 5_680_281_600), st.sampled_from(Preset))
def test_a_grant_counts_from_now_and_no_longer_than_its_preset(seconds: int, preset: Preset) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    read = read_period(period([ending(preset, now, TOKYO)], now, TOKYO), TOKYO)
    assert read.holds(now)
    most = {Preset.VISIT: timedelta(hours=24), Preset.THREE_MONTHS: timedelta(days=94)}.get(preset)
    assert (read.end is None) == (most is None)
    assert most is None or (read.end is not None and read.end <= now + most)


def test_an_instant_and_a_day_are_compared_as_they_end() -> None:
    day, before = "2026-11-25", "2026-11-25T00:00:00Z"
    assert period([day, before], NOW, TOKYO)["end"] == before
    assert period([day, "2026-11-25T15:00:01Z"], NOW, TOKYO)["end"] == day


@pytest.mark.parametrize("end", ["2026-11-22", "2020", "tomorrow", "2026-13-01"])
def test_an_end_that_is_over_or_none_is_refused(end: str) -> None:
    with pytest.raises(Invalid):
        period([end, "2099"], NOW, TOKYO)
