"""What an enrolment needs: its Device stays until it is revoked.

http://hl7.org/fhir/R4/device.html

A Device that was deleted would go on delivering, out of its person's sight.
"""

from collections.abc import Iterable
from typing import Final

from passport.admission import Desk
from passport.devices import store
from passport.outcomes import Conflict
from passport.pieces import Piece
from passport.sql import fetch

_DEVICE: Final = "Device"
_TEXT: Final = (
    "got the deletion of a device that is enrolled, expected it to be revoked before, "
    "by `POST /devices/{id}/revoke`"
)


async def check_revoked(desk: Desk, pieces: Iterable[Piece]) -> None:
    """Refuse to delete a Device that is enrolled; call it with pieces that their caller may delete.

    Raises:
        Conflict: it is enrolled, and was not revoked.
    """
    for piece in pieces:
        if piece.facts.type.name != _DEVICE or piece.write.method != "delete" or piece.current is None:
            continue
        place = {
            "patient_key": piece.current.row.patient_key,
            "device_key": desk.runtime.keys.reference(piece.reference),
        }
        if await fetch(desk.connection, store.ENROLLED, place):
            raise Conflict(_TEXT)
