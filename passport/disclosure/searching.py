"""Search: one page of what matches and is permitted.

http://hl7.org/fhir/R4/http.html#search

Where rows answer it, its cost is the standing, then one statement with the page, its audit rows and the COMMIT; the
rows of the page, and one decryption for each. No JSON is parsed. Where records have to be looked into, or others come
along, that statement comes last: what it records is shown, and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    bindparam,
    cast,
    func,
    null,
    select,
)

from consent.model import Action
from fhirstore.search import statement
from fhirstore.search.criteria import mentioned
from fhirstore.search.cursor import open_cursor, seal_cursor
from fhirstore.search.order import Place, room
from fhirstore.search.query import Query
from fhirstore.tables import NOBODY
from passport.admission import Desk, Request, admitted
from passport.bundles import Entry
from passport.decision import Decision, decide, unweighed
from passport.disclosure.answering import Question, answered
from passport.disclosure.cursors import cursor_context
from passport.disclosure.everything import entry
from passport.disclosure.finding import Finder
from passport.disclosure.including import Included, included
from passport.disclosure.kin import acquainted
from passport.disclosure.linking import linked_types, resolved
from passport.disclosure.recorded import (
    BODY_COLUMNS,
    audit_params,
    counted_before,
    counted_params,
    disclosed,
    kept,
    present,
    recorded,
)
from passport.disclosure.sifting import Matched, Opened, bound_place, sifted
from passport.disclosure.through import through
from passport.identity.record_scopes import ALL_TYPES
from passport.identity.scopes import missing
from passport.outcomes import OutOfScope
from passport.runtime import Runtime
from passport.sql import Prepared
from passport.subjects import Caller


@dataclass(frozen=True, slots=True)
class Page:
    """What a search shows; `cursor` leads to the next page, if there is one.

    `included` come along with the matches; `cut` tells that more would have.
    """

    entries: tuple[Entry, ...]
    total: int | None
    cursor: str | None
    included: tuple[Entry, ...] = ()
    cut: bool = False


async def search(runtime: Runtime, caller: Caller, query: Query, asked_as: str, binding: bytes) -> Page:
    """One page of what matches and is permitted; `binding` is the question that its cursors are for.

    Raises:
        OutOfScope: the session's scopes do not reach what is searched.
        TooCostly: it would have to look into more records than one request may.
    """
    about = _about(query)
    named = tuple(patient for patient in mentioned(query) if patient != about)
    request = Request(Action.ACCESS, _verb(query), asked_as, about=about, named=named)
    if query.by_rows:
        return await _by_rows(runtime, caller, request, query, binding)
    async with admitted(runtime, caller, request) as desk:
        query = _within_scopes(desk, query)
        desk.standing = await acquainted(desk)
        # Links lead from one patient to whoever else shared.
        leads_on = bool(query.links or query.includes)
        standing = await desk.standing_of_all(Action.ACCESS) if leads_on else desk.standing
        decision = await decide(runtime, desk.connection, standing, Action.ACCESS)
        finder = Finder(desk, decision.by("s"), standing)
        context = cursor_context(desk, binding)
        return await _gathered(finder, query, _after(runtime, query, context), context)


def _verb(query: Query) -> str:
    return "search" if len(query.types) == 1 and not query.every else "search-system"


def _within_scopes(desk: Desk, query: Query) -> Query:
    """The search of what the session's scopes reach: all that was named, or nothing; else what there is."""
    reached = tuple(type_ for type_ in query.types if desk.reaches("s", type_.name))
    if not reached or not (query.every or reached == query.types):
        lacking = [type_.name for type_ in query.types if type_ not in reached]
        raise OutOfScope(missing("s", *([ALL_TYPES] if query.every else lacking)))
    desk.require_reach("s", *sorted(linked_types(query)))
    return query if reached == query.types else replace(query, types=reached)


def _after(runtime: Runtime, query: Query, context: bytes) -> Place | None:
    return None if query.cursor is None else open_cursor(runtime.ring.cursor_secret, context, query.cursor)


def _about(query: Query) -> str | None:
    """Whose records are in question: those of one patient, or of whoever shared."""
    if query.patients is None:
        return None
    if not query.patients:
        return f"{query.names[0]}/"
    return query.patients[0] if len(query.patients) == 1 else None


async def _by_rows(runtime: Runtime, caller: Caller, request: Request, query: Query, binding: bytes) -> Page:
    def question(desk: Desk, decision: Decision) -> tuple[Prepared, Mapping[str, Any]]:
        finder = Finder(desk, decision.by("s"))
        settled = finder.settled(_within_scopes(desk, query))
        after = _after(runtime, query, cursor_context(desk, binding))
        structure = ("search", settled.total, after is None, finder.structure(settled, settled.order))
        prepared = kept(
            runtime, structure, lambda: _page_statement(finder, settled, after_cursor=after is not None)
        )
        shown = 0 if query.only_count else query.count
        return prepared, {
            **finder.params(settled),
            **_audited(finder, query),
            **bound_place(after),
            "count": shown,
            "limit": 0 if query.only_count else shown + 1,
        }

    desk, rows = await (answered if not request.named else _acquainted)(runtime, caller, request, question)
    found = present(rows)
    place = None
    if found and rows[0].more:
        values = [getattr(found[-1], f"sort_{at}") for at in range(len(query.order))]
        place = (values, found[-1].record_key)
    return Page(
        entries=_entries(desk, found),
        total=rows[0].total if rows else None,
        cursor=_cursor(runtime, query, place, cursor_context(desk, binding)),
    )


