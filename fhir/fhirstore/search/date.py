"""Date parameters that a record's columns answer, compared as `fhirstore.matching.date` compares elements.

http://hl7.org/fhir/R4/search.html#date
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, bindparam, func, or_
from sqlalchemy.dialects.postgresql import TIMESTAMP

from fhirstore.matching.date import COMPARISONS, read_date
from fhirstore.matching.model import Context
from fhirstore.parameters import SearchParameter, Source
from fhirstore.search.test import Test

Value = ColumnElement[Any]

_MILLISECOND: Final = timedelta(milliseconds=1)  # the precision that lastUpdated is answered with


def date_test(
    parameter: SearchParameter, values: Sequence[str], bind: str, zone: ZoneInfo, now: datetime | None = None
) -> Test:
    """A record's time stands to one of the values as its prefix says; `now` is what `ap` is measured by.

    Raises:
        BadValue: a value that is no date.
        UnknownPrefix: a prefix that no date has.
    """
    sought = [read_date(parameter.name, value, Context(zone, now=now)) for value in values]
    prefixes = [one.prefix for one in sought]
    params: dict[str, Any] = {}
    for at, one in enumerate(sought):
        params |= {f"{bind}_{at}_low": one.interval.start, f"{bind}_{at}_high": one.interval.end}

    def condition(record: FromClause) -> ColumnElement[bool]:
        return _condition(parameter, record, prefixes, bind)

    return Test((parameter.source, "date", *prefixes), condition, params)


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
            COMPARISONS[prefix](
                start,
                end,
                bindparam(f"{bind}_{at}_low", type_=kind),
                bindparam(f"{bind}_{at}_high", type_=kind),
            )
            for at, prefix in enumerate(prefixes)
        )
    )
