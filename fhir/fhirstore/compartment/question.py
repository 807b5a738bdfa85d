"""What `$everything` may be asked, read into conditions.

http://hl7.org/fhir/R4/patient-operation-everything.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, bindparam, or_
from sqlalchemy.dialects.postgresql import TIMESTAMP

from fhirstore.search.query import CURSOR, DEFAULT_COUNT
from fhirstore.search.result import read_count
from fhirstore.search.test import BadValue, SearchError, Test, UnknownParameter
from fhirstore.subset import Subset, parse_subset
from fhirstore.times import Interval, interval_of
from fhirstore.types import TYPES

Pairs = Sequence[tuple[str, str]]

PARAMETERS: Final = ("start", "end", "_since", "_type", "_count", "_summary", "_elements")
_IGNORED: Final = frozenset({"_format", "_pretty", CURSOR})

HELD: Final = frozenset(
    row.name for row in TYPES.values() if row.writable and not (row.directory or row.sandbox)
)
"""Types of patients' own records; the audit log is asked for by itself."""

DIRECTORY: Final = frozenset(row.name for row in TYPES.values() if row.directory)
"""Types of what patients' records refer to."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one patient: `held` are the types of their records, `supporting` of what those name.

    `named` tells that the types were named by the asker. `echo` are the parameters as they were understood, for
    the links; the cursor is not among them.
    """

    held: frozenset[str]
    supporting: frozenset[str]
    named: bool
    tests: tuple[Test, ...]
    count: int
    subset: Subset | None
    cursor: str | None
    echo: tuple[tuple[str, str], ...]


def parse_everything(pairs: Pairs, *, zone: ZoneInfo) -> Question:
    """Read the parameters of `$everything`.

    A record without a clinical time is not known to lie outside of `start` and `end`, and is within.

    Args:
        pairs: names and values as they came; `_type` may be repeated, its values stand between commas.
        zone: the passport's time zone, for dates without one.

    Raises:
        SearchError: a parameter or value that the operation does not have.
    """
    for name, _ in pairs:
        if name not in (*PARAMETERS, *_IGNORED):
            raise UnknownParameter(name, "$everything", list(PARAMETERS))
    named = [value for name, value in pairs if name == "_type"]
    held, supporting = _types(named)
    count = _count(single(pairs, "_count"))
    subset = parse_subset(single(pairs, "_summary"), single(pairs, "_elements"), held | supporting)
    return Question(
        held=held,
        supporting=supporting,
        named=bool(named),
        tests=tuple(_tests(pairs, zone)),
        count=count,
        subset=subset,
        cursor=single(pairs, CURSOR),
        echo=tuple(
            (name, str(count) if name == "_count" else value) for name, value in pairs if name != CURSOR
        ),
    )


def single(pairs: Pairs, name: str) -> str | None:
    """The value of a parameter that may be given once.

    Raises:
        SearchError: it is given more often.
    """
    values = [value for given, value in pairs if given == name]
    if len(values) > 1:
        raise SearchError(name, f"got `{name}` {len(values)} times, expected it once")
    return values[0] if values else None


def _types(values: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    if not values:
        return HELD, DIRECTORY
    names = [name for value in values for name in value.split(",")]
    for name in names:
        if name not in HELD | DIRECTORY:
            known = ", ".join(sorted(HELD | DIRECTORY))
            raise SearchError(
                "_type", f"got `{name[:64]}` in `_type`, expected types of patients' records: {known}"
            )
    wanted = frozenset(names)
    if not wanted & HELD:
        # What is referred to comes with what refers to it.
        raise BadValue("_type", "at least one type of patients' records")
    return wanted & HELD, wanted & DIRECTORY


def _count(text: str | None) -> int:
    return DEFAULT_COUNT if text is None else read_count(text, least=1)


def _tests(pairs: Pairs, zone: ZoneInfo) -> list[Test]:
    given = {name: single(pairs, name) for name in ("start", "end", "_since")}
    spans = {name: _span(name, text, zone) for name, text in given.items() if text is not None}
    bounds: dict[str, tuple[datetime, Callable[[FromClause, Any], ColumnElement[bool]]]] = {}
    if "start" in spans:
        bounds["start"] = spans["start"].start, lambda row, at: or_(row.c.starts.is_(None), row.c.ends > at)
    if "end" in spans:
        bounds["end"] = spans["end"].end, lambda row, at: or_(row.c.starts.is_(None), row.c.starts < at)
    if "_since" in spans:
        bounds["_since"] = spans["_since"].start, lambda row, at: row.c.last_updated >= at
    return [_bounded(name, at, condition) for name, (at, condition) in bounds.items()]


def _bounded(name: str, at: datetime, condition: Callable[[FromClause, Any], ColumnElement[bool]]) -> Test:
    bind = f"bound{name.removeprefix('_')}"
    return Test(name, lambda row: condition(row, bindparam(bind, type_=TIMESTAMP(timezone=True))), {bind: at})


def _span(name: str, text: str, zone: ZoneInfo) -> Interval:
    # A plus sign of an offset arrives as a space where a client did not escape it.
    span = interval_of(text.replace(" ", "+"), zone)
    if span is None or (name == "_since" and "T" not in text):
        raise BadValue(name, "an instant" if name == "_since" else "a date such as `2026-10-01`")
    return span
