"""Date parameters: intervals compared by prefix, both sides as wide as they were written.

http://hl7.org/fhir/R4/search.html#date
http://hl7.org/fhir/R4/search.html#prefix
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, func, not_, or_
from sqlalchemy.dialects.postgresql import TIMESTAMP

from fhirstore.parameters import SearchParameter, Source
from fhirstore.search.test import BadValue, Test, UnknownPrefix
from fhirstore.times import BEGINNING, END, Interval, interval_of

Value = ColumnElement[Any]
Compare = Callable[[Value, Value, Value, Value], ColumnElement[bool]]

_PREFIXED: Final = re.compile(r"([a-z]{2})?(\d.*)")
APPROXIMATELY: Final = "ap"
_NEARNESS: Final = 10  # the specification's recommendation: within a tenth of the time between then and now
_MILLISECOND: Final = timedelta(milliseconds=1)  # the precision that lastUpdated is answered with


def _within(start: Value, end: Value, low: Value, high: Value) -> ColumnElement[bool]:
    return and_(start >= low, end <= high)


PREFIXES: Final[Mapping[str, Compare]] = {
    "eq": _within,
    "ne": lambda start, end, low, high: not_(_within(start, end, low, high)),
    "gt": lambda _start, end, _low, high: end > high,
    "lt": lambda start, _end, low, _high: start < low,
    "ge": lambda start, end, low, high: or_(end > high, _within(start, end, low, high)),
    "le": lambda start, end, low, high: or_(start < low, _within(start, end, low, high)),
    "sa": lambda start, _end, _low, high: start >= high,
    "eb": lambda _start, end, low, _high: end <= low,
    APPROXIMATELY: lambda start, end, low, high: and_(start < high, end > low),
}
"""How a record's [start, end) stands to a value's [low, high); a record without a time matches none."""


def date_test(
    parameter: SearchParameter, values: Sequence[str], bind: str, zone: ZoneInfo, now: datetime | None = None
) -> Test:
    """A record's time stands to one of the values as its prefix says; `now` is what `ap` is measured by.

    Raises:
        BadValue: a value that is no date.
        UnknownPrefix: a prefix that no date has.
    """
    prefixes: list[str] = []
    params: dict[str, Any] = {}
    for at, value in enumerate(values):
        match = _PREFIXED.fullmatch(value)
        # A plus sign of an offset arrives as a space where a client did not escape it.
        interval = interval_of(match[2].replace(" ", "+"), zone) if match else None
        if match is None or interval is None:
            raise BadValue(parameter.name, f"a date such as `2024-06-01`, after one of {', '.join(PREFIXES)}")
        prefix = match[1] or "eq"
        if prefix not in PREFIXES or (prefix == APPROXIMATELY and now is None):
            raise UnknownPrefix(parameter.name, list(PREFIXES))
        if prefix == APPROXIMATELY and now is not None:
            interval = _around(interval, now)
        prefixes.append(prefix)
        params |= {f"{bind}_{at}_low": interval.start, f"{bind}_{at}_high": interval.end}

    def condition(record: FromClause) -> ColumnElement[bool]:
        return _condition(parameter, record, prefixes, bind)

    return Test((parameter.number, "date", *prefixes), condition, params)


def _around(interval: Interval, now: datetime) -> Interval:
    gap = max(now - interval.start, interval.start - now) / _NEARNESS
    low = interval.start - gap if interval.start - BEGINNING > gap else BEGINNING
    high = interval.end + gap if END - interval.end > gap else END
    return Interval(low, high)


def _condition(
    parameter: SearchParameter, record: FromClause, prefixes: Sequence[str], bind: str
) -> ColumnElement[bool]:
    if parameter.source is Source.LAST_UPDATED:
        updated = func.date_trunc("milliseconds", record.c.last_updated)
        return _any(updated, updated + _MILLISECOND, prefixes, bind)
    return _any(record.c.starts, record.c.ends, prefixes, bind)


def _any(start: Value, end: Value, prefixes: Sequence[str], bind: str) -> ColumnElement[bool]:
    kind = TIMESTAMP(timezone=True)
    return or_(
        *(
            PREFIXES[prefix](
                start,
                end,
                bindparam(f"{bind}_{at}_low", type_=kind),
                bindparam(f"{bind}_{at}_high", type_=kind),
            )
            for at, prefix in enumerate(prefixes)
        )
    )
