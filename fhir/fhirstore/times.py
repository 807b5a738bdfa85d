"""Dates, times and periods as half-open intervals in UTC.

http://hl7.org/fhir/R4/datatypes.html#dateTime
http://hl7.org/fhir/R4/search.html#date

A value covers what its precision covers: `2024-06` is the whole of June in the passport's time zone,
`2024-06-01T10:00:00Z` is that second. Every interval fits a PostgreSQL `timestamptz` and Python's
`datetime`: what would lie outside is cut at `BEGINNING` or `END`, which also stand for an open side.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)

_TICK: Final = timedelta(microseconds=1)
_MINUTE: Final = timedelta(minutes=1)
_MICROSECOND_DIGITS: Final = 6
_PRECISIONS: Final = tuple(timedelta(microseconds=10 ** (_MICROSECOND_DIGITS - n)) for n in range(7))
_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::([0-9]{2})(?:\.([0-9]+))?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_UP_TO_MINUTE: Final = len("2024-06-01T10:00:")
_UP_TO_SECOND: Final = len("2024-06-01T10:00:00")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open span of time, `start` included and `end` not; both in UTC, `start` before `end`."""

    start: datetime
    end: datetime

    def covers(self, other: "Interval") -> bool:
        """Return whether the other interval lies within this one."""
        return self.start <= other.start and other.end <= self.end

    def meets(self, other: "Interval") -> bool:
        """Return whether the two have an instant in common."""
        return self.start < other.end and other.start < self.end


def interval_of(value: str, zone: ZoneInfo) -> Interval | None:
    """Return what a date, dateTime or instant covers.

    Args:
        value: `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or a time of day to the minute, second or finer.
        zone: the zone of days, and of times that name none.

    Returns:
        The interval, or None for a text that names no moment. A leap second is the last second of its
        minute, so that it stays in its day and year.
    """
    try:
        if (match := _DATE_TIME.fullmatch(value)) is not None:
            return _of_time(value, match[1], match[2] or "", zone)
        if (match := _DATE.fullmatch(value)) is not None:
            return _of_days(int(match[1]), match[2], match[3], zone)
    except ValueError:
        return None
    return None


def interval_of_period(period: Mapping[str, Any], zone: ZoneInfo) -> Interval | None:
    """Return what a Period covers: from its start's first instant to its end's last; an absent side is open.

    None when neither side can be read, when a side that is present cannot, or when it ends before it starts.
    """
    sides = [period.get("start"), period.get("end")]
    read = [interval_of(side, zone) if isinstance(side, str) else None for side in sides]
    if all(side is None for side in sides) or any(
        side is not None and interval is None for side, interval in zip(sides, read, strict=True)
    ):
        return None
    first, last = read
    return _checked(first.start if first else BEGINNING, last.end if last else END)


def interval_of_timing(timing: Mapping[str, Any], zone: ZoneInfo) -> Interval | None:
    """Return the span from the first to the last of a Timing's events, else of its bounds, else None."""
    events = timing.get("event")
    if isinstance(events, list) and events:
        return _hull(interval_of(event, zone) if isinstance(event, str) else None for event in events)
    repeat = timing.get("repeat")
    bounds = repeat.get("boundsPeriod") if isinstance(repeat, dict) else None
    return interval_of_period(bounds, zone) if isinstance(bounds, dict) else None


def interval_at(value: object, zone: ZoneInfo) -> Interval | None:
    """Return what an element covers, whether it is a date, a dateTime, an instant, a Period or a Timing."""
    if isinstance(value, str):
        return interval_of(value, zone)
    if not isinstance(value, dict):
        return None
    if "start" in value or "end" in value:
        return interval_of_period(value, zone)
    return interval_of_timing(value, zone)


def _hull(intervals: Iterable[Interval | None]) -> Interval | None:
    known = list(intervals)
    if any(interval is None for interval in known):
        return None
    read = [interval for interval in known if interval is not None]
    return Interval(min(one.start for one in read), max(one.end for one in read))


def _of_days(year: int, month: str | None, day: str | None, zone: ZoneInfo) -> Interval | None:
    first = datetime(year, int(month or 1), int(day or 1), tzinfo=zone)
    following = _following(first, month, day)
    return _checked(_utc(first), END if following is None else _utc(following))


def _following(first: datetime, month: str | None, day: str | None) -> datetime | None:
    try:
        if day is not None:
            # Wall time: the next midnight of the zone, however long the day was.
            return first + timedelta(days=1)
        if month is None or first.month == 12:
            return first.replace(year=first.year + 1, month=1)
        return first.replace(month=first.month + 1)
    except (OverflowError, ValueError):
        return None


def _of_time(text: str, second: str | None, fraction: str, zone: ZoneInfo) -> Interval | None:
    if second == "60":
        text = f"{text[:_UP_TO_MINUTE]}59{text[_UP_TO_SECOND:]}"
    moment = datetime.fromisoformat(text)
    start = _utc(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))
    try:
        end = start + _precision(second, fraction)
    except OverflowError:
        end = END
    return _checked(start, end)


def _precision(second: str | None, fraction: str) -> timedelta:
    if second is None:
        return _MINUTE
    return _PRECISIONS[min(len(fraction), _MICROSECOND_DIGITS)]


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return BEGINNING if moment.year == BEGINNING.year else END


def _checked(start: datetime, end: datetime) -> Interval | None:
    if start < end:
        return Interval(start, end)
    # What begins at or after the last instant keeps that instant; anything else ends before it starts.
    return Interval(END - _TICK, END) if start == END else None
