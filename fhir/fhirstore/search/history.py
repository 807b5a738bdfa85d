"""What a history is asked for: since when, as of when, how much at a time.

http://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from fhirstore.search.cursor import CURSOR
from fhirstore.search.result import DEFAULT_COUNT, read_count
from fhirstore.search.test import BadValue, SearchError, UnknownParameter
from fhirstore.subset import Subset, parse_subset
from fhirstore.times import Interval, interval_of

_KNOWN: Final = ("_since", "_at", "_count", "_summary", "_elements", "_format", "_pretty", CURSOR)


@dataclass(frozen=True, slots=True)
class Changes:
    """A question for versions: those written at or after `since`, those that stood at some instant of `at`.

    `echo` are the parameters as they were understood, for the self link; the cursor is not among them. `subset` is
    the part of each version that is wanted, None for all of it.
    """

    since: datetime | None
    at: Interval | None
    count: int
    cursor: str | None
    echo: tuple[tuple[str, str], ...]
    subset: Subset | None = None


def parse_changes(
    pairs: Sequence[tuple[str, str]], *, zone: ZoneInfo, lenient: bool = False, types: Collection[str] = ()
) -> Changes:
    """Read the parameters of a history.

    Args:
        pairs: names and values as they came, in their order.
        zone: the passport's time zone, for times without one.
        lenient: whether what is not known is left out instead of refused.
        types: the resource types that the answer may hold.

    Raises:
        SearchError: a parameter that a history does not have, twice the same, or an unreadable value.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in _KNOWN:
            if lenient:
                continue
            raise UnknownParameter(name, "a history", list(_KNOWN[:-1]))
        if name in given:
            raise SearchError(name, f"got `{name}` more than once, expected it once")
        given[name] = value
    since, at = _interval(given, "_since", zone), _interval(given, "_at", zone)
    count = read_count(given["_count"], least=1) if "_count" in given else DEFAULT_COUNT
    shown = {**given, "_count": str(count)} if "_count" in given else given
    return Changes(
        since=None if since is None else since.start,
        at=at,
        count=count,
        cursor=given.get(CURSOR),
        echo=tuple((name, value) for name, value in shown.items() if name != CURSOR),
        subset=parse_subset(given.get("_summary"), given.get("_elements"), types),
    )


def _interval(given: dict[str, str], name: str, zone: ZoneInfo) -> Interval | None:
    if name not in given:
        return None
    # A plus sign of an offset arrives as a space where a client did not escape it.
    interval = interval_of(given[name].replace(" ", "+"), zone)
    if interval is None:
        raise BadValue(name, "an instant such as `2024-06-01T10:00:00Z`")
    return interval
