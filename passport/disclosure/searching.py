"""Search: one page of what matches and is permitted.

http://hl7.org/fhir/R4/http.html#search

Its cost: the standing, then one statement with the page, its audit rows and the COMMIT; the rows of the page, and
one decryption for each. No JSON is parsed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    any_,
    bindparam,
    func,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from consent.model import Action
from fhirstore import store
from fhirstore.search.cursor import SortValue, open_cursor, seal_cursor
from fhirstore.search.query import Query
from fhirstore.tables import NOBODY
from fhirstore.types import PROPOSABLE
from passport.admission import Desk, Request, admitted
from passport.bundles import Entry
from passport.decision import TYPE_NUMBERS, Decision, decide
from passport.disclosure.recorded import (
    BODY_COLUMNS,
    UNKNOWN_PATIENT,
    audit_params,
    disclosed,
    kept,
    present,
    recorded,
    require_scope,
)
from passport.records import opened_body
from passport.runtime import Runtime
from passport.subjects import Caller


@dataclass(frozen=True, slots=True)
class Page:
    """What a search shows; `cursor` leads to the next page, if there is one."""

    entries: tuple[Entry, ...]
    total: int | None
    cursor: str | None


async def search(runtime: Runtime, caller: Caller, query: Query, asked_as: str, binding: bytes) -> Page:
    """One page of what matches and is permitted; `binding` is the question that its cursors are for."""
    about = query.patients[0] if query.patients and _names_one(query) else None
    if query.patients is not None and not query.patients:
        about = f"{query.type.name}/"
    request = Request(Action.ACCESS, "search", asked_as, about=about)
    async with admitted(runtime, caller, request) as desk:
        require_scope(desk.subject, query.type.name, "s")
        decision = await decide(runtime, desk.connection, desk.standing, Action.ACCESS)
        context = _cursor_context(desk, binding)
        after = _after(runtime, query, context)
        structure = (
            "search",
            query.type.name,
            tuple(test.structure for test in query.tests),
            query.order,
            None if query.patients is None else min(len(query.patients), 2),
            query.total,
            bool(after),
            decision.structure,
        )
        prepared = kept(runtime, structure, lambda: _searched(query, decision, after=bool(after)))
        rows = await disclosed(desk, prepared, {**_search_params(desk, decision, query), **after})
    return _page(runtime, query, rows, context)


def _names_one(query: Query) -> bool:
    return query.patients is not None and len(query.patients) == 1


def _searched(query: Query, decision: Decision, *, after: bool) -> Select[Any]:
    """The statement of a page: found, counted where that was asked for, recorded, shown."""
    reach, typed = _reach(query, decision), decision.of(query.type.name)
    found = store.page(query, typed.clause, typed.relied, reach=reach, after_cursor=after).cte("page")
    order = _page_order(query, found)
    shown = select(found).order_by(*order).limit(bindparam("count", type_=Integer)).cte("shown")
    matching = (
        store.total(query, typed.clause, reach=reach).scalar_subquery()
        if query.total == "accurate"
        else null()
    )
    more = select(func.count() > bindparam("count", type_=Integer)).select_from(found).scalar_subquery()
    totals = select(matching.label("total"), more.label("more")).subquery("totals")
    names = [*BODY_COLUMNS, "record_key", *(f"sort_{at}" for at in range(len(query.order)))]
    # A proposal to somebody without a passport is opened with another key than theirs.
    of_asked = _names_one(query) and query.type.name != PROPOSABLE
    rows = recorded(shown, totals, names, of_asked=of_asked, before=(found,))
    return rows.order_by(*_page_order(query, shown))


def _page_order(query: Query, rows: FromClause) -> list[ColumnElement[Any]]:
    descending = [key.descending for key in query.order]
    columns = [rows.c[f"sort_{at}"] for at in range(len(descending))]
    ordered = zip([*columns, rows.c.record_key], [*descending, descending[-1]], strict=True)
    return [column.desc() if down else column.asc() for column, down in ordered]


def _reach(query: Query, decision: Decision) -> store.Permit:
    """Whose records a search that names no patient looks at: no more than the standing found anything of."""
    if decision.sight.otherwise is not None:
        return lambda _: true()

    def reach(rows: FromClause) -> ColumnElement[bool]:
        within = rows.c.patient_key == any_(bindparam("reachable", type_=ARRAY(BigInteger)))
        if decision.proposals and query.type.name == "Consent":
            return or_(within, rows.c.source == bindparam("requester", type_=BigInteger))
        return within

    return reach


def _search_params(desk: Desk, decision: Decision, query: Query) -> dict[str, Any]:
    standing, keys = desk.standing, desk.runtime.keys
    asked = UNKNOWN_PATIENT if standing.asked is None else standing.asked
    told = [standing.asked if query.patients and standing.asked is not None else NOBODY]
    named = [keys.reference(reference) for reference in query.patients or ()]
    params: dict[str, Any] = {
        **decision.params,
        **audit_params(desk, decision, told, one=False, named=() if _names_one(query) else named),
        "type": TYPE_NUMBERS[query.type.name],
        "count": 0 if query.only_count else query.count,
        "limit": 0 if query.only_count else query.count + 1,
        "asked": asked,
        "asked_refs": named,
        "reachable": [patient for group in standing.groups.values() for patient in group],
    }
    for test in query.tests:
        params.update(test.params)
    return params


def _cursor_context(desk: Desk, binding: bytes) -> bytes:
    """A cursor opens for the same caller, in the same role, for the same purpose and the same question."""
    subject = desk.subject
    caller = "\0".join((subject.reference, subject.role or "", subject.client or "", subject.purpose))
    return sha256(caller.encode() + b"\0" + binding).digest()


def _after(runtime: Runtime, query: Query, context: bytes) -> dict[str, Any]:
    if query.cursor is None:
        return {}
    values, record_key = open_cursor(runtime.ring.cursor_secret, context, query.cursor)
    return {f"after_{at}": value for at, value in enumerate(values)} | {"after_key": record_key}


def _page(runtime: Runtime, query: Query, rows: Sequence[Any], context: bytes) -> Page:
    found = present(rows)
    cursor = None
    if found and rows[0].more:
        last = found[-1]
        values: list[SortValue] = [getattr(last, f"sort_{at}") for at in range(len(query.order))]
        cursor = seal_cursor(runtime.ring.cursor_secret, context, values, last.record_key)
    name, number, unwrap = query.type.name, TYPE_NUMBERS[query.type.name], runtime.ring.unwrap
    return Page(
        entries=tuple(
            Entry(f"{name}/{row.id}", opened_body(row, unwrap(row.patient_key, row.wrapped_key), number))
            for row in found
        ),
        total=rows[0].total if rows else None,
        cursor=cursor,
    )
