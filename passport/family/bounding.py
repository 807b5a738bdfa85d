"""What a proxy may share: what their own scope lets them see, and nothing beyond it.

http://hl7.org/fhir/R4/consent.html

The scope is what the permits for a proxy say now, with the denials of the person that the proxy may read. A denial
that is kept from the proxy binds only what they see: a refusal would tell them that there is one. So does a denial
that binds everybody, which holds for whom the proxy shares with as well.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from consent.bounding import within
from consent.compile import ACTION_BITS, Compiled, Grant, GrantEffect, compile_consent
from consent.grants import StandingGrant
from consent.model import Action, Status
from consent.shape import Shape, ShapeNode
from consent.systems import UNNAMED_EXCLUDED
from fhirstore.tables import NOBODY
from passport.admission import Desk
from passport.authority import Basis
from passport.decision import grants_towards
from passport.effects import checked_consent
from passport.family import store
from passport.intake.current import followed
from passport.narrowing import READING
from passport.outcomes import Refused
from passport.pieces import Piece
from passport.sql import fetch

_CONSENT: Final = "Consent"
_ACCESS: Final = ACTION_BITS[Action.ACCESS]
_EVERYTHING: Final = (
    Shape((ShapeNode(deny=False),)),
    Shape((ShapeNode(deny=False, types=tuple(sorted(UNNAMED_EXCLUDED))),)),
)


async def check_bounded(desk: Desk, pieces: Iterable[Piece]) -> None:
    """Refuse a proxy who would let somebody see what the proxy may not.

    Raises:
        Refused: an active Consent of theirs reaches beyond their scope.
    """
    if desk.subject.kind != "proxy":
        return
    for piece in pieces:
        if piece.facts.type.name != _CONSENT or piece.on is not Basis.CONSENT:
            continue
        if piece.write.method == "delete" or piece.write.labels_only:
            continue
        read = checked_consent(desk, piece.tree, piece.reference, 1)
        if read.status is Status.ACTIVE and read.patient is not None:
            await _check(desk, compile_consent(read, desk.runtime.keys), read.patient)


async def _check(desk: Desk, compiled: Compiled, patient: str) -> None:
    showing = [grant for grant in compiled.grants if _shows(grant)]
    if not showing:
        return
    standing = await desk.standing_towards(Action.ACCESS, patient)
    asked = standing.asked or NOBODY
    held = await grants_towards(desk.runtime, desk.connection, standing, asked)
    permits = [one for one in held if one.effect == GrantEffect.PERMIT]
    if all(_for_consents(one.shape) for one in permits):
        # Who may see nothing but Consents was given no scope of records: they keep the Consents for somebody.
        permits = [StandingGrant(GrantEffect.PERMIT, each, 1, 0) for each in _EVERYTHING]
    refs = standing.refs.get(asked, ())
    blocks = {
        ref.partition("/_history/")[0]: one
        for one, ref in zip(held, refs, strict=True)
        if one.effect != GrantEffect.PERMIT
    }
    told = await _told(desk, blocks, asked)
    for grant in showing:
        purposes = _purposes(grant)
        binding = [blocks[ref] for ref, everybody in told.items() if purposes & ~everybody]
        if not within(grant, [*permits, *binding]):
            raise Refused("a proxy shares nothing beyond what the proxy may see")


async def _told(desk: Desk, blocks: Mapping[str, StandingGrant], patient: int) -> Mapping[str, int]:
    """Those of the blocks that the proxy may read, and the purposes for which each binds everybody."""
    if not blocks:
        return {}
    keys = {desk.runtime.keys.reference(ref): ref for ref in blocks}
    rows = await followed(desk, blocks, *READING)
    read = [keys[row.record_key] for row in rows if row.permitted and row.given]
    place = {"patient_keys": [patient, NOBODY], "consent_keys": list(keys), "action": _ACCESS}
    found = await fetch(desk.connection, store.FOR_EVERYBODY, place)
    everybody = {keys[row.consent_key]: row.purposes for row in found}
    return {ref: everybody.get(ref, 0) for ref in read}


def _shows(grant: Grant) -> bool:
    """Whether it lets somebody see something."""
    heads = grant.nodes[: grant.shape.heads]
    return grant.effect == GrantEffect.PERMIT and all(
        one.actions is None or one.actions & _ACCESS for one in heads
    )


def _purposes(grant: Grant) -> int:
    purposes = -1
    for one in grant.nodes[: grant.shape.heads]:
        purposes &= -1 if one.purposes is None else one.purposes
    return purposes


def _for_consents(shape: Shape | None) -> bool:
    """Whether it lets nothing through but Consents."""
    return shape is not None and any(
        set(one.types) == {_CONSENT} and not one.categories for one in shape.nodes[: shape.heads]
    )
