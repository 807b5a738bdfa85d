"""Openings as their patient has them: who opened, why, until when, and what was found of it; and ending one at once.

http://terminology.hl7.org/CodeSystem/v3-ActReason (BTG)

An opening is a session of its own. Ending it ends that session: whatever begins after the answer sees nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from consent.model import Action
from passport.admission import Request, admitted
from passport.audit.query import recorded
from passport.emergencies import store
from passport.identity.break_glass import reason_place
from passport.keys import open_sealed
from passport.outcomes import Conflict, NotFound, Refused
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import Row, fetch
from passport.subjects import Caller

EMERGENCIES: Final = "emergencies"

SHOWN: Final = 200
"""Openings that one answer holds."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening with what was found of it, None where nobody reviewed it yet.

    `ends` is when it ends by itself, `ended` when somebody ended it before.
    """

    id: UUID
    patient_key: int
    patient: str
    subject: str
    role: str | None
    reason: str
    opened: datetime
    ends: datetime
    ended: datetime | None
    session_id: UUID | None
    verdict: str | None
    comment: str | None
    reviewed_by: str | None
    reviewed: datetime | None

    @property
    def over_at(self) -> datetime:
        """From when on it shows nothing any more."""
        return self.ends if self.ended is None else min(self.ends, self.ended)

    def over(self, now: datetime) -> bool:
        """Whether it shows nothing any more."""
        return self.over_at <= now

    def overdue(self, now: datetime, days: int) -> bool:
        """Whether it should have been reviewed by now."""
        return self.verdict is None and self.due(days) <= now

    def due(self, days: int) -> datetime:
        """By when it has to be reviewed."""
        return self.over_at + timedelta(days=days)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """The opening as its patient reads it; times are RFC 3339 in UTC."""
        return {
            "id": str(self.id),
            "patient": self.patient,
            "who": self.subject,
            "role": self.role,
            "reason": self.reason,
            "from": written_instant(self.opened),
            "until": written_instant(self.over_at),
            "open": not self.over(now),
            "verdict": self.verdict,
            "comment": self.comment,
            "reviewed": None if self.reviewed is None else written_instant(self.reviewed),
        }


def comment_place(opening_id: UUID) -> bytes:
    """What the sealed comment of a review is bound to."""
    return b"review " + opening_id.bytes


def opening_of(runtime: Runtime, row: Row) -> Opening:
    """Read a row, and open what is sealed in it."""
    key = runtime.ring.unwrap(row.patient_key, row.wrapped_key)
    comment = None if row.comment is None else open_sealed(key, row.comment, comment_place(row.opening_id))
    return Opening(
        id=row.opening_id,
        patient_key=row.patient_key,
        patient=f"Patient/{row.patient_id}",
        subject=row.subject,
        role=row.role,
        reason=open_sealed(key, row.reason, reason_place(row.opening_id)).decode(),
        opened=row.opened_at,
        ends=row.expires_at,
        ended=row.ended_at,
        session_id=row.session_id,
        verdict=row.verdict,
        comment=None if comment is None else comment.decode(),
        reviewed_by=row.reviewed_by,
        reviewed=row.reviewed_at,
    )


async def own_openings(runtime: Runtime, caller: Caller) -> Sequence[dict[str, Any]]:
    """The openings of the caller's own passport, newest first.

    Raises:
        Refused: it is nobody's own, or not with these scopes.
    """
    asked = Request(Action.ACCESS, "emergency-read", recorded("GET", EMERGENCIES))
    async with admitted(runtime, caller, asked) as desk:
        desk.require("s", "AuditEvent")
        owns = desk.standing.owns
        if not owns:
            raise Refused
        wanted = {"patient_keys": list(owns), "limit": SHOWN}
        found = [opening_of(runtime, row) for row in await fetch(desk.connection, store.OF_PATIENTS, wanted)]
        await desk.audit(*(desk.row(patient) for patient in owns))
        return [one.as_json(desk.now) for one in found]


async def end(runtime: Runtime, caller: Caller, opening_id: UUID) -> dict[str, Any]:
    """End an opening of the caller's own passport; every request that begins after the answer sees nothing by it.

    Raises:
        NotFound: there is none of this id in the caller's passport.
        Conflict: it is over.
    """
    text = recorded("POST", f"{EMERGENCIES}/{opening_id}/end")
    async with admitted(
        runtime, caller, Request(Action.CORRECT, "emergency-end", text, isolation="write")
    ) as desk:
        rows = await fetch(desk.connection, store.ONE, {"opening_id": opening_id})
        if not rows or rows[0].patient_key not in desk.standing.owns:
            raise NotFound
        opening = opening_of(runtime, rows[0])
        params = {"session_id": opening.session_id, "now": desk.now}
        if not await fetch(desk.connection, store.END, params):
            raise Conflict("got an opening that is over, expected one that goes on")
        await desk.audit(desk.row(opening.patient_key, detail=str(opening_id)))
        return {"id": str(opening_id), "until": written_instant(desk.now), "open": False}
