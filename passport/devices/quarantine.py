"""Readings that are not believed: kept sealed with the reason, told to the person, shown to nobody else.

https://csrc.nist.gov/pubs/sp/800/38/d/final
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from consent.model import Action
from fhirstore.parse import Tree, parse
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.devices import store
from passport.devices.enrolments import Enrolment
from passport.devices.sifting import UNDECODABLE, Doubted, unread
from passport.keys import open_sealed, seal
from passport.notices import tell
from passport.outcomes import Refused
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Caller


@dataclass(frozen=True, slots=True)
class Kept:
    """One reading in quarantine, as its person reads it; `reading` is what the device sent.

    `text` names the member that could not be read, where that is the reason.
    """

    id: UUID
    device: str
    reason: str
    received: datetime
    reading: Tree
    text: str | None = None

    def as_json(self) -> Tree:
        """The JSON of it, numbers as they were sent."""
        return {
            "id": str(self.id),
            "device": self.device,
            "reason": self.reason,
            **({} if self.text is None else {"text": self.text}),
            "received": self.received.isoformat(timespec="milliseconds"),
            "reading": self.reading,
        }


async def keep(desk: Desk, enrolment: Enrolment, doubted: Sequence[Doubted], secret: bytes) -> None:
    """Seal readings under their person's key, and tell the person once for the whole message."""
    if not doubted:
        return
    random = desk.runtime.ring.random
    parameters = {
        "patient_key": enrolment.patient_key,
        "source": enrolment.device,
        "ids": [each.id for each in doubted],
        "reasons": [each.reason for each in doubted],
        "contents": [seal(secret, each.content, _place(each.id), random=random) for each in doubted],
        "now": desk.now,
    }
    await fetch(desk.connection, store.QUARANTINE, parameters)
    await tell(
        desk.connection,
        enrolment.patient_key,
        "reading-quarantined",
        {"device": enrolment.device},
        notice_id=UUID(desk.runtime.new_id()),
        now=desk.now,
    )


async def quarantined(
    runtime: Runtime, caller: Caller, before: tuple[datetime, UUID] | None, *, count: int
) -> list[Kept]:
    """The caller's own readings in quarantine, of whichever registration of theirs, newest first.

    At most `count`; where a place is given, those before it.

    Raises:
        Refused: the caller is not a person who reads their own passport, or not with these scopes.
    """
    request = Request(Action.ACCESS, "read", recorded("GET", "devices/quarantine"))
    async with admitted(runtime, caller, request) as desk:
        desk.require("s", "Observation")
        owns = desk.standing.owns
        if not owns:
            raise Refused("what was not understood of a device is listed for the person whose it is")
        at, id_ = before or (None, None)
        parameters = {"patient_keys": list(owns), "before": at, "before_id": id_, "limit": count}
        rows = await fetch(desk.connection, store.QUARANTINED, parameters)
        await desk.audit(*(desk.row(own, detail="quarantine") for own in owns))
        return [_kept(runtime, row) for row in rows]


def _kept(runtime: Runtime, row: Any) -> Kept:
    secret = runtime.ring.unwrap(row.patient_key, row.wrapped_key)
    reading = parse(open_sealed(secret, row.content, _place(row.quarantine_id)))
    text = unread(reading) if row.reason == UNDECODABLE else None
    return Kept(row.quarantine_id, row.source, row.reason, row.received_at, reading, text)


def _place(id_: UUID) -> bytes:
    return b"quarantine " + id_.bytes
