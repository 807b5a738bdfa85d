"""Breaking the glass: in an emergency a policy opens one patient's records, for a reason, for hours, in the open.

http://terminology.hl7.org/CodeSystem/v3-ActReason (BTG)

The same grants decide as everywhere: whoever some policy would permit purpose BTG, as the caller's roles are now,
may open. What is then seen is decided again on every request, with the patient's own consents. An opening is kept
with its sealed reason, stands in the audit log, and is told to the patient; all of it, or there is no opening.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from re import compile as pattern
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Integer, SmallInteger, column
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.sql.elements import False_

from consent.compile import GrantEffect
from consent.facts import RecordColumns
from consent.grants import clause
from consent.model import Action
from fhirstore.tables import NOBODY
from fhirstore.types import TYPE_NUMBERS
from passport.admission import Desk, Request, admitted
from passport.audit.actions import BREAK_GLASS
from passport.audit.query import recorded
from passport.decision import Decision, decide
from passport.identity import store, tokens
from passport.identity.authorization import families
from passport.identity.purposes import EMERGENCY
from passport.identity.stepping_up import require_fresh
from passport.keys import seal
from passport.members import check_members
from passport.notices import tell
from passport.outcomes import Invalid, Refused, TooMany, Unauthenticated
from passport.runtime import Runtime
from passport.sharing.legible import is_legible
from passport.sql import fetch
from passport.subjects import Acting, Bearer, Subject

OPENING: Final = timedelta(hours=4)
"""How long an opening lasts; its token cannot be renewed, so that an emergency is not interrupted by a sign-in."""

REASON_CHARACTERS: Final = range(4, 501)

WINDOW: Final = timedelta(hours=1)
OPENINGS_MAX: Final = 10
"""How many openings one caller may make within the window: an emergency is about one patient, not about a town."""

_PATIENT: Final = pattern(r"Patient/[A-Za-z0-9\-.]{1,64}")
_UNKNOWN_PATIENT: Final = -1
"""No patient_key: a caller who asks for an unknown person is put through the same decision."""

_KEYS: Final = ARRAY(BigInteger)
_ANY_RECORD: Final = RecordColumns(
    type=column("type", SmallInteger),
    record_key=column("record_key", BigInteger),
    codes=column("codes", _KEYS),
    code_systems=column("code_systems", _KEYS),
    categories=column("categories", _KEYS),
    confidentiality=column("confidentiality", Integer),
    labels=column("labels", _KEYS),
    starts=column("starts", TIMESTAMP(timezone=True)),
    ends=column("ends", TIMESTAMP(timezone=True)),
    authors=column("authors", _KEYS),
    source=column("source", BigInteger),
    refs=column("refs", _KEYS),
)
"""A record of which nothing is known: what the grants do not permit of it for certain, they may permit."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for when breaking the glass."""

    patient: str
    reason: str


def asked(tree: Mapping[str, Any]) -> Asked:
    """Read the body of a request.

    Raises:
        Invalid: another member, no reference of a Patient, or no reason that the patient can be shown.
    """
    check_members(tree, ("patient", "reason"))
    patient, reason = tree.get("patient"), tree.get("reason")
    if not isinstance(patient, str) or not _PATIENT.fullmatch(patient):
        raise Invalid("got no reference such as `Patient/1` in `patient`", ("patient",))
    words = reason.strip() if isinstance(reason, str) else ""
    if len(words) not in REASON_CHARACTERS or not is_legible(words):
        least, most = REASON_CHARACTERS.start, REASON_CHARACTERS.stop - 1
        expected = f"{least} to {most} characters in one line, all of them visible"
        raise Invalid(f"got no reason in `reason`, expected {expected}", ("reason",))
    return Asked(patient, words)


async def break_glass(runtime: Runtime, caller: Bearer, wanted: Asked) -> tokens.Issued:
    """Open a patient's records to the caller and return the token of the opening.

    Raises:
        Unauthenticated: the caller's token is not good, or it is too long ago that they proved who they are.
        Refused: no policy lets the caller open, or there is no such patient, or none who lives; all look the same.
        TooMany: the caller opened too often within the last hour, whoever is asked for now.
    """
    request = Request(
        Action.ACCESS, BREAK_GLASS, recorded("POST", "auth/break-glass"), wanted.patient, "write"
    )
    async with admitted(runtime, caller, request) as desk:
        subject, patient_key = desk.subject, desk.standing.asked
        if subject.kind not in {"practitioner", "service"} or subject.purpose == EMERGENCY:
            raise Refused(_NOT_HERE)
        await require_fresh(desk)
    opened = _UNKNOWN_PATIENT if patient_key is None else patient_key
    emergency = replace(subject, purpose=EMERGENCY, opened_patient_key=opened)
    async with admitted(runtime, Acting(emergency), request) as desk:
        await _check_rate(desk, emergency)
        decision = await decide(runtime, desk.connection, desk.standing, Action.ACCESS)
        named = desk.standing.asked == opened and decision.reaches(opened)
        if not _policies_permit(decision) or not named:
            raise Refused(_NOT_HERE)
        return await _opened(desk, emergency, opened, wanted, await _bound(desk, subject, caller))


