"""Intake: the one way by which records enter the store.

http://hl7.org/fhir/R4/http.html#create
http://hl7.org/fhir/R4/http.html#update

A write is validated whole, given to its patient, stored, and judged where it stands: the same clause that decides
reads is asked of the rows that were just saved, in their transaction, and a refusal undoes them. So contained
resources, several patients and every condition on the new content count as they do for readers. Any number of
creations costs the same number of statements: owners, the saving ones (a pipeline), the judgement, the audit.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from psycopg.errors import InsufficientPrivilege, UniqueViolation

from consent.model import Action
from fhirstore import store
from fhirstore.facts import extract, medications
from fhirstore.parse import Tree, parse
from fhirstore.rows import RecordRow
from fhirstore.tables import NOBODY
from passport.admission import Desk
from passport.audit.record import AuditRow
from passport.authority import Basis, Before, basis
from passport.decision import Decision, decide
from passport.disclosure import directory_trees
from passport.effects import Effective, carry_effects
from passport.holders import Holders, holders_of, medication_codes, wanted
from passport.outcomes import NotAllowed, NotFound, Refused, TooMany
from passport.pieces import (
    Current,
    Piece,
    Write,
    Written,
    answered,
    check_current,
    check_same_patient,
    check_scopes,
    check_valid,
    questions,
    registers,
)
from passport.records import Draft, Owner, opened_body, sealed_row
from passport.runtime import Runtime
from passport.sql import fetch

PROPOSALS_PER_HOUR: Final = 60
"""Consents that one source may put to patients; each tells somebody, so it is bounded."""

_AUDITED: Final = {"Consent": "consent-change"}


async def open_directory(runtime: Runtime) -> None:
    """Make the place for what belongs to nobody, where an installation starts for the first time."""
    async with runtime.pool.connection() as connection:
        await store.open_directory(connection, runtime.ring.new_wrapped_key(NOBODY), runtime.clock())


async def write(desk: Desk, writes: Sequence[Write]) -> list[Written]:
    """Store `writes`, all of them or none, in the desk's transaction.

    Raises:
        Invalid: a resource breaks the specification, or a consent cannot be enforced; all problems at once.
        Refused: nothing lets this caller write this.
        NotAllowed: an update of what the caller cannot see, whether it is there or not.
        NotFound: a deletion of what the caller cannot see.
        PreconditionFailed: `if_match` is not the current version.
    """
    check_valid(writes)
    check_scopes(desk.subject, writes)
    granted = await decide(desk.runtime, desk.connection, desk.standing, desk.request.action)
    currents = await _currents(desk, granted, writes)
    pieces = await _pieces(desk, granted, writes, currents)
    await _require_hope(desk, granted, pieces)
    await _check_targets(desk, pieces)
    rows = await _rows(desk, pieces)
    await _save(desk, rows)
    relied = await _judge(desk, granted, pieces, rows)
    written = [
        Effective(row, piece.tree, piece.facts, piece.on) for piece, row in zip(pieces, rows, strict=True)
    ]
    await carry_effects(desk, written)
    await desk.audit(*_audit_rows(desk, pieces, rows, relied))
    return [answered(piece, row, desk) for piece, row in zip(pieces, rows, strict=True)]


async def _currents(desk: Desk, granted: Decision, writes: Sequence[Write]) -> dict[str, Current]:
    """The current versions that this caller may see, locked; what it may not see is not among them."""
    about = {f"{one.type}/{one.id}": one for one in writes if one.method != "create"}
    if not about:
        return {}
    runtime, keys = desk.runtime, desk.runtime.keys
    decisions = {granted.action: granted}
    for action in (Action.CORRECT, Action.COLLECT, Action.ACCESS):
        if action is not granted.action:
            decisions[action] = await decide(
                runtime, desk.connection, await desk.standing_for(action, next(iter(about))), action
            )
    found: dict[int, dict[Action, Any]] = {}
    for action, decision in decisions.items():
        structure = ("lock", decision.structure)
        prepared = runtime.statements.composed(structure, partial(store.lock, decision.clause))
        params = {**decision.params, "record_keys": [keys.reference(reference) for reference in about]}
        for row in await fetch(desk.connection, prepared, params):
            found.setdefault(row.record_key, {})[action] = row
    currents = {}
    for reference in about:
        rows = found.get(keys.reference(reference))
        # A consent withdrawn between two of the statements takes a row out of sight: then it is not there.
        if rows and len(rows) == len(decisions) and rows[Action.ACCESS].permitted:
            row = rows[Action.ACCESS]
            if not row.deleted:
                currents[reference] = Current(
                    row,
                    correctable=rows[Action.CORRECT].permitted,
                    collectable=_wrote(desk, row) and rows[Action.COLLECT].permitted,
                )
    return currents


def _wrote(desk: Desk, row: Any) -> bool:
    """Whether the caller is the source that wrote the row."""
    return bool(row.source == desk.standing.actor_key)


def _names_caller(desk: Desk, row: Any) -> bool:
    """Whether the row refers to the caller."""
    return desk.runtime.keys.reference(desk.subject.reference) in row.refs


async def _pieces(
    desk: Desk, granted: Decision, writes: Sequence[Write], currents: Mapping[str, Current]
) -> list[Piece]:
    trees = [_content(desk, one, currents) for one in writes]
    referred = [name for tree in trees for name in medications(tree)]
    codes = medication_codes(await directory_trees(desk, referred))
    pieces = []
    for one, tree in zip(writes, trees, strict=True):
        current = currents.get(f"{one.type}/{one.id}") if one.id else None
        id_ = one.id or desk.runtime.new_id()
        facts = extract(
            {**tree, "id": id_},
            zone=desk.runtime.settings.zone,
            medication_codes=codes,
            base_urls=(desk.runtime.settings.fhir_url,),
        )
        before = None
        if current is not None:
            before = Before(_wrote(desk, current.row), _names_caller(desk, current.row))
        # Only whoever a policy lets write a whole type is a conformance suite, and only in a sandbox.
        sandbox = desk.runtime.settings.mode == "sandbox" and granted.covers(one.type)
        on = basis(desk.subject, tree, facts, before, sandbox=sandbox)
        check_current(one, current, on, granted)
        pieces.append(Piece(one, id_, tree, facts, current, on))
    return pieces


def _content(desk: Desk, one: Write, currents: Mapping[str, Current]) -> Tree:
    """The tree of a write; of a deletion what is deleted, since its facts stay with the tombstone."""
    if one.tree is not None:
        return one.tree
    current = currents.get(f"{one.type}/{one.id}")
    if current is None:
        raise NotFound
    row = current.row
    return parse(opened_body(row, desk.runtime.ring.unwrap(row.patient_key, row.wrapped_key), row.type))


async def _require_hope(desk: Desk, granted: Decision, pieces: Sequence[Piece]) -> None:
    """Refuse a new record that no consent can permit, whatever it says, before anything is looked up."""
    new = [piece for piece in pieces if piece.current is None]
    about = _about(desk, new)
    if new and about != desk.request.about:
        # Whom the content names was known only when it was read: from here on their consents are in question.
        standing = await desk.standing_for(Action.COLLECT, *_named(about))
        granted = await decide(desk.runtime, desk.connection, standing, Action.COLLECT)
    if granted.hopeless and any(piece.on is Basis.CONSENT for piece in new):
        raise Refused


async def _rows(desk: Desk, pieces: Sequence[Piece]) -> list[RecordRow]:
    await _throttle(desk, pieces)
    facts = [piece.facts for piece in pieces]
    holders = holders_of(desk, await store.owners(desk.connection, wanted(desk, facts)))
    owners: dict[str, Owner] = {}
    rows = []
    for piece in pieces:
        owner = await _owner(desk, piece, holders, owners)
        reference = f"{piece.facts.type.name}/{piece.id}"
        owners[reference] = owner
        check_same_patient(desk, piece, owner)
        if piece.on in (Basis.PROPOSAL, Basis.OFFICE) and owner.patient_key != NOBODY:
            await desk.widen(owner.patient_key)
        draft = Draft(
            id=piece.id,
            version=piece.current.row.version + 1 if piece.current else 1,
            tree=piece.tree,
            facts=piece.facts,
            deleted=piece.write.method == "delete",
        )
        rows.append(sealed_row(desk.runtime, draft, owner, source=desk.standing.actor_key, now=desk.now))
    return rows


async def _check_targets(desk: Desk, pieces: Sequence[Piece]) -> None:
    """What a Provenance tells of is in the same write, of the same source, or in the caller's sight."""
    beside = {f"{piece.facts.type.name}/{piece.id}" for piece in pieces}
    wanted_keys = {
        desk.runtime.keys.reference(name)
        for piece in pieces
        if piece.on is Basis.CONSENT
        for name in piece.facts.follows
        if name not in beside
    }
    if not wanted_keys:
        return
    standing = await desk.standing_for(Action.ACCESS, *_named(_about(desk, pieces)))
    decision = await decide(desk.runtime, desk.connection, standing, Action.ACCESS)
    structure = ("lock", decision.structure)
    prepared = desk.runtime.statements.composed(structure, partial(store.lock, decision.clause))
    params = {**decision.params, "record_keys": sorted(wanted_keys)}
    rows = await fetch(desk.connection, prepared, params)
    if len(rows) < len(wanted_keys) or not all(row.permitted or _wrote(desk, row) for row in rows):
        raise Refused


