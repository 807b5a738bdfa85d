"""From the pieces of a write to the rows that are stored: each under its patient, sealed with that patient's key.

http://hl7.org/fhir/R4/http.html#create
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from psycopg.errors import UniqueViolation

from consent.systems import FOLLOWING
from fhirstore import store
from fhirstore.rows import RecordRow
from fhirstore.tables import NOBODY
from passport.admission import Desk
from passport.authority import Basis
from passport.holders import Holders, holders_of, wanted
from passport.intake.resting import Hope, Rest
from passport.outcomes import Overtaken, Refused, TooMany
from passport.pieces import Piece, check_same_patient, registers
from passport.records import Draft, Owner, sealed_row, written
from passport.runtime import Runtime
from passport.sharing.store import ASKED_LATELY
from passport.sql import fetch
from passport.turns import in_pieces

PROPOSALS_PER_HOUR: Final = 60
"""Consents that one source may put to patients; each tells somebody, so it is bounded."""


_FOR_OTHERS: Final = (Basis.PROPOSAL, Basis.OFFICE, Basis.DESK)
"""What is written for people of whom the wall may hide everything."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row with the JSON that is sealed in it."""

    row: RecordRow
    plain: bytes


async def open_directory(runtime: Runtime) -> None:
    """Make the place for what belongs to nobody, where an installation starts for the first time."""
    async with runtime.pool.connection() as connection:
        await store.open_directory(connection, runtime.ring.new_wrapped_key(NOBODY), runtime.clock())


async def rows_of(desk: Desk, pieces: Sequence[Piece], rest: Rest) -> list[Drawn]:
    """The rows of the pieces, in their order.

    Raises:
        Refused: a piece names a patient who is not here, or who lets nothing through.
        Overtaken: the id of a registration is taken.
        Invalid: a piece moves to another patient.
        TooMany: the caller puts too many proposals.
    """
    await _throttle(desk, pieces)
    holders = await _holders(desk, pieces, rest)
    registered = await _registered(desk, pieces)
    known: dict[int, tuple[int, bytes]] = {
        desk.runtime.keys.reference(name): holder for name, holder in registered.items()
    }
    holders = replace(holders, known={**holders.known, **known})
    owners: dict[str, Owner] = {}
    # What follows others lies with them, so it comes after them.
    for piece in sorted(pieces, key=_height):
        owner = _owner(desk, piece, holders, owners, registered, rest.hope(piece))
        if piece.on is Basis.OWN and owner.patient_key not in desk.standing.owns:
            raise Refused
        check_same_patient(desk, piece, owner)
        owners[piece.reference] = owner
    put = {owners[piece.reference].patient_key for piece in pieces if piece.on in _FOR_OTHERS}
    # Nobody's records are in sight as it is; they are named so that a request to nobody costs what any costs.
    if widened := sorted(put | {patient_key for patient_key, _ in registered.values()}):
        await desk.widen(*widened)
    return [_drawn(desk, piece, owners[piece.reference]) async for piece in in_pieces(pieces)]


def _height(piece: Piece) -> tuple[int, bool]:
    """How many may follow one another below it: a Provenance a Binary, a Binary the metric of a device."""
    return FOLLOWING.get(piece.facts.type.name, 0), bool(piece.facts.follows)


def _drawn(desk: Desk, piece: Piece, owner: Owner) -> Drawn:
    draft = Draft(
        id=piece.id,
        version=piece.current.row.version + 1 if piece.current else 1,
        tree=piece.tree,
        facts=piece.facts,
        deleted=piece.write.method == "delete",
    )
    plain = written(draft, desk.now)
    kept_as = piece.write.source
    source = desk.standing.actor_key if kept_as is None else desk.runtime.keys.reference(kept_as)
    if piece.current is not None and (piece.write.labels_only or piece.on is Basis.PROPOSAL):
        source = piece.current.row.source
    return Drawn(sealed_row(desk.runtime, draft, owner, source=source, now=desk.now, plain=plain), plain)


async def _holders(desk: Desk, pieces: Sequence[Piece], rest: Rest) -> Holders:
    hopes: dict[int, set[Hope]] = {}
    for piece in pieces:
        for key in wanted(desk, [piece.facts]):
            hopes.setdefault(key, set()).add(rest.hope(piece))
    rows = await store.owners(desk.connection, sorted(hopes))
    return holders_of(
        desk,
        rows,
        lambda row: any(hope.holds(row.patient_key) for hope in hopes.get(row.record_key, ())),
    )


def _owner(
    desk: Desk,
    piece: Piece,
    holders: Holders,
    owners: Mapping[str, Owner],
    registered: Mapping[str, tuple[int, bytes]],
    hope: Hope,
) -> Owner:
    if piece.reference in registered:
        return holders.registered(desk, piece.facts, *registered[piece.reference])
    # A Provenance of records of this very write lies with them.
    beside = next((owners[name] for name in piece.facts.follows if name in owners), None)
    new = {patient_key for patient_key, _ in registered.values()}
    return holders.owner(
        desk, piece.facts, piece.on, beside, hoped=lambda patient: patient in new or hope.holds(patient)
    )


async def _registered(desk: Desk, pieces: Sequence[Piece]) -> dict[str, tuple[int, bytes]]:
    """A patient_key and a key of their own for everyone who is registered by this write."""
    ids = [piece.id for piece in pieces if registers(piece)]
    if not ids:
        return {}
    ring = desk.runtime.ring
    wrapped: dict[int, bytes] = {}

    def new_key(patient_key: int) -> bytes:
        wrapped[patient_key] = ring.new_wrapped_key(patient_key)
        return wrapped[patient_key]

    try:
        patient_keys = await store.allot_patients(desk.connection, ids, new_key, desk.now)
    except UniqueViolation as error:
        raise Overtaken from error
    return {
        f"Patient/{id_}": (patient_key, ring.unwrap(patient_key, wrapped[patient_key]))
        for id_, patient_key in zip(ids, patient_keys, strict=True)
    }


async def _throttle(desk: Desk, pieces: Sequence[Piece]) -> None:
    """A requester's own proposals count, nobody else's."""
    if any(piece.on is Basis.PROPOSAL and _asks(piece) for piece in pieces):
        requester, since = desk.standing.actor_key, desk.now - timedelta(hours=1)
        changed = await store.recent_from(desk.connection, requester, since)
        (lately,) = await fetch(desk.connection, ASKED_LATELY, {"requester": requester, "since": since})
        if changed + lately.asked >= PROPOSALS_PER_HOUR:
            raise TooMany(600)


def _asks(piece: Piece) -> bool:
    """Whether it asks for something; whoever takes a request back does not."""
    return piece.write.method != "delete" and piece.tree.get("status") == "proposed"


async def claim(desk: Desk, *keys: int) -> None:
    """Let nobody else who claims one of these keys write until the transaction ends; one round trip."""
    await store.claim(desk.connection, *keys)
