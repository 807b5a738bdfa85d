"""What a write replaces: the current versions that its caller may see, locked until the transaction ends.

http://hl7.org/fhir/R4/http.html#update
http://hl7.org/fhir/R4/http.html#upsert

What was deleted is not there, but for an update by whoever may name new records: that writes its next version. Whoever
may read it is told that it is gone: to delete it again leaves nothing to do.
"""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, Final

from consent.model import Action
from fhirstore import store
from passport.admission import Desk
from passport.authority import Basis
from passport.decision import Decision, decide
from passport.identity import scopes as smart
from passport.identity.record_scopes import Right
from passport.outcomes import Gone, naming
from passport.pieces import Current, Write, may_name, reference_of
from passport.sql import fetch

_REGISTERED: Final = "Patient"
_ASKED: Final[tuple[Right, ...]] = ("r", "u", "d")
_SCOPED: Final = "scoped_"
_ACTIONS: Final = (Action.CORRECT, Action.COLLECT, Action.ACCESS)


async def currents_of(desk: Desk, granted: Decision, writes: Sequence[Write]) -> dict[str, Current]:
    """The current versions by reference; what the caller may not see is not among them.

    Of what was deleted there are those that may be written again, and those that its caller may read and deletes again.

    Raises:
        Gone: a patch of what the caller may read, and was deleted.
    """
    named = {reference_of(one): one for one in writes if one.method != "create"}
    if not named:
        return {}
    kept = {reference for reference, one in named.items() if _kept(desk, one)}
    found = {row.record_key: row for row in await _locked(desk, named.keys(), kept)}
    currents = {}
    for reference, one in named.items():
        row = found.get(desk.runtime.keys.reference(reference))
        if row is None or not (row.access or reference in kept) or not _scoped(row, one):
            continue
        given = _given(desk, row, one.type)
        current = Current(
            row,
            correctable=row.correct,
            collectable=wrote(desk, row) and row.collect,
            readable=row.access and given,
            given=given,
        )
        if row.deleted and not _revives(desk, granted, one):
            if not current.readable or one.on is not None or one.tree is not None:
                continue
            if one.patch is not None:
                with naming(one.entry):
                    raise Gone
        currents[reference] = current
    return currents


async def _locked(desk: Desk, references: Collection[str], kept: Collection[str]) -> Sequence[Any]:
    """The current rows of these references, with whether the caller is permitted each action on them."""
    runtime, named = desk.runtime, sorted(references)
    standings = {action: await desk.standing_for(action, *named) for action in _ACTIONS}
    decided = {
        action: (await decide(runtime, desk.connection, standing, action)).by()
        for action, standing in standings.items()
    }
    decisions = {str(action): decision.beside(f"{action}_") for action, decision in decided.items()}
    clauses = {name: decision.clause for name, decision in decisions.items()}
    access = decided[Action.ACCESS]
    if access.narrowing is not None:
        for right in _ASKED:
            decision = access.by(right).beside(f"{_SCOPED}{right}_")
            decisions[f"{_SCOPED}{right}"], clauses[f"{_SCOPED}{right}"] = decision, decision.scoped
    people = standings[Action.ACCESS].named
    if kept:
        # An operator corrects a registration, the city desk consents, a requester takes a request back: nothing is
        # shared with any of them, nor may it show whether somebody is named.
        await desk.widen(*people)
    prepared = runtime.statements.composed(
        ("lock", *(decision.structure for decision in decisions.values())),
        lambda: store.lock(clauses),
    )
    params: dict[str, Any] = {"record_keys": [runtime.keys.reference(reference) for reference in named]}
    for decision in decisions.values():
        params |= decision.params
    return await fetch(desk.connection, prepared, params)


async def followed(desk: Desk, references: Collection[str], *rights: Right) -> Sequence[Any]:
    """The current rows of what others follow, with who wrote each.

    `permitted`: the consents show it to the caller; `given`: the scopes of the session give `rights` on it.
    """
    runtime, named = desk.runtime, sorted(references)
    standing = await desk.standing_for(Action.ACCESS, *named)
    decision = await decide(runtime, desk.connection, standing, Action.ACCESS)
    permitted, given = decision.by(), decision.by(*rights)
    prepared = runtime.statements.composed(
        ("followed", permitted.structure, given.structure),
        partial(store.followed, permitted.clause, given.scoped),
    )
    keys = [runtime.keys.reference(reference) for reference in named]
    return await fetch(desk.connection, prepared, {**decision.params, "record_keys": keys})


async def readable(desk: Desk, references: Collection[str]) -> set[str]:
    """Which of the records that others follow this session reads, or the caller wrote and the session may read."""
    named = {desk.runtime.keys.reference(reference): reference for reference in references}
    return {
        named[row.record_key]
        for row in await followed(desk, references, "r")
        # Whom the service itself vouches for has no scope to read, and follows what they wrote.
        if (not desk.bearer or _reads(desk, named[row.record_key].partition("/")[0]))
        and row.given
        and (row.permitted or wrote(desk, row))
    }


def _scoped(row: Any, one: Write) -> bool:
    """Whether the session's scopes give the record as it stands; what they do not give is as if it were not there."""
    return all(_gives(row, right) for right in one.rights)


def _gives(row: Any, right: Right) -> bool:
    return bool(getattr(row, f"{_SCOPED}{right}", True))


def _given(desk: Desk, row: Any, type_name: str) -> bool:
    """Whether the session was given to read the record as it stands."""
    return _gives(row, "r") and _reads(desk, type_name)


def _reads(desk: Desk, type_name: str) -> bool:
    """Whether the session was given to read a type, or some of it."""
    return bool(smart.granting(desk.subject.scopes, "r", type_name))


def _revives(desk: Desk, granted: Decision, one: Write) -> bool:
    """Whether a write may bring back what was deleted: with a content of its own, as if it named a new record."""
    return one.method == "update" and one.tree is not None and may_name(desk.subject, one.type, granted)


def wrote(desk: Desk, row: Any) -> bool:
    """Whether the caller is the source that wrote the row, by whichever registration of theirs."""
    themselves = map(desk.runtime.keys.reference, desk.subject.registrations)
    return row.source == desk.standing.actor_key or row.source in themselves


def names_caller(desk: Desk, row: Any) -> bool:
    """Whether the row refers to the caller."""
    return desk.runtime.keys.reference(desk.subject.reference) in row.refs


def _kept(desk: Desk, one: Write) -> bool:
    """Whether it is the caller's to keep this record, which they replace and do not read.

    What rests on a proposal before anything was read of it is a request that its requester takes back.
    """
    return one.on in (Basis.DESK, Basis.PROPOSAL) or (
        desk.subject.kind == "operator" and one.type == _REGISTERED
    )
