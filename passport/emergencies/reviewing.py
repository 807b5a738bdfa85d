"""Reviewing openings: an auditor reads what was done and why, and says once whether it was justified.

https://profiles.ihe.net/ITI/BALP/

An auditor sees who opened whose passport, for what reason, and what was asked for, never what it showed. An opening
waits until somebody reviewed it, and is overdue after a number of days that the installation sets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

from consent.model import Action
from fhirstore.tables import NOBODY
from passport.admission import Desk, Request, admitted
from passport.audit.names import named
from passport.audit.query import recorded
from passport.emergencies import store
from passport.emergencies.openings import EMERGENCIES, SHOWN, Opening, comment_place, opening_of
from passport.identity import tokens
from passport.identity.persons import require_another
from passport.identity.store import PATIENT_KEY
from passport.keys import seal
from passport.notices import Kind, tell
from passport.outcomes import Conflict, Invalid, NotFound, Refused
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Caller

State = Literal["waiting", "overdue", "reviewed"]
STATES: Final[tuple[State, ...]] = ("waiting", "overdue", "reviewed")

NOTICES: Final[Mapping[str, Kind]] = {
    "justified": "emergency-justified",
    "not-justified": "emergency-not-justified",
}
"""The verdicts, and what the patient is told of each."""

COMMENT_CHARACTERS: Final = range(4, 1_001)
LOOKS_MAX: Final = 1_000
"""Requests by one opening that an answer tells of, the first ones."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an auditor found, and why."""

    code: str
    comment: str


def verdict_of(tree: Mapping[str, Any]) -> Verdict:
    """Read the body of a review.

    Raises:
        Invalid: another verdict, or no comment of 4 to 1000 characters.
    """
    code, comment = tree.get("verdict"), tree.get("comment")
    if not isinstance(code, str) or code not in NOTICES:
        raise Invalid(f"got another verdict, expected one of {', '.join(NOTICES)}", ("verdict",))
    if not isinstance(comment, str) or len(comment.strip()) not in COMMENT_CHARACTERS:
        least, most = COMMENT_CHARACTERS.start, COMMENT_CHARACTERS.stop - 1
        raise Invalid(f"got no comment of {least} to {most} characters in `comment`", ("comment",))
    return Verdict(code, comment.strip())


def state_of(text: str | None) -> State:
    """Read which openings are asked for; those that wait by default.

    Raises:
        Invalid: it is no state.
    """
    for state in STATES:
        if text in (state, None):
            return state
    raise Invalid(f"got another state, expected one of {', '.join(STATES)}", ("state",))


async def openings(runtime: Runtime, caller: Caller, state: State) -> Sequence[dict[str, Any]]:
    """Openings to be reviewed, the oldest first, or those that were, the newest review first.

    Raises:
        Refused: the caller is no auditor.
    """
    text = recorded("GET", f"{EMERGENCIES}/reviews")
    async with admitted(runtime, caller, Request(Action.ACCESS, "emergency-read", text)) as desk:
        check_auditor(desk)
        days = runtime.settings.emergency_review_days
        statement = store.REVIEWED if state == "reviewed" else store.WAITING
        before = desk.now - timedelta(days=days) if state == "overdue" else None
        rows = await fetch(desk.connection, statement, {"before": before, "limit": SHOWN})
        found = [opening_of(runtime, row) for row in rows]
        told = {one.patient_key for one in found} or {NOBODY}
        await desk.audit(*(desk.row(patient) for patient in sorted(told)))
        return [_as_json(desk, one) for one in found]


async def opening(runtime: Runtime, caller: Caller, opening_id: UUID) -> dict[str, Any]:
    """One opening with every request that was made by it.

    Raises:
        Refused: the caller is no auditor.
        NotFound: there is no such opening.
    """
    text = recorded("GET", f"{EMERGENCIES}/reviews/{opening_id}")
    async with admitted(runtime, caller, Request(Action.ACCESS, "emergency-read", text)) as desk:
        check_auditor(desk)
        found = await _one(desk, opening_id)
        await desk.audit(desk.row(found.patient_key, detail=str(opening_id)))
        return {**_as_json(desk, found), "looks": await _looks(desk, found)}


