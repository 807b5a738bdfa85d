"""When a person is of age: the instant, from their birth date and the zone that they live in.

https://laws.e-gov.go.jp/law/129AC0000000089 (民法 4 条, 143 条)

A year of life ends with the eve of the birthday, so a person is of age when the birthday begins. Who was born on 29
February completes the year with 28 February where there is no 29th.
"""

from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from fhirstore.times import interval_at

ADULT_YEARS: Final = 18  # 民法 4 条, since 2022-04-01


def of_age(birth_date: object, zone: ZoneInfo) -> datetime | None:
    """The instant from which a person is of age, in UTC; None where it cannot be told.

    Args:
        birth_date: `Patient.birthDate`; where it is a month or a year alone, its first day counts.
        zone: the passport's time zone.
    """
    interval = interval_at(birth_date, zone)
    born = None if interval is None else interval.start.astimezone(zone).date()
    if born is None or born.year > date.max.year - ADULT_YEARS:
        return None
    return datetime.combine(_birthday(born), datetime.min.time(), zone).astimezone(UTC)


def _birthday(born: date) -> date:
    year = born.year + ADULT_YEARS
    return date(year, 3, 1) if (born.month, born.day) == (2, 29) else born.replace(year=year)
