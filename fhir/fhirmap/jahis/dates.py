"""Dates of an お薬手帳 file: `YYYYMMDD`, or the Japanese era as `GYYMMDD`.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, 別表 年号区分コード.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Era:
    """A Japanese era: its first day, and its last where it has ended."""

    letter: str
    name: str
    first: date
    last: date


ERAS = (
    Era("M", "明治", date(1868, 1, 25), date(1912, 7, 29)),
    Era("T", "大正", date(1912, 7, 30), date(1926, 12, 24)),
    Era("S", "昭和", date(1926, 12, 25), date(1989, 1, 7)),
    Era("H", "平成", date(1989, 1, 8), date(2019, 4, 30)),
    Era("R", "令和", date(2019, 5, 1), date.max),
)

_WESTERN = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_ERA = re.compile(r"([MTSHR])(\d\d)(\d\d)(\d\d)", re.ASCII)
_WESTERN_PARTED = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII)
_ERA_PARTED = re.compile(
    r"(明治|大正|昭和|平成|令和|[MTSHR])(\d{1,2}|元)[-/.年](\d{1,2})[-/.月](\d{1,2})日?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class DateRead:
    """The day, None if no person could tell it; and what deviates from the two forms."""

    day: date | None
    deviation: str | None = None


def read_date(text: str) -> DateRead:
    """Read a date as leniently as a person would, in any width."""
    written = "".join(unicodedata.normalize("NFKC", text).upper().split())
    if match := _WESTERN.fullmatch(written) or _WESTERN_PARTED.fullmatch(written):
        read = _day(int(match[1]), match[2], match[3])
    elif match := _ERA.fullmatch(written) or _ERA_PARTED.fullmatch(written):
        read = _era(match)
    else:
        return DateRead(None, "is not a date, expected YYYYMMDD or GYYMMDD")
    if read.deviation is None and not written[1:].isdigit():
        return DateRead(read.day, "is a date in another form than YYYYMMDD or GYYMMDD")
    return read


def _day(year: int, month: str, day: str) -> DateRead:
    try:
        return DateRead(date(year, int(month), int(day)))
    except ValueError:
        return DateRead(None, "is a day that the calendar does not have")


def _era(match: re.Match[str]) -> DateRead:
    era = next(each for each in ERAS if match[1] in (each.letter, each.name))
    year_of_era = 1 if match[2] == "元" else int(match[2])
    read = _day(era.first.year + year_of_era - 1, match[3], match[4])
    if read.day is not None and not era.first <= read.day <= era.last:
        return DateRead(read.day if year_of_era else None, "is a date outside of its era")
    return read