async def review(runtime: Runtime, caller: Caller, opening_id: UUID, verdict: Verdict) -> dict[str, Any]:
    """Say whether an opening was justified; the patient is told.

    Raises:
        Refused: the caller is no auditor, or opened it.
        NotFound: there is no such opening.
        Conflict: it goes on, or somebody reviewed it before.
    """
    text = recorded("POST", f"{EMERGENCIES}/reviews/{opening_id}")
    request = Request(Action.CORRECT, "emergency-review", text, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        check_auditor(desk)
        found = await _one(desk, opening_id)
        await require_another(
            desk.connection,
            found.subject,
            desk.subject.reference,
            "nobody reviews what they opened themselves",
        )
        if not found.over(desk.now):
            raise Conflict(
                "got an opening that goes on, expected one that is over: it is reviewed as a whole"
            )
        if not await fetch(desk.connection, store.REVIEW, await _row(desk, found, verdict)):
            raise Conflict("got an opening that was reviewed before, expected one that waits")
        await desk.audit(desk.row(found.patient_key, detail=str(opening_id)))
        about = {"opening": str(opening_id), "by": found.subject}
        notice_id = tokens.random_uuid(runtime)
        kind = NOTICES[verdict.code]
        await tell(desk.connection, found.patient_key, kind, about, notice_id=notice_id, now=desk.now)
        return _as_json(desk, await _one(desk, opening_id))


def check_auditor(desk: Desk) -> None:
    """Reviews are the auditors'.

    Raises:
        Refused: it is somebody else who asks, or a session that may not read the log.
    """
    if desk.subject.kind != "auditor":
        raise Refused("openings are reviewed by auditors")
    desk.require("s", "AuditEvent")


async def _one(desk: Desk, opening_id: UUID) -> Opening:
    rows = await fetch(desk.connection, store.ONE, {"opening_id": opening_id})
    if not rows:
        raise NotFound("no such opening")
    return opening_of(desk.runtime, rows[0])


async def _row(desk: Desk, found: Opening, verdict: Verdict) -> dict[str, Any]:
    (row,) = await fetch(desk.connection, PATIENT_KEY, {"patient_key": found.patient_key})
    ring = desk.runtime.ring
    key = ring.unwrap(found.patient_key, row.wrapped_key)
    sealed = seal(key, verdict.comment.encode(), comment_place(found.id), random=ring.random)
    return {
        "patient_key": found.patient_key,
        "opening_id": found.id,
        "verdict": verdict.code,
        "comment": sealed,
        "reviewed_by": desk.subject.reference,
        "now": desk.now,
    }


async def _looks(desk: Desk, found: Opening) -> list[dict[str, Any]]:
    """What was asked for while it was open."""
    wanted = {
        "patient_key": found.patient_key,
        "subject": found.subject,
        "role": found.role,
        "since": found.opened,
        "until": found.over_at,
        "limit": LOOKS_MAX,
    }
    rows = await fetch(desk.connection, store.LOOKS, wanted)
    names = await named(desk.connection, [key for row in rows for key in row.record_keys])
    return [
        {
            "time": written_instant(row.recorded),
            "action": row.action,
            "query": row.query,
            "records": [names[key].reference for key in row.record_keys if key in names],
            "outcome": row.outcome,
        }
        for row in rows
    ]


def _as_json(desk: Desk, found: Opening) -> dict[str, Any]:
    days = desk.runtime.settings.emergency_review_days
    return {
        **found.as_json(desk.now),
        "due": written_instant(found.due(days)),
        "overdue": found.overdue(desk.now, days),
        "reviewed_by": found.reviewed_by,
    }
