"""Dates as the stretch of time that their precision covers, and periods between two of them.

http://hl7.org/fhir/R4/datatypes.html#dateTime
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from consent.model import Interval

_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)

# The instants that nothing lies before or after: as a start and an end they are open.
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def read_period(period: Mapping[str, object], zone: ZoneInfo) -> Interval:
    """The interval between `start` and `end`.

    Args:
        period: a FHIR Period; a date without time of day is a day, month or year of `zone`.
        zone: the passport's time zone.

    Returns:
        A half-open interval in UTC. It begins where `start` begins, and ends with the last day of an `end`
        without time of day, or at the instant of an `end` with one. A date before or after every instant
        that can be told (`9999-12-31`) leaves that end open.

    Raises:
        ValueError: neither end is there, one is not a FHIR dateTime, or nothing lies between them.
    """
    start, end = period.get("start"), period.get("end")
    if start is None and end is None:
        raise ValueError("got a period without start and end, expected at least one of them")
    first = _FIRST if start is None else _edges(start, zone)[0]
    last = _LAST if end is None else _edges(end, zone)[1]
    interval = Interval(None if first == _FIRST else first, None if last == _LAST else last)
    if interval.empty:
        raise ValueError("got a period with nothing between its start and its end")
    return interval


def _edges(text: object, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Where a dateTime begins and where it ends, as the start and the end of a period."""
    refusal = ValueError("got a date in no known form, expected YYYY, YYYY-MM, YYYY-MM-DD or a zoned time")
    if not isinstance(text, str):
        raise refusal
    parts = _DATE.fullmatch(text)
    try:
        if parts is None:
            if not _DATE_TIME.fullmatch(text):
                raise refusal
            instant = _utc(datetime.fromisoformat(text))
            return instant, instant
        year, month, day = (None if part is None else int(part) for part in parts.groups())
        first = date(year or 0, month or 1, day or 1)
    except ValueError:
        raise refusal from None
    following = _following(first, month, day)
    return _midnight(first, zone), _LAST if following is None else _midnight(following, zone)


def _following(first: date, month: int | None, day: int | None) -> date | None:
    """The first day after the year, month or day that begins with `first`; None past the calendar's end."""
    try:
        if day is not None:
            return first + timedelta(days=1)
        if month is not None:
            return (first + timedelta(days=31)).replace(day=1)
        return first.replace(year=first.year + 1)
    except (OverflowError, ValueError):
        return None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return _utc(datetime(day.year, day.month, day.day, tzinfo=zone))


def _utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return _FIRST if instant.year == _FIRST.year else _LAST
