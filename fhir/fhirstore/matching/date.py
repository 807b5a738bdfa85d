"""Date parameters: intervals compared by prefix, both sides as wide as they were written.

http://hl7.org/fhir/R4/search.html#date
http://hl7.org/fhir/R4/search.html#prefix
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from fhirstore.matching.model import Context, ElementMatches, expect_modifier
from fhirstore.parameters import SearchParameter
from fhirstore.search.test import BadValue, UnknownPrefix
from fhirstore.times import BEGINNING, END, Interval, interval_at, interval_of

Compare = Callable[[Any, Any, Any, Any], Any]

COMPARISONS: Final[Mapping[str, Compare]] = MappingProxyType(
    {
        "eq": lambda start, end, low, high: (start >= low) & (end <= high),
        "ne": lambda start, end, low, high: (start < low) | (end > high),
        "gt": lambda _start, end, _low, high: end > high,
        "lt": lambda start, _end, low, _high: start < low,
        "ge": lambda start, end, low, high: (end > high) | ((start >= low) & (end <= high)),
        "le": lambda start, end, low, high: (start < low) | ((start >= low) & (end <= high)),
        "sa": lambda start, _end, _low, high: start >= high,
        "eb": lambda _start, end, low, _high: end <= low,
        "ap": lambda start, end, low, high: (start < high) & (end > low),
    }
)
"""How a record's [start, end) stands to a value's [low, high).

Written with the operators that datetimes and SQL expressions share, so that both are answered alike. For
`ap` the value is widened before.
"""

_PREFIXED: Final = re.compile(r"([a-z]{2})?([0-9].*)")
_APPROXIMATELY: Final = "ap"
_GAPS: Final = 10  # "10% of the gap between now and the date"


@dataclass(frozen=True, slots=True)
class SoughtTime:
    """A searched date: what it covers, `ap` widened already."""

    prefix: str
    interval: Interval

    def matches(self, interval: Interval) -> bool:
        """Return whether the interval stands to this one as its prefix says."""
        compare = COMPARISONS[self.prefix]
        return bool(compare(interval.start, interval.end, self.interval.start, self.interval.end))


def read_date(name: str, text: str, context: Context) -> SoughtTime:
    """Read a date with its prefix.

    Raises:
        BadValue: no date.
        UnknownPrefix: a prefix that no date has, or `ap` where it is not known what time it is.
    """
    match = _PREFIXED.fullmatch(text)
    # A plus sign of an offset arrives as a space where a client did not escape it.
    interval = interval_of(match[2].replace(" ", "+"), context.zone) if match else None
    if match is None or interval is None:
        raise BadValue(name, f"a date such as `2024-06-01`, after none or one of {', '.join(COMPARISONS)}")
    prefix = match[1] or "eq"
    if prefix not in COMPARISONS or (prefix == _APPROXIMATELY and context.now is None):
        raise UnknownPrefix(name, list(COMPARISONS))
    if prefix == _APPROXIMATELY and context.now is not None:
        interval = approximately(interval, context.now)
    return SoughtTime(prefix, interval)


def approximately(interval: Interval, now: datetime) -> Interval:
    """Return the interval widened on both sides by a tenth of the gap between it and now."""
    gap = max(interval.start - now, now - interval.end, timedelta(0)) / _GAPS
    return Interval(
        interval.start - gap if interval.start - BEGINNING > gap else BEGINNING,
        interval.end + gap if END - interval.end > gap else END,
    )


def date_test(
    parameter: SearchParameter, modifier: str | None, values: Sequence[str], context: Context
) -> ElementMatches:
    """Return whether a date, moment, period or timing stands to one of the values as its prefix says.

    Raises:
        UnfitModifier: any modifier.
        BadValue: a value that is no date.
        UnknownPrefix: a prefix that no such value has.
    """
    expect_modifier(parameter, modifier)
    sought = [read_date(parameter.name, value, context) for value in values]
    zone = context.zone

    def matches(element: Any) -> bool:
        interval = interval_at(element, zone)
        return interval is not None and any(one.matches(interval) for one in sought)

    return matches


def date_sort_value(element: Any, context: Context, *, descending: bool) -> datetime | None:
    """Return the moment by which an element is sorted: its start upwards, its end downwards."""
    interval = interval_at(element, context.zone)
    if interval is None:
        return None
    return interval.end if descending else interval.start