async def _owner(desk: Desk, piece: Piece, holders: Holders, owners: Mapping[str, Owner]) -> Owner:
    if registers(piece):
        return await _registered(desk, piece, holders)
    # A Provenance of records of this very write lies with them.
    beside = next((owners[name] for name in piece.facts.follows if name in owners), None)
    return holders.owner(desk, piece.facts, piece.on, beside)


async def _registered(desk: Desk, piece: Piece, holders: Holders) -> Owner:
    ring = desk.runtime.ring
    wrapped: list[bytes] = []

    def new_key(patient_key: int) -> bytes:
        wrapped.append(ring.new_wrapped_key(patient_key))
        return wrapped[0]

    try:
        patient_key = await store.allot_patient(desk.connection, piece.id, new_key, desk.now)
    except UniqueViolation as error:
        raise NotAllowed from error
    await desk.widen(patient_key)
    return holders.registered(desk, piece.facts, patient_key, ring.unwrap(patient_key, wrapped[0]))


async def _throttle(desk: Desk, pieces: Sequence[Piece]) -> None:
    """A requester's own proposals count, nobody else's."""
    if any(piece.on is Basis.PROPOSAL for piece in pieces):
        since = desk.now - timedelta(hours=1)
        if await store.recent_from(desk.connection, desk.standing.actor_key, since) >= PROPOSALS_PER_HOUR:
            raise TooMany(600)


