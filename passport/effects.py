"""What a write brings about beside its record: grants, memberships, and what the resident is told.

http://hl7.org/fhir/R4/consent.html

All of it happens in the write's own transaction: a withdrawal is effective for every request that begins after
its answer, because the grants are gone when the answer leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from consent.compile import ACTION_BITS, Compiled, GrantEffect, compile_consent
from consent.model import Action, Consent, Status
from consent.read import read_consent
from consent.store import replace, replace_memberships
from fhirstore.errors import Problem
from fhirstore.facts import Facts
from fhirstore.parse import Tree
from fhirstore.rows import RecordRow
from fhirstore.tables import NOBODY
from passport.admission import Desk
from passport.authority import Basis
from passport.notices import Kind, tell
from passport.outcomes import Invalid
from passport.patients.death import carry_death
from passport.pieces import Piece
from passport.sharing.proposals import check_proposal
from passport.sharing.store import ASK, FOLLOW, TAKEN_BACK
from passport.sql import start

_COLLECTIVES: Final = frozenset({"CareTeam", "Group"})
_MEMBERSHIPS: Final = _COLLECTIVES | {"PractitionerRole", "Organization"}
_OVER: Final = frozenset({Status.INACTIVE, Status.ERROR, Status.REJECTED})
"""What ends or declines a consent that was there before."""

_TOLD: Final = frozenset({Status.PROPOSED, Status.ACTIVE, Status.REJECTED})
"""The states of a consent that whoever asked for it can tell apart."""


@dataclass(frozen=True, slots=True)
class Effective:
    """A record that was written, and what it rests on.

    `answers` tells that it was a proposal until now.
    `relabelled` tells that its labels alone changed, which is no news to anyone.
    """

    row: RecordRow
    tree: Tree
    facts: Facts
    on: Basis
    answers: bool = False
    relabelled: bool = False


def check_effects(desk: Desk, pieces: Sequence[Piece]) -> None:
    """Refuse a consent that cannot be enforced, or that would count for nothing; it is told before it is stored.

    Raises:
        Invalid: something in it cannot be enforced, or it is new and already ended, or it asks in another one's name.
    """
    for piece in pieces:
        if piece.facts.type.name != "Consent" or piece.write.method == "delete":
            continue
        read = checked_consent(desk, piece.tree, piece.reference, 1)
        if piece.on is Basis.PROPOSAL and piece.creates:
            subject = desk.subject
            check_proposal(piece.tree, (subject.actor, subject.role, subject.reference))
        if piece.write.confirm and piece.creates and (problem := _ended(read, desk.now)) is not None:
            raise Invalid([problem], status=422, code="business-rule")


def _ended(read: Consent, now: datetime) -> Problem | None:
    """Why a new consent would never count: it was ended before it began. A draft waits for what it becomes."""
    if read.status in _OVER:
        text = (
            f"got a new consent that is `{read.status}`, expected `active` or `proposed` (or `draft`, which counts for "
            "nothing yet): it would end nothing"
        )
        return Problem("error", "business-rule", "Consent.status", text)
    end = read.root.period.end if read.root and read.root.period else None
    if end is not None and end <= now:
        text = "got a new consent whose period is over, expected one that ends later: it would never count"
        return Problem("error", "business-rule", "Consent.provision.period.end", text)
    return None


async def carry_effects(desk: Desk, written: Sequence[Effective]) -> None:
    """Carry out what the written records bring about."""
    for one in written:
        name = one.facts.type.name
        if name == "Consent":
            await _consent(desk, one)
        if one.facts.type.is_patient:
            await carry_death(desk, one.row, one.tree, one.on)
        if name in _MEMBERSHIPS and (name in _COLLECTIVES or one.row.patient_key == NOBODY):
            await replace_memberships(
                desk.connection,
                f"{name}/{one.row.id}",
                None if one.row.deleted else {**one.tree, "id": one.row.id},
                desk.runtime.keys,
                zone=desk.runtime.settings.zone,
            )


async def _consent(desk: Desk, one: Effective) -> None:
    reference = f"Consent/{one.row.id}"
    if one.row.deleted:
        # Whatever it said, and whether that could still be read: it gives nothing to anyone.
        read = Consent(
            reference=reference, version=one.row.version, patient=None, status=Status.INACTIVE, root=None
        )
    else:
        read = checked_consent(desk, one.tree, reference, one.row.version)
    compiled = compile_consent(read, desk.runtime.keys)
    if one.row.deleted or (one.row.patient_key == NOBODY and read.patient is not None):
        # Deleted, or put to somebody who has no passport: it gives nothing to anyone.
        compiled = Compiled(compiled.reference, compiled.version, ())
    await replace(desk.connection, compiled, patient_key=one.row.patient_key, consent_key=one.row.record_key)
    await _tell_requester(desk, one, read)
    kind = _news(desk, one, read, compiled)
    # A request that is put to somebody unknown is told to nobody, so that it costs what any request costs.
    if kind is not None and (one.row.patient_key != NOBODY or one.on is Basis.PROPOSAL):
        about = {"consent": f"Consent/{one.row.id}", "by": desk.subject.actor}
        await tell(desk.connection, one.row.patient_key, kind, about, notice_id=uuid4(), now=desk.now)


def checked_consent(desk: Desk, tree: Mapping[str, Any], reference: str, version: int) -> Consent:
    """Read a consent that is about to count.

    Raises:
        Invalid: something in it cannot be enforced; it is refused whole, never stored and ignored.
    """
    read = read_consent(tree, reference=reference, version=version, zone=desk.runtime.settings.zone)
    if isinstance(read, Consent):
        return read
    problems = [Problem("error", "not-supported", issue.expression, issue.text) for issue in read]
    raise Invalid(problems, status=422, code="not-supported")


async def _tell_requester(desk: Desk, one: Effective, read: Consent) -> None:
    """Whoever asked for it learns how it stands, and nothing else of what its person made of it."""
    period = read.root.period if read.root else None
    told = {"consent_key": one.row.record_key, "ends_at": None if period is None else period.end}
    if one.row.version > 1:
        await start(desk.connection, FOLLOW, {**told, "status": _status_told(one, read)})
    elif one.on is Basis.PROPOSAL:
        asked = {"requester": desk.standing.actor_key, "consent_id": one.row.id, "now": desk.now}
        await start(desk.connection, ASK, {**told, **asked})


def _status_told(one: Effective, read: Consent) -> str:
    if one.on is Basis.PROPOSAL and read.status is not Status.PROPOSED:
        return TAKEN_BACK
    return str(read.status if read.status in _TOLD else Status.INACTIVE)


def _news(desk: Desk, one: Effective, read: Consent, compiled: Compiled) -> Kind | None:
    if one.relabelled:
        return None
    if one.on is Basis.PROPOSAL:
        waits = read.status is Status.PROPOSED
        # What waited and waits still is changed, and no news.
        return None if waits is one.answers else "access-requested" if waits else "access-request-taken-back"
    if one.row.deleted or not read.counts:
        if one.answers:
            return None if read.status is Status.PROPOSED else "access-declined"
        return "access-withdrawn" if one.row.version > 1 and _shared(desk, one) else None
    # The city desk tells what it wrote itself.
    return "access-granted" if _shares(compiled) and one.on is not Basis.DESK else None


def _shared(desk: Desk, one: Effective) -> bool:
    """Whether somebody could see something by what is over now, as far as it can be read."""
    zone, reference = desk.runtime.settings.zone, f"Consent/{one.row.id}"
    was = read_consent(
        {**one.tree, "status": "active"}, reference=reference, version=one.row.version, zone=zone
    )
    return not isinstance(was, Consent) or _shares(compile_consent(was, desk.runtime.keys))


def _shares(compiled: Compiled) -> bool:
    """Whether it lets anybody see anything: the approval of a device lets it write and no more."""
    permits = [grant for grant in compiled.grants if grant.effect == GrantEffect.PERMIT]
    heads = [node.actions for grant in permits for node in grant.nodes[: grant.shape.heads]]
    return any(actions is not None and actions & ACTION_BITS[Action.ACCESS] for actions in heads)