async def _acquainted(
    runtime: Runtime, caller: Caller, request: Request, question: Question
) -> tuple[Desk, Sequence[Any]]:
    """The rows that answer a request which names several patients: first it is looked up who they are."""
    async with admitted(runtime, caller, request) as desk:
        desk.standing = await acquainted(desk)
        prepared, params = question(
            desk, await decide(runtime, desk.connection, desk.standing, request.action)
        )
        return desk, await disclosed(desk, prepared, params)


async def _gathered(finder: Finder, query: Query, after: Place | None, context: bytes) -> Page:
    """A page that is put together first, and then recorded: what was not recorded is not shown."""
    settled = finder.settled(await resolved(finder, query))
    matched = await sifted(finder, settled, after)
    along = await included(finder, query.includes, matched.records)
    looked = [*matched.counted, *await finder.looked_through()]
    known = await _record(finder, query, [*matched.records, *along.records], looked)
    return _page(finder.desk.runtime, query, matched, along, known, context)


async def _record(finder: Finder, query: Query, records: Sequence[Opened], looked: Sequence[Any]) -> set[int]:
    """Record what is shown, and what was looked at beside it, and COMMIT; returns the keys of what was recorded."""
    # Each of them was put to what the session's scopes give of it: a match to one right, what came along to another.
    desk, decision = finder.desk, finder.decision.by()
    shown = {record.type_name for record in records} | set(query.names)
    decided = decision.of(query.names[0]) if shown == {query.names[0]} else decision
    prepared = kept(
        desk.runtime,
        ("gathered", bool(looked), decided.type_name, decision.structure),
        lambda: _gathered_statement(decided, looked=bool(looked)),
    )
    params = {
        **decision.params,
        **_audited(finder, query),
        **counted_params(looked),
        "holders": sorted({record.row.patient_key for record in records}),
        "record_keys": [record.key for record in records],
    }
    return {row.record_key for row in present(await disclosed(desk, prepared, params))}


def _gathered_statement(decision: Decision, *, looked: bool) -> Select[Any]:
    shown = statement.these(decision.clause, decision.relied).cte("shown")
    totals = select(null().label("total")).subquery("totals")
    counted = counted_before() if looked else None
    return recorded(shown, totals, ("patient_key", "record_key"), of_asked=False, counted=counted)


def _page_statement(finder: Finder, query: Query, *, after_cursor: bool) -> Select[Any]:
    """The statement of a page: found, counted where that was asked for, recorded, shown."""
    reach, typed = finder.reach_of(query), finder.typed(query)
    found = statement.page(query, typed.clause, typed.relied, reach=reach, after_cursor=after_cursor).cte(
        "page"
    )
    order = _page_order(query, found)
    shown = select(found).order_by(*order).limit(bindparam("count", type_=Integer)).cte("shown")
    counted: CTE | None = None
    matching: ColumnElement[Any] = null()
    if query.total == "accurate":
        counted = statement.counted(query, typed.clause, typed.weighed, unweighed, reach=reach).cte("counted")
        summed = func.coalesce(func.sum(counted.c.records), 0)
        matching = select(cast(summed, BigInteger)).scalar_subquery()
    more = select(func.count() > bindparam("count", type_=Integer)).select_from(found).scalar_subquery()
    totals = select(matching.label("total"), more.label("more")).subquery("totals")
    names = [*BODY_COLUMNS, "type", "record_key", *(f"sort_{at}" for at in range(len(query.order)))]
    # A proposal to somebody without a passport is opened with another key than theirs.
    of_asked = _of_one_owner(query) and not query.proposable
    rows = recorded(shown, totals, names, of_asked=of_asked, before=(found,), counted=counted)
    return rows.order_by(*_page_order(query, shown))


def _of_one_owner(query: Query) -> bool:
    return query.held != "named" and query.patients is not None and len(query.patients) == 1


def _page_order(query: Query, rows: FromClause) -> list[ColumnElement[Any]]:
    descending = [key.descending for key in query.order]
    columns = [rows.c[f"sort_{at}"] for at in range(len(descending))]
    ordered = zip([*columns, rows.c.record_key], [*descending, descending[-1]], strict=True)
    return [column.desc() if down else column.asc() for column, down in ordered]


def _audited(finder: Finder, query: Query) -> dict[str, Any]:
    """What the audit rows bind: whoever was named is told, whatever was found."""
    desk, standing = finder.desk, finder.desk.standing
    named = () if query.named == (desk.request.about,) else query.named
    told = [standing.asked if query.patients and standing.asked is not None else NOBODY]
    keys = [desk.runtime.keys.reference(reference) for reference in named]
    return dict(audit_params(desk, finder.decision, told, one=False, named=keys))


def _cursor(runtime: Runtime, query: Query, place: Place | None, context: bytes) -> str | None:
    if place is None:
        return None
    values, record_key = place
    return seal_cursor(runtime.ring.cursor_secret, context, values, record_key, more_bytes=room(query.order))


def _page(
    runtime: Runtime, query: Query, matched: Matched, along: Included, known: set[int], context: bytes
) -> Page:
    place = None
    if matched.records and matched.more:
        last = matched.records[-1]
        place = (last.values, last.key)
    return Page(
        entries=tuple(Entry(one.reference, one.body) for one in matched.records if one.key in known),
        total=matched.total,
        cursor=_cursor(runtime, query, place, context),
        included=tuple(Entry(one.reference, one.body) for one in along.records if one.key in known),
        cut=along.cut,
    )


def _entries(desk: Desk, rows: Sequence[Any]) -> tuple[Entry, ...]:
    """Each row opened; what is the same for all of a page is looked up once."""
    seen_through = through(desk)
    return tuple(entry(desk.runtime, row, seen_through) for row in rows)