async def _bound(desk: Desk, subject: Subject, caller: Bearer) -> tokens.Bound:
    """What an opening ends with: all that the token ends with by which it is made, whatever ends that.

    Raises:
        Unauthenticated: that token has ended since it was shown.
    """
    session = {"session_id": subject.session_id, "now": desk.now}
    family_id = (await fetch(desk.connection, store.FAMILY_OF, session))[0].family_id
    # The family first, as whoever ends it does.
    ended = family_id is not None and await families.held(desk.connection, family_id, now=desk.now) is None
    held = await fetch(desk.connection, store.HOLD_ORIGIN, session)
    if ended or subject.session_id not in {row.session_id for row in held}:
        raise Unauthenticated
    # Who has to prove a key has to prove it in an emergency too.
    return tokens.Bound(family_id, caller.confirmation, subject.session_id)


async def _check_rate(desk: Desk, subject: Subject) -> None:
    """Refuse a caller who opened too often; only the caller's own openings count, and nobody else's.

    Raises:
        TooMany: they did.
    """
    opener = desk.runtime.keys.token(f"break-glass {subject.reference}")
    await fetch(desk.connection, store.HOLD_OPENER, {"opener": opener})
    # A statement of its own: it sees what was committed while the lock was waited for.
    since = {"subject": subject.reference, "since": desk.now - WINDOW}
    (row,) = await fetch(desk.connection, store.OPENINGS, since)
    if row.openings >= OPENINGS_MAX:
        raise TooMany(int(WINDOW.total_seconds()))


_NOT_HERE: Final = (
    "nothing lets this session open these records in an emergency: a policy of the city names which practitioners and "
    "services may, and the patient has to be one who is registered here and living"
)


def _policies_permit(decision: Decision) -> bool:
    """Whether the policies alone permit anything at all."""
    return not isinstance(clause(decision.policies, _ANY_RECORD, TYPE_NUMBERS), False_)


async def _opened(
    desk: Desk, subject: Subject, patient_key: int, wanted: Asked, bound: tokens.Bound
) -> tokens.Issued:
    runtime, connection, now = desk.runtime, desk.connection, desk.now
    opening_id = tokens.random_uuid(runtime)
    issued = await tokens.issue(
        runtime, connection, subject, now=now, lifetime=OPENING, authenticated_at=None, bound=bound
    )
    row = {
        "patient_key": patient_key,
        "opening_id": opening_id,
        "subject": subject.reference,
        "role": subject.role,
        "reason": await _sealed_reason(desk, patient_key, opening_id, wanted.reason),
        "opened_at": now,
        "expires_at": issued.expires_at,
        "session_id": issued.session_id,
    }
    await fetch(connection, store.OPEN_RECORDS, row)
    await desk.audit(desk.row(patient_key, grants=_policies(desk), detail=str(opening_id)))
    await tell(
        connection,
        patient_key,
        "emergency-opened",
        {"by": subject.reference} | ({"role": subject.role} if subject.role else {}),
        notice_id=tokens.random_uuid(runtime),
        now=now,
    )
    return issued


async def _sealed_reason(desk: Desk, patient_key: int, opening_id: UUID, reason: str) -> bytes:
    """The reason under the patient's own key: it may say what is wrong with them."""
    (row,) = await fetch(desk.connection, store.PATIENT_KEY, {"patient_key": patient_key})
    ring = desk.runtime.ring
    key = ring.unwrap(patient_key, row.wrapped_key)
    return seal(key, reason.encode(), reason_place(opening_id), random=ring.random)


def reason_place(opening_id: UUID) -> bytes:
    """What a sealed reason is bound to."""
    return b"opening " + opening_id.bytes


def _policies(desk: Desk) -> tuple[str, ...]:
    """The policies that permit, as the audit names them."""
    standing = desk.standing
    named = zip(standing.policies, standing.refs.get(NOBODY, ()), strict=True)
    return tuple(sorted({ref for held, ref in named if held.effect == GrantEffect.PERMIT}))
