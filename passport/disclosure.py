"""Disclosure: the one way by which records leave the store.

http://hl7.org/fhir/R4/http.html#read
http://hl7.org/fhir/R4/http.html#search

A disclosure is two round trips: the standing, then one data-modifying statement with its COMMIT in one
pipeline. That statement finds the page under the consent condition, inserts the audit rows of what it found,
and returns the rows only if those were written. Its cost: the rows of the page, and one decryption for each; no
JSON is parsed. A denied id and an unknown one run the same statements and decrypt nothing.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    any_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from consent.model import Action
from fhirstore import store
from fhirstore.parse import Tree, parse
from fhirstore.search.cursor import SortValue, open_cursor, seal_cursor
from fhirstore.search.query import Query
from fhirstore.tables import NOBODY
from fhirstore.tables import patient as patient_table
from fhirstore.types import PROPOSABLE, ResourceType
from passport.admission import Desk, Request, admitted
from passport.audit.disclosed import parameters, recording
from passport.bundles import Entry
from passport.decision import TYPE_NUMBERS, Decision, decide
from passport.identity.scopes import Right, allows
from passport.outcomes import Gone, NotFound, Refused
from passport.records import opened_body
from passport.runtime import Runtime
from passport.sql import Prepared, prepare, start
from passport.subjects import Caller, Subject

_BODY_COLUMNS: Final = ("patient_key", "id", "version", "codec", "body")
"""What it takes to open a body."""

_ONE_COLUMNS: Final = (*_BODY_COLUMNS, "last_updated", "deleted")

_UNKNOWN_PATIENT: Final = -1
"""No patient_key: a search for a patient who is not here looks like one who shows nothing."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One version of a record, as it may be shown; `body` is its JSON."""

    reference: str
    version: int
    last_updated: datetime
    body: bytes
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a search shows; `cursor` leads to the next page, if there is one."""

    entries: tuple[Entry, ...]
    total: int | None
    cursor: str | None


async def read(runtime: Runtime, caller: Caller, type_: ResourceType, id_: str, query: str) -> Shown:
    """One record as it is now.

    Raises:
        NotFound: it is not there, or not for this caller.
        Gone: the caller could see it, and it was deleted.
    """
    reference = f"{type_.name}/{id_}"
    request = Request(Action.ACCESS, "read", query, about=reference)
    async with admitted(runtime, caller, request) as desk:
        _require_scope(desk.subject, type_.name, "r")
        decision = await decide(runtime, desk.connection, desk.standing, Action.ACCESS)
        prepared = _kept(
            runtime,
            ("read", type_.name, decision.structure),
            lambda: _one(type_, decision, store.record),
        )
        params = _one_params(desk, decision, type_, reference)
        rows = _present(await _disclosed(desk, prepared, params))
    if not rows:
        raise NotFound
    if rows[0].deleted:
        raise Gone
    return _shown(runtime, type_, rows[0])


async def search(runtime: Runtime, caller: Caller, query: Query, recorded: str, binding: bytes) -> Page:
    """One page of what matches and is permitted; `binding` is the question that its cursors are for."""
    about = query.patients[0] if query.patients and _names_one(query) else None
    if query.patients is not None and not query.patients:
        about = f"{query.type.name}/"
    request = Request(Action.ACCESS, "search", recorded, about=about)
    async with admitted(runtime, caller, request) as desk:
        _require_scope(desk.subject, query.type.name, "s")
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
        prepared = _kept(runtime, structure, lambda: _searched(query, decision, after=bool(after)))
        rows = await _disclosed(desk, prepared, {**_search_params(desk, decision, query), **after})
    return _page(runtime, query, rows, context)


async def version(
    runtime: Runtime, caller: Caller, type_: ResourceType, id_: str, number: int, query: str
) -> Shown:
    """One version of a record, permitted as it was and as the record is now.

    Raises:
        NotFound: there is no such version, or not for this caller.
        Gone: it is the version that deleted the record.
    """
    found = await _versions(runtime, caller, type_, id_, "vread", query, before=number + 1, limit=1)
    if not found or found[0].version != number:
        raise NotFound
    if found[0].deleted:
        raise Gone
    return found[0]


async def history(
    runtime: Runtime, caller: Caller, type_: ResourceType, id_: str, query: str, *, before: int, limit: int
) -> tuple[Shown, ...]:
    """The versions of a record below `before`, newest first.

    Raises:
        NotFound: there is no version that this caller may see.
    """
    found = await _versions(runtime, caller, type_, id_, "history", query, before=before, limit=limit)
    if not found:
        raise NotFound
    return found


async def directory_trees(desk: Desk, references: Sequence[str]) -> dict[str, Tree]:
    """Resources of the directory, for what a record that is being written takes from them; not a disclosure."""
    keys = {desk.runtime.keys.reference(reference): reference for reference in references}
    if not keys:
        return {}
    rows = await store.directory_bodies(desk.connection, list(keys))
    unwrap = desk.runtime.ring.unwrap
    return {
        keys[row.record_key]: parse(opened_body(row, unwrap(row.patient_key, row.wrapped_key), row.type))
        for row in rows
    }


async def _versions(
    runtime: Runtime,
    caller: Caller,
    type_: ResourceType,
    id_: str,
    verb: str,
    query: str,
    *,
    before: int,
    limit: int,
) -> tuple[Shown, ...]:
    reference = f"{type_.name}/{id_}"
    async with admitted(runtime, caller, Request(Action.ACCESS, verb, query, about=reference)) as desk:
        _require_scope(desk.subject, type_.name, "r")
        decision = await decide(runtime, desk.connection, desk.standing, Action.ACCESS)
        prepared = _kept(
            runtime,
            ("versions", type_.name, decision.structure),
            lambda: _one(type_, decision, store.versions),
        )
        params = _one_params(desk, decision, type_, reference)
        rows = _present(await _disclosed(desk, prepared, {**params, "before": before, "limit": limit}))
    return tuple(_shown(runtime, type_, row) for row in rows)


def _names_one(query: Query) -> bool:
    return query.patients is not None and len(query.patients) == 1


def _require_scope(subject: Subject, type_name: str, right: Right) -> None:
    if not allows(subject.scopes, type_name, right):
        raise Refused("the session's scopes do not allow this")


def _kept(runtime: Runtime, structure: Hashable, compose: Callable[[], Select[Any]]) -> Prepared:
    return runtime.statements.get(structure) or runtime.statements.put(structure, prepare(compose()))


def _one(
    type_: ResourceType, decision: Decision, found: Callable[[store.Permit, store.Relied], Select[Any]]
) -> Select[Any]:
    """The statement that shows a record or its versions, and records it."""
    typed = decision.of(type_.name)
    shown = found(typed.clause, typed.relied).cte("shown")
    totals = select(null().label("total")).subquery("totals")
    return _recorded(shown, totals, _ONE_COLUMNS, of_asked=True)


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
    names = [*_BODY_COLUMNS, "record_key", *(f"sort_{at}" for at in range(len(query.order)))]
    # A proposal to somebody without a passport is opened with another key than theirs.
    of_asked = _names_one(query) and query.type.name != PROPOSABLE
    recorded = _recorded(shown, totals, names, of_asked=of_asked, before=(found,))
    return recorded.order_by(*_page_order(query, shown))


def _recorded(
    shown: CTE, totals: Subquery, names: Sequence[str], *, of_asked: bool, before: Sequence[CTE] = ()
) -> Select[Any]:
    """These columns of what is shown, with the key that opens it, and only if the audit rows were written.

    `of_asked` tells that all of it is of the patient bound as `asked`, whose key is then looked up once.
    """
    seen, audited = recording()
    written = select(func.count()).select_from(audited).scalar_subquery()
    keys = patient_table.alias("keys")
    rows = totals.outerjoin(shown, true())
    key: ColumnElement[bytes] = keys.c.wrapped_key
    if of_asked:
        asked = keys.c.patient_key == bindparam("asked", type_=BigInteger)
        one = select(keys.c.wrapped_key).where(asked).scalar_subquery()
        # Where nothing is shown no key is fetched, whether the patient is here or not.
        key = case((shown.c.patient_key.is_not(null()), one), else_=null())
    else:
        rows = rows.outerjoin(keys, keys.c.patient_key == shown.c.patient_key)
    return (
        select(totals, *(shown.c[name] for name in names), key.label("wrapped_key"))
        .select_from(rows)
        .where(written > 0)
        .add_cte(*before, shown, seen, audited)
    )


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


async def _disclosed(desk: Desk, prepared: Prepared, params: Mapping[str, Any]) -> Sequence[Any]:
    """Run the statement and COMMIT in one round trip; rows are handed over only after the commit."""
    async with desk.connection.pipeline():
        cursor = await start(desk.connection, prepared, params)
        await desk.commit()
    return list(await cursor.fetchall())


def _present(rows: Sequence[Any]) -> list[Any]:
    """The rows that hold a record; a total comes on a row of its own where nothing is shown."""
    return [row for row in rows if row.patient_key is not None]


def _one_params(desk: Desk, decision: Decision, type_: ResourceType, reference: str) -> dict[str, Any]:
    asked = desk.standing.asked
    return {
        **decision.params,
        **_audit_params(desk, decision, [NOBODY if asked is None else asked], one=True),
        "asked": _UNKNOWN_PATIENT if asked is None else asked,
        "record_key": desk.runtime.keys.reference(reference),
        "type": TYPE_NUMBERS[type_.name],
    }


def _search_params(desk: Desk, decision: Decision, query: Query) -> dict[str, Any]:
    standing, keys = desk.standing, desk.runtime.keys
    asked = _UNKNOWN_PATIENT if standing.asked is None else standing.asked
    told = [standing.asked if query.patients and standing.asked is not None else NOBODY]
    named = [keys.reference(reference) for reference in query.patients or ()]
    params: dict[str, Any] = {
        **decision.params,
        **_audit_params(desk, decision, told, one=False, named=() if _names_one(query) else named),
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


def _audit_params(
    desk: Desk, decision: Decision, told: list[int], *, one: bool, named: Sequence[int] = ()
) -> Mapping[str, Any]:
    return parameters(
        desk.subject,
        verb=desk.request.verb,
        query=desk.request.query,
        told=told,
        grants=decision.grants,
        one=one,
        now=desk.now,
        named=named,
    )


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
    found = _present(rows)
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


def _shown(runtime: Runtime, type_: ResourceType, row: Any) -> Shown:
    key = runtime.ring.unwrap(row.patient_key, row.wrapped_key)
    return Shown(
        reference=f"{type_.name}/{row.id}",
        version=row.version,
        last_updated=row.last_updated,
        body=b"" if row.deleted else opened_body(row, key, TYPE_NUMBERS[type_.name]),
        deleted=row.deleted,
    )
