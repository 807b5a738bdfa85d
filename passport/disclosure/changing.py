"""Histories: what became of a record, of the records of a type, and of all that a caller may see.

http://hl7.org/fhir/R4/http.html#history

A version is shown if it is permitted as it was and as its record is now. One statement finds, records and commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select

from consent.model import Action
from fhirstore import reads
from fhirstore.search.cursor import BadCursor, open_cursor, seal_cursor
from fhirstore.search.history import Changes
from fhirstore.tables import NOBODY
from fhirstore.types import TYPE_NUMBERS, TYPES_BY_NUMBER, ResourceType, TypeNumber, types_of
from passport.admission import Desk, Request, admitted
from passport.decision import Decision, decide
from passport.disclosure.cursors import cursor_context
from passport.disclosure.finding import Finder
from passport.disclosure.recorded import (
    BODY_COLUMNS,
    UNKNOWN_PATIENT,
    audit_params,
    disclosed,
    kept,
    present,
    recorded,
)
from passport.disclosure.single import Shown
from passport.identity.record_scopes import ALL_TYPES, Right
from passport.identity.scopes import missing
from passport.outcomes import NotFound, OutOfScope
from passport.records import opened_body
from passport.runtime import Runtime
from passport.subjects import Caller


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose history: of one record, of a type where `id_` is None, of every type where both are."""

    type: ResourceType | None = None
    id_: str | None = None

    @property
    def right(self) -> Right:
        """Which right of the session's scopes it takes."""
        return "s" if self.id_ is None else "r"

    @property
    def reference(self) -> str | None:
        """The record, if it is one."""
        return f"{self.type.name}/{self.id_}" if self.type and self.id_ else None


@dataclass(frozen=True, slots=True)
class Versions:
    """One page of a history; `cursor` leads to the next one, if there is one.

    `total` is how many versions all pages show together, told of the history of one record.
    """

    shown: tuple[Shown, ...]
    cursor: str | None
    total: int | None


async def changes(
    runtime: Runtime, caller: Caller, asked: Asked, question: Changes, asked_as: str, binding: bytes
) -> Versions:
    """One page of a history, newest first; `binding` is the question that its cursors are for.

    Raises:
        NotFound: it is the history of a record that is not there, or not for this caller.
        OutOfScope: the session's scopes reach none of the types.
    """
    request = Request(Action.ACCESS, "history", asked_as, about=asked.reference)
    async with admitted(runtime, caller, request) as desk:
        types = _types(desk, asked)
        decision = (await decide(runtime, desk.connection, desk.standing, Action.ACCESS)).by(asked.right)
        context = cursor_context(desk, binding)
        after = _after(runtime, question, context)
        flags = (question.since is not None, question.at is not None, bool(after))
        structure = ("changes", asked.reference is not None, types if asked.type else None, flags)
        prepared = kept(
            runtime,
            (*structure, decision.structure),
            lambda: _statement(Finder(desk, decision), asked, flags),
        )
        rows = await disclosed(desk, prepared, {**_params(desk, decision, asked, question, types), **after})
    if asked.reference is not None and not (rows and rows[0].visible):
        raise NotFound
    return _page(runtime, rows, context, rows[0].total if asked.reference is not None else None)


def _types(desk: Desk, asked: Asked) -> tuple[int, ...]:
    """The numbers of the types that are asked for, as far as the session's scopes reach.

    Raises:
        OutOfScope: they reach none of them.
    """
    held = types_of(sandbox=desk.runtime.settings.sandbox).values()
    names = [asked.type.name] if asked.type else [row.name for row in held if row.writable]
    reached = tuple(TYPE_NUMBERS[name] for name in names if desk.reaches(asked.right, name))
    if not reached:
        raise OutOfScope(missing(asked.right, *(names if asked.type else [ALL_TYPES])))
    return reached


def _statement(finder: Finder, asked: Asked, flags: tuple[bool, bool, bool]) -> Select[Any]:
    decision = finder.decision.of(asked.type.name) if asked.type else finder.decision
    reach = None if asked.reference else finder.reach(asked.type.name if asked.type else "Consent")
    since, at, after = flags
    found = reads.changes(decision.clause, decision.relied, reach, since=since, at=at, after=after).cte(
        "page"
    )
    count = bindparam("count", type_=Integer)
    order = (found.c.last_updated.desc(), found.c.record_key.desc(), found.c.version.desc())
    shown = select(found).order_by(*order).limit(count).cte("shown")
    more = select(func.count() > count).select_from(found).scalar_subquery()
    columns, counted = [more.label("more")], None
    if asked.reference:
        columns.append(reads.visible(decision.clause).scalar_subquery().label("visible"))
        counted = reads.counted_changes(decision.clause, decision.relied, since=since, at=at).cte("counted")
        columns.append(select(func.count()).select_from(counted).scalar_subquery().label("total"))
    totals = select(*columns).subquery("totals")
    names = (*BODY_COLUMNS, "record_key", "type", "last_updated", "deleted", "revived")
    rows = recorded(shown, totals, names, of_asked=False, before=(found,), counted=counted)
    return rows.order_by(shown.c.last_updated.desc(), shown.c.record_key.desc(), shown.c.version.desc())


def _params(
    desk: Desk, decision: Decision, asked: Asked, question: Changes, types: Sequence[int]
) -> dict[str, Any]:
    patient = desk.standing.asked
    single = asked.reference is not None and question.since is None and question.at is None
    told = [NOBODY if patient is None else patient]
    return {
        **decision.params,
        **audit_params(desk, decision, told, one=single),
        "asked": UNKNOWN_PATIENT if patient is None else patient,
        "record_key": desk.runtime.keys.reference(asked.reference or ""),
        "type": types[0],
        "types": list(types),
        "reachable": Finder(desk, decision).reachable,
        "count": question.count,
        "limit": question.count + 1,
        "since": question.since,
        "at_low": question.at and question.at.start,
        "at_high": question.at and question.at.end,
    }


def _after(runtime: Runtime, question: Changes, context: bytes) -> dict[str, Any]:
    if question.cursor is None:
        return {}
    values, record_key = open_cursor(runtime.ring.cursor_secret, context, question.cursor)
    match values:
        case [datetime() as written, str() as version]:
            return {"after_time": written, "after_key": record_key, "after_version": int(version)}
        case _:
            raise BadCursor


def _page(runtime: Runtime, rows: Sequence[Any], context: bytes, total: int | None) -> Versions:
    found = present(rows)
    cursor = None
    if found and rows[0].more:
        last = found[-1]
        place = (last.last_updated, str(last.version))
        cursor = seal_cursor(runtime.ring.cursor_secret, context, place, last.record_key)
    return Versions(tuple(_shown(runtime, row) for row in found), cursor, total)


def _shown(runtime: Runtime, row: Any) -> Shown:
    key = runtime.ring.unwrap(row.patient_key, row.wrapped_key)
    return Shown(
        reference=f"{TYPES_BY_NUMBER[TypeNumber(row.type)].name}/{row.id}",
        version=row.version,
        last_updated=row.last_updated,
        body=b"" if row.deleted else opened_body(row, key, row.type),
        deleted=row.deleted,
        revived=row.revived,
    )
