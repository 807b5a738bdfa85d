"""Looking into records: what SQL lets through is opened and tested by what it says, a chunk at a time.

http://hl7.org/fhir/R4/search.html

All of it happens inside the caller's permitted set and inside one transaction; nothing is shown before it was
recorded. What is looked into is bounded, and costs the loop no more than a chunk at a time.
"""

import json
from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from fhirstore.search.criteria import Criteria
from fhirstore.search.cursor import SortValue
from fhirstore.search.order import follows, in_order, values_of
from fhirstore.search.query import Query
from fhirstore.search.sort import SortKey, by_rows
from fhirstore.types import TYPES_BY_NUMBER, TypeNumber
from passport.disclosure.finding import Finder, TooCostly
from passport.disclosure.through import through
from passport.records import opened_body
from passport.runtime import Runtime

CHUNK: Final = 250
"""Records that are opened in one go; a smaller number is not worth a thread."""

FIRST_BATCH: Final = 200
LARGEST_BATCH: Final = 4_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A record that was looked into; `tree` is empty where nobody asked what it says."""

    row: Any
    body: bytes
    tree: dict[str, Any]
    values: Sequence[SortValue] = ()

    @property
    def key(self) -> int:
        """Its record key."""
        return int(self.row.record_key)

    @property
    def type_name(self) -> str:
        """The name of its type."""
        return TYPES_BY_NUMBER[TypeNumber(self.row.type)].name

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type_name}/{self.row.id}"


@dataclass(frozen=True, slots=True)
class Matched:
    """What a search finds: a page of it, whether there is more, and how much there is if that was asked.

    `counted` says by rows what was counted; of what was looked into for it the finder knows.
    """

    records: Sequence[Opened]
    more: bool
    total: int | None
    counted: Sequence[Any] = ()


async def sifted(finder: Finder, query: Query, after: tuple[Sequence[SortValue], int] | None) -> Matched:
    """The page of a search that has to look into records.

    Raises:
        TooCostly: it would have to look into too many.
    """
    if query.only_count and not query.sifts:
        counted = await finder.counted(query)
        return Matched((), more=False, total=_sum(counted), counted=counted)
    if query.only_count or not by_rows(query.order) or (query.total == "accurate" and query.sifts):
        return await _whole(finder, query, after)
    page = await _walked(finder, query, query.order, query.count + 1, after)
    accurate = query.total == "accurate"
    counted = await finder.counted(query) if accurate else ()
    return Matched(page[: query.count], len(page) > query.count, _sum(counted) if accurate else None, counted)


def _sum(counted: Sequence[Any]) -> int:
    return sum(row.records for row in counted)


async def all_of(finder: Finder, criteria: Criteria, *, trees: bool) -> Sequence[Opened]:
    """All that a search finds, in no order.

    Raises:
        TooCostly: there is too much to look into.
    """
    rows = await finder.candidates(criteria, (), finder.budget.left + 1, {})
    return await opened(finder, rows, criteria, (), trees=trees)


async def opened(
    finder: Finder, rows: Sequence[Any], criteria: Criteria | None, order: Sequence[SortKey], *, trees: bool
) -> list[Opened]:
    """The records of these rows that match.

    Raises:
        TooCostly: there are more of them than may be looked into.
    """
    finder.budget.spend(len(rows))
    found: list[Opened] = []
    runtime, context = finder.desk.runtime, finder.context
    seen_through = through(finder.desk)
    parsing = trees or not by_rows(order) or bool(criteria and criteria.sifts)

    def look(chunk: Sequence[Any]) -> list[Opened]:
        seen = []
        for row in chunk:
            body = seen_through.seen(TYPES_BY_NUMBER[TypeNumber(row.type)].name, _body(runtime, row))
            tree = json.loads(body, parse_float=Decimal) if parsing else {}
            if criteria is None or all(matches(tree) for matches in criteria.sifts):
                seen.append(Opened(row, body, tree, values_of(order, row, tree, context)))
        return seen

    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        found += await to_thread(look, chunk) if len(rows) > CHUNK else look(chunk)
    return found


async def _whole(finder: Finder, query: Query, after: tuple[Sequence[SortValue], int] | None) -> Matched:
    """Everything is looked into: there is a total to tell, or an order that only the records give."""
    rows = await finder.candidates(query, query.order, finder.budget.left + 1, {})
    if len(rows) > finder.budget.left:
        raise TooCostly(next((key.name for key in query.order if key.parameters), ""))
    found = await opened(finder, rows, query, query.order, trees=bool(query.includes))
    places = [(record.values, record.key) for record in found]
    ordered = [found[at] for at in in_order(places, query.order)]
    if after is not None:
        ordered = [one for one in ordered if follows((one.values, one.key), after, query.order)]
    page = () if query.only_count else ordered[: query.count]
    more = not query.only_count and len(ordered) > query.count
    if query.total == "accurate":
        finder.look_at(one.row for one in found)
    return Matched(page, more, len(found) if query.total == "accurate" else None)


async def _walked(
    finder: Finder,
    query: Query,
    order: Sequence[SortKey],
    wanted: int,
    after: tuple[Sequence[SortValue], int] | None,
) -> list[Opened]:
    """Rows come in their order, and no more of them are opened than the page needs."""
    found: list[Opened] = []
    size = wanted if not query.sifts else max(FIRST_BATCH, 2 * wanted)
    while len(found) < wanted:
        size = min(size, LARGEST_BATCH, finder.budget.left + 1)
        rows = await finder.candidates(query, order, size, bound_place(after))
        found += await opened(finder, rows[: finder.budget.left], query, order, trees=bool(query.includes))
        if len(rows) < size:
            break
        if not finder.budget.left and len(found) < wanted:
            raise TooCostly
        last = rows[-1]
        after = ([getattr(last, f"sort_{at}") for at in range(len(order))], last.record_key)
        size *= 2
    return found[:wanted]


def bound_place(after: tuple[Sequence[SortValue], int] | None) -> dict[str, Any]:
    """What a statement binds to begin after a place."""
    if after is None:
        return {}
    values, record_key = after
    return {f"after_{at}": value for at, value in enumerate(values)} | {"after_key": record_key}


def _body(runtime: Runtime, row: Any) -> bytes:
    return opened_body(row, runtime.ring.unwrap(row.patient_key, row.wrapped_key), row.type)
