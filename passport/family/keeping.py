"""What nobody takes away who acts for somebody else: a guardian's office, and what the person denied.

http://hl7.org/fhir/R4/consent.html

A guardian's office is ended by the desk that began it, or by the birthday: not by the child's own session, nor by whom
the child invites, nor by another guardian. What a child wants to keep from its guardian it says by Consents of its own
that deny: those count for guardians too, and nobody but their author takes them back on the person's behalf.
"""

from collections.abc import Iterable
from typing import Final

from passport.admission import Desk
from passport.authority import Basis
from passport.family import store
from passport.intake.current import wrote
from passport.outcomes import Refused
from passport.pieces import Current, Piece
from passport.sql import fetch

_CONSENT: Final = "Consent"
_KEPT: Final = frozenset({_CONSENT, "RelatedPerson"})


async def check_kept(desk: Desk, pieces: Iterable[Piece]) -> None:
    """Refuse to change that by which a guardian acts, and to let a proxy undo what the person denied.

    Raises:
        Refused: somebody else than the desk would, or than who denied it.
    """
    for piece in pieces:
        if piece.current is None or piece.on is Basis.DESK or piece.write.labels_only:
            continue
        if piece.facts.type.name in _KEPT:
            await _check_guardian(desk, piece, piece.current)
        if piece.facts.type.name == _CONSENT and desk.subject.kind == "proxy":
            await _check_denial(desk, piece, piece.current)


async def _check_guardian(desk: Desk, piece: Piece, current: Current) -> None:
    place = {
        "patient_key": current.row.patient_key,
        "consent": piece.reference,
        "proxy_key": desk.runtime.keys.reference(piece.reference),
        "now": desk.now,
    }
    if await fetch(desk.connection, store.KEPT, place):
        raise Refused("that by which a guardian acts is ended at the city desk")


async def _check_denial(desk: Desk, piece: Piece, current: Current) -> None:
    if wrote(desk, current.row):
        return
    place = {
        "patient_key": current.row.patient_key,
        "consent_key": desk.runtime.keys.reference(piece.reference),
    }
    if await fetch(desk.connection, store.DENIES, place):
        raise Refused("what the person denied is taken back by the person")
