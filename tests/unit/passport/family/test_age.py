"""When a person is of age, to the instant."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from passport.family.age import of_age


@pytest.mark.parametrize(
    ("born", "zone", "instant"),
    [
        ("2008-05-10", "Asia/Tokyo", datetime(2026, 5, 9, 15, tzinfo=UTC)),
        ("2008-05-10", "America/New_York", datetime(2026, 5, 10, 4, tzinfo=UTC)),
        ("2008-02-29", "Asia/Tokyo", datetime(2026, 2, 28, 15, tzinfo=UTC)),
        ("2008-12-31", "Asia/Tokyo", datetime(2026, 12, 30, 15, tzinfo=UTC)),
        # What is not known to the day ends as early as it can.
        ("2008-05", "Asia/Tokyo", datetime(2026, 4, 30, 15, tzinfo=UTC)),
        ("2008", "Asia/Tokyo", datetime(2025, 12, 31, 15, tzinfo=UTC)),
        ("1899-01-01", "Asia/Tokyo", datetime(1916, 12, 31, 15, tzinfo=UTC)),
    ],
)
def test_a_person_is_of_age_when_the_birthday_begins(born: str, zone: str, instant: datetime) -> None:
    assert of_age(born, ZoneInfo(zone)) == instant


@pytest.mark.parametrize("born", [None, "", "2008-13-01", "soon", 2008, "9999-01-01"])
def test_whose_birth_date_is_not_known_is_not_known_to_be_of_age(born: object) -> None:
    assert of_age(born, ZoneInfo("Asia/Tokyo")) is None
