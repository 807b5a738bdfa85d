from datetime import date

import pytest

from fhirmap.jahis.dates import read_date


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20260310", date(2026, 3, 10)),
        ("R080310", date(2026, 3, 10)),
        ("r080310", date(2026, 3, 10)),
        ("Ｒ０８０３１０", date(2026, 3, 10)),
        ("S330303", date(1958, 3, 3)),
        ("H010108", date(1989, 1, 8)),
        ("S640107", date(1989, 1, 7)),
        ("T011224", date(1912, 12, 24)),
        ("M450729", date(1912, 7, 29)),
    ],
)
def test_both_forms_are_read_in_any_width(text: str, day: date) -> None:
    read = read_date(text)
    assert read.day == day
    assert read.deviation is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026/3/10", date(2026, 3, 10)),
        ("2026-03-10", date(2026, 3, 10)),
        ("2026年3月10日", date(2026, 3, 10)),
        ("R8.3.10", date(2026, 3, 10)),
        ("令和元年5月1日", date(2019, 5, 1)),
    ],
)
def test_what_a_person_would_read_is_read_and_reported(text: str, day: date) -> None:
    read = read_date(text)
    assert read.day == day
    assert read.deviation == "is a date in another form than YYYYMMDD or GYYMMDD"


@pytest.mark.parametrize("text", ["H310501", "R010430", "S640108", "H460310"])
def test_a_date_outside_of_its_era_is_counted_on_and_reported(text: str) -> None:
    read = read_date(text)
    assert read.day is not None
    assert read.deviation == "is a date outside of its era"


@pytest.mark.parametrize("text", ["20260230", "R080231", "R000310", "00000101", "R081332"])
def test_a_day_that_no_calendar_has_is_none(text: str) -> None:
    assert read_date(text).day is None
    assert read_date(text).deviation


@pytest.mark.parametrize("text", ["春ごろ", "2026", "X080310", "", "202603100"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text).day is None
    assert read_date(text).deviation == "is not a date, expected YYYYMMDD or GYYMMDD"
