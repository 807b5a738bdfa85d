"""A guardian's office is not ended by the child's own session: the desk that began it ends it, or the birthday.

http://hl7.org/fhir/R4/consent.html

What a child wants to keep from its guardian it says by Consents of its own that deny: those count for guardians too.
"""

from collections.abc import Iterable
from typing import Final

from passport.admission import Desk
from passport.authority import Basis
from passport.family import store
from passport.outcomes import Refused
from passport.pieces import Piece
from passport.sql import fetch

_KEPT: Final = frozenset({"Consent", "RelatedPerson"})


async def check_guardians_kept(desk: Desk, pieces: Iterable[Piece]) -> None:
    """Refuse to change that by which a guardian acts.

    Raises:
        Refused: somebody else than the desk would.
    """
    for piece in pieces:
        if piece.current is None or piece.on is not Basis.OWN or piece.facts.type.name not in _KEPT:
            continue
        place = {
            "patient_key": piece.current.row.patient_key,
            "consent": piece.reference,
            "proxy_key": desk.runtime.keys.reference(piece.reference),
            "now": desk.now,
        }
        if not piece.write.labels_only and await fetch(desk.connection, store.KEPT, place):
            raise Refused("that by which a guardian acts is ended at the city desk")
