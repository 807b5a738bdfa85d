"""One record, and one version of it.

http://hl7.org/fhir/R4/http.html#read
http://hl7.org/fhir/R4/http.html#vread

A denied id and an unknown one run the same statements and decrypt nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, null, select

from consent.model import Action
from fhirstore import reads, store
from fhirstore.parse import Tree, parse
from fhirstore.tables import NOBODY
from fhirstore.types import TYPE_NUMBERS, ResourceType
from passport.admission import Desk, Request
from passport.decision import Decision
from passport.disclosure.answering import answered
from passport.disclosure.recorded import (
    BODY_COLUMNS,
    UNKNOWN_PATIENT,
    audit_params,
    kept,
    present,
    recorded,
)
from passport.outcomes import Gone, NotFound
from passport.records import opened_body
from passport.runtime import Runtime
from passport.sql import Prepared
from passport.subjects import Caller

_ONE_COLUMNS: Final = (*BODY_COLUMNS, "last_updated", "deleted")


@dataclass(frozen=True, slots=True)
class Shown:
    """One version of a record, as it may be shown; `body` is its JSON.

    `revived` is a version that was written after a deletion; a history alone tells it.
    """

    reference: str
    version: int
    last_updated: datetime
    body: bytes
    deleted: bool = False
    revived: bool = False


async def read(runtime: Runtime, caller: Caller, type_: ResourceType, id_: str, query: str) -> Shown:
    """One record as it is now.

    Raises:
        NotFound: it is not there, or not for this caller.
        Gone: the caller could see it, and it was deleted.
    """
    reference = f"{type_.name}/{id_}"
    request = Request(Action.ACCESS, "read", query, about=reference)

    def question(desk: Desk, decision: Decision) -> tuple[Prepared, Mapping[str, Any]]:
        desk.require_reach("r", type_.name)
        prepared = kept(
            runtime,
            ("read", type_.name, decision.structure),
            lambda: _one(type_, decision, reads.record),
        )
        return prepared, _one_params(desk, decision, type_, reference)

    _, found = await answered(runtime, caller, request, question)
    rows = present(found)
    if not rows:
        raise NotFound
    if rows[0].deleted:
        raise Gone
    return _shown(runtime, type_, rows[0])


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

    def question(desk: Desk, decision: Decision) -> tuple[Prepared, Mapping[str, Any]]:
        desk.require_reach("r", type_.name)
        prepared = kept(
            runtime,
            ("versions", type_.name, decision.structure),
            lambda: _one(type_, decision, reads.versions),
        )
        return prepared, {
            **_one_params(desk, decision, type_, reference),
            "before": before,
            "limit": limit,
        }

    request = Request(Action.ACCESS, verb, query, about=reference)
    _, rows = await answered(runtime, caller, request, question)
    return tuple(_shown(runtime, type_, row) for row in present(rows))


def _one(
    type_: ResourceType, decision: Decision, found: Callable[[reads.Permit, reads.Relied], Select[Any]]
) -> Select[Any]:
    """The statement that shows a record or its versions, and records it."""
    typed = decision.by("r").of(type_.name)
    shown = found(typed.clause, typed.relied).cte("shown")
    totals = select(null().label("total")).subquery("totals")
    return recorded(shown, totals, _ONE_COLUMNS, of_asked=True)


def _one_params(desk: Desk, decision: Decision, type_: ResourceType, reference: str) -> dict[str, Any]:
    asked = desk.standing.asked
    return {
        **decision.params,
        **audit_params(desk, decision, [NOBODY if asked is None else asked], one=True),
        "asked": UNKNOWN_PATIENT if asked is None else asked,
        "record_key": desk.runtime.keys.reference(reference),
        "type": TYPE_NUMBERS[type_.name],
    }


def _shown(runtime: Runtime, type_: ResourceType, row: Any) -> Shown:
    key = runtime.ring.unwrap(row.patient_key, row.wrapped_key)
    return Shown(
        reference=f"{type_.name}/{row.id}",
        version=row.version,
        last_updated=row.last_updated,
        body=b"" if row.deleted else opened_body(row, key, TYPE_NUMBERS[type_.name]),
        deleted=row.deleted,
    )
