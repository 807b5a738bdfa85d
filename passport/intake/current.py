"""What a write replaces: the current versions that its caller may see, locked until the transaction ends.

http://hl7.org/fhir/R4/http.html#update
"""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from consent.model import Action
from fhirstore import store
from passport.admission import Desk
from passport.authority import Basis
from passport.decision import decide
from passport.pieces import Current, Write
from passport.sql import fetch

_REGISTERED = "Patient"


async def currents_of(desk: Desk, writes: Sequence[Write]) -> dict[str, Current]:
    """The current versions by reference; what the caller may not see is not among them."""
    about = {f"{one.type}/{one.id}" for one in writes if one.method != "create"}
    if not about:
        return {}
    kept = {f"{one.type}/{one.id}" for one in writes if _kept(desk, one)}
    found: dict[int, dict[Action, Any]] = {}
    for action in (Action.CORRECT, Action.COLLECT, Action.ACCESS):
        for row in await locked(desk, action, about, kept):
            found.setdefault(row.record_key, {})[action] = row
    currents = {}
    for reference in about:
        rows = found.get(desk.runtime.keys.reference(reference), {})
        # A consent withdrawn between two of the statements takes a row out of sight: then it is not there.
        if len(rows) < 3 or rows[Action.ACCESS].deleted:
            continue
        row = rows[Action.ACCESS]
        if not (row.permitted or reference in kept):
            continue
        currents[reference] = Current(
            row,
            correctable=rows[Action.CORRECT].permitted,
            collectable=wrote(desk, row) and rows[Action.COLLECT].permitted,
        )
    return currents


async def locked(
    desk: Desk, action: Action, references: Collection[str], kept: Collection[str] = ()
) -> Sequence[Any]:
    """The current rows of these references, with whether the caller is permitted this action on each."""
    runtime = desk.runtime
    standing = await desk.standing_for(action, *sorted(references))
    if standing.named and kept:
        # An operator corrects a registration, and the city desk consents: nothing is shared with either.
        await desk.widen(*standing.named)
    decision = await decide(runtime, desk.connection, standing, action)
    prepared = runtime.statements.composed(("lock", decision.structure), partial(store.lock, decision.clause))
    keys = sorted(runtime.keys.reference(reference) for reference in references)
    return await fetch(desk.connection, prepared, {**decision.params, "record_keys": keys})


def wrote(desk: Desk, row: Any) -> bool:
    """Whether the caller is the source that wrote the row, by whichever registration of theirs."""
    themselves = map(desk.runtime.keys.reference, desk.subject.registrations)
    return row.source == desk.standing.actor_key or row.source in themselves


def names_caller(desk: Desk, row: Any) -> bool:
    """Whether the row refers to the caller."""
    return desk.runtime.keys.reference(desk.subject.reference) in row.refs


def _kept(desk: Desk, one: Write) -> bool:
    """Whether it is the caller's office to keep this record, which they replace and do not read."""
    return one.on is Basis.DESK or (desk.subject.kind == "operator" and one.type == _REGISTERED)
