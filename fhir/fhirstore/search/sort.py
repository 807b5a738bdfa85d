"""Sorting: keyset order over any sort keys, ties broken by the record key.

http://hl7.org/fhir/R4/search.html#sort
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, func, literal_column, or_, tuple_
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import Text, TypeEngine

from fhirstore.parameters import SearchParameter, Source
from fhirstore.tables import UNDATED

BEFORE_ALL: Final[ColumnElement[Any]] = literal_column(f"'{UNDATED}'::timestamptz")
"""Where a record without a time stands, so that a comparison with it is never Unknown."""

SORTED_BY: Final[Mapping[Source, str]] = {
    Source.TIME: "time",
    Source.LAST_UPDATED: "_lastUpdated",
    Source.ID: "_id",
}
"""Which of `KEYS` gives the order by a parameter of this source."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order, greatest or newest first when `descending`.

    `name` is one of `KEYS`, unless `parameters` are there, one of each type: then the record's own elements are
    compared. Where the rows of some types give it, these are compared by `column`, one of `KEYS`.
    """

    name: str
    descending: bool
    parameters: tuple[SearchParameter, ...] = ()
    column: str = ""

    def of_elements(self, type_name: str) -> SearchParameter | None:
        """The parameter by whose elements records of a type are compared, None where their rows give the order."""
        parameter = next((one for one in self.parameters if one.type.name == type_name), None)
        return None if parameter is None or parameter.source in SORTED_BY else parameter


def _starts(record: FromClause) -> ColumnElement[Any]:
    starts = record.c.starts
    # Index rows are never undated, and their order is only found by the bare column.
    return func.coalesce(starts, BEFORE_ALL, type_=TIMESTAMP(timezone=True)) if starts.nullable else starts


KEYS: Final[Mapping[str, tuple[Any, TypeEngine[Any]]]] = {
    "time": (_starts, TIMESTAMP(timezone=True)),
    "_lastUpdated": (lambda record: record.c.last_updated, TIMESTAMP(timezone=True)),
    "_id": (lambda record: record.c.id, Text(collation="C")),
}
"""What a page can be ordered by: the expression over a record, and the type of its cursor value."""


def by_rows(order: Sequence[SortKey]) -> bool:
    """Whether the rows alone give this order."""
    return not any(key.parameters for key in order)


def expressions(order: Sequence[SortKey], record: FromClause) -> list[ColumnElement[Any]]:
    """Return the value of each sort key that rows have, labelled `sort_0`, `sort_1`, …"""
    columns = [(at, key.column if key.parameters else key.name) for at, key in enumerate(order)]
    return [KEYS[column][0](record).label(f"sort_{at}") for at, column in columns if column]


def order_by(order: Sequence[SortKey], record: FromClause) -> list[ColumnElement[Any]]:
    """Return the ORDER BY terms; the record key goes the way of the last key, so that one index serves."""
    keys = [(KEYS[key.name][0](record), key.descending) for key in order]
    keys.append((record.c.record_key, order[-1].descending if order else False))
    return [value.desc() if descending else value.asc() for value, descending in keys]


def after(order: Sequence[SortKey], record: FromClause) -> ColumnElement[bool]:
    """Return whether a record follows the cursor, bound as `after_0`, `after_1`, …, `after_key`."""
    last = bindparam("after_key", type_=record.c.record_key.type)
    descending = order[-1].descending if order else False
    values = [KEYS[key.name][0](record) for key in order]
    bounds = [bindparam(f"after_{at}", type_=KEYS[key.name][1]) for at, key in enumerate(order)]
    if all(key.descending == descending for key in order):
        # One comparison of rows, at which an index is entered: page n costs what page 1 costs.
        place, end = tuple_(*values, record.c.record_key), tuple_(*bounds, last)
        return place < end if descending else place > end
    steps: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for key, value, bound in zip(order, values, bounds, strict=True):
        steps.append(and_(*equal, value < bound if key.descending else value > bound))
        equal.append(value == bound)
    steps.append(and_(*equal, record.c.record_key < last if descending else record.c.record_key > last))
    return or_(*steps)