async def _save(desk: Desk, rows: Sequence[RecordRow]) -> None:
    try:
        async with desk.connection.pipeline():
            await store.save(desk.connection, rows)
    except UniqueViolation as error:
        raise NotAllowed from error
    except InsufficientPrivilege as error:
        # The wall stands where the clause would have refused: one answer for both.
        raise Refused from error


async def _judge(
    desk: Desk, granted: Decision, pieces: Sequence[Piece], rows: Sequence[RecordRow]
) -> dict[int, Sequence[str]]:
    """Ask of what was saved whether it may stand, and by which grants.

    Raises:
        Refused: a record, one of its parts or one of the patients it names does not permit it.
    """
    relied: dict[int, Sequence[str]] = {}
    for action, keys in questions(granted.action, pieces, rows).items():
        standing = await desk.standing_for(action, *_named(_about(desk, pieces)))
        decision = await decide(desk.runtime, desk.connection, standing, action)
        structure = ("judged", decision.structure)
        compose = partial(store.judged, decision.clause, decision.relied)
        prepared = desk.runtime.statements.composed(structure, compose)
        names = {(patient, place): ref for patient, place, ref in decision.grants}
        found = await fetch(desk.connection, prepared, {**decision.params, "record_keys": keys})
        if len(found) < len(keys) or not all(row.permitted for row in found):
            raise Refused
        for row in found:
            relied[row.record_key] = [names[row.patient_key, place] for place in row.relied]
    return relied


def _named(about: str | None) -> tuple[str, ...]:
    return () if about is None else (about,)


def _about(desk: Desk, pieces: Sequence[Piece]) -> str | None:
    """Who is in question: somebody registered or named by a new record, else whom the request named."""
    registered = [f"Patient/{piece.id}" for piece in pieces if registers(piece)]
    new = [piece.facts for piece in pieces if piece.current is None]
    # A Provenance beside what it follows says nothing of its own; alone it lies with its first target.
    named = [name for facts in new if not facts.follows for name in facts.patients]
    followed = [name for facts in new for name in (*facts.follows, *facts.patients)]
    return next(iter((*registered, *named, *followed)), desk.request.about)


def _audit_rows(
    desk: Desk, pieces: Sequence[Piece], rows: Sequence[RecordRow], relied: Mapping[int, Sequence[str]]
) -> list[AuditRow]:
    """One row for each patient of the write."""
    by_patient: dict[int, list[RecordRow]] = {}
    for row in rows:
        for patient in (row.patient_key, *row.others):
            by_patient.setdefault(patient, []).append(row)
    return [
        desk.row(
            patient,
            record_keys=[row.record_key for row in theirs],
            versions=[row.version for row in theirs],
            grants=sorted({ref for row in theirs for ref in relied.get(row.record_key, ())}),
            action=_AUDITED.get(pieces[0].facts.type.name, desk.request.verb),
        )
        for patient, theirs in by_patient.items()
    ]
