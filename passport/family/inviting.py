"""Inviting somebody to act for oneself, and who does.

http://hl7.org/fhir/R4/relatedperson.html

What a proxy may see stands in Consents that the person writes here as they could by FHIR. The sign-in code goes to the
person, who gives it to whom they trust.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent.model import Action
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.family import store
from passport.family.grants import MEMBERS, Relative, consents, related_person, relative_of
from passport.identity.codes import draw
from passport.identity.sign_in_codes.handing_out import hand_out
from passport.intake import write
from passport.members import check_members
from passport.outcomes import Conflict, Refused
from passport.pieces import Write
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sharing.store import HOLD
from passport.sharing.terms import until_of
from passport.sql import Row, fetch
from passport.subjects import Caller

FAMILY: Final = "family"

PROXIES_MAX: Final = 20
"""Who may act for one person at once."""

SHOWN: Final = 200
_PURPOSE: Final = "FAMRQT"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom a person invites, and until when."""

    relative: Relative
    until: str | None


@dataclass(frozen=True, slots=True)
class Begun:
    """Somebody who acts from now on, with the code that they sign in by, shown this once."""

    proxy: str
    consents: tuple[str, ...]
    login: str
    code: str

    @property
    def answer(self) -> dict[str, Any]:
        """The JSON of it."""
        return {
            "proxy": self.proxy,
            "consents": list(self.consents),
            "login": self.login,
            "code": self.code,
        }


def invitation_of(tree: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> Invitation:
    """Read the body of an invitation.

    Raises:
        Invalid: an unknown member, no name, no known relationship, an unfit scope or an end that is over.
    """
    check_members(tree, MEMBERS | {"until"})
    return Invitation(relative_of(tree), until_of(tree, now, zone))


async def invite(runtime: Runtime, caller: Caller, invitation: Invitation) -> Begun:
    """Let somebody act for the caller.

    Raises:
        Refused: it is nobody's own passport, or not with these scopes.
        Conflict: as many act already as may.
    """
    text = recorded("POST", f"{FAMILY}/proxies")
    request = Request(Action.COLLECT, "create", text, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        patient, patient_key = desk.subject.patient, desk.subject.patient_key
        if patient is None or patient_key is None:
            raise Refused
        # Who invites many at once does it one by one, so that each counts those before.
        await fetch(desk.connection, HOLD, {"key": runtime.keys.token(f"family {patient}")})
        (row,) = await fetch(desk.connection, store.LIVING, {"patient_key": patient_key})
        if row.proxies >= PROXIES_MAX:
            raise Conflict(f"got one more person to act, expected {PROXIES_MAX} at most: end one first")
        proxy_id = runtime.new_id()
        written = await write(desk, list(_writes(desk, patient, proxy_id, invitation)))
        granted = tuple(one.reference for one in written if one.reference.startswith("Consent/"))
        begun = await signing_in(desk, proxy_id, granted)
        await remember(desk, patient_key, proxy_id, begun)
        await desk.audit(desk.row(patient_key, action="code-hand-out", detail=begun.proxy))
        return begun


def _writes(desk: Desk, patient: str, proxy_id: str, invitation: Invitation) -> Iterator[Write]:
    proxy, until = f"RelatedPerson/{proxy_id}", invitation.until
    person = related_person(patient, invitation.relative, proxy_id, until)
    yield Write("create", "RelatedPerson", person, id=proxy_id)
    for tree in consents(patient, proxy, invitation.relative, until, desk.now):
        yield Write("create", "Consent", tree)


async def signing_in(desk: Desk, proxy_id: str, granted: tuple[str, ...]) -> Begun:
    """Draw a login and a code for somebody who acts."""
    # Logins of others must not show in whether one is taken: nobody chooses this one.
    login = f"family-{draw(desk.runtime.ring.random)[:11].lower()}"
    tree = {"login": login, "subject": f"RelatedPerson/{proxy_id}", "purposes": [_PURPOSE]}
    handed = await hand_out(desk.runtime, desk.connection, tree, now=desk.now)
    return Begun(handed.subject.reference, granted, login, handed.code)


async def remember(desk: Desk, patient_key: int, proxy_id: str, begun: Begun, **guardian: Any) -> None:
    """Keep who acts; `guardian` are the columns of a guardian's."""
    row = {
        "patient_key": patient_key,
        "proxy_key": desk.runtime.keys.reference(begun.proxy),
        "proxy_id": proxy_id,
        "login": begun.login,
        "consents": list(begun.consents),
        "now": desk.now,
        "guardian": False,
        "until": None,
        "notices": [],
    }
    await fetch(desk.connection, store.BEGIN, row | guardian)


async def acting(runtime: Runtime, caller: Caller) -> Sequence[dict[str, Any]]:
    """Who acts for the caller, or did, the newest first.

    Raises:
        Refused: it is nobody's own passport, or not with these scopes.
    """
    async with admitted(runtime, caller, Request(Action.ACCESS, "read", recorded("GET", FAMILY))) as desk:
        desk.require("s", "RelatedPerson")
        owns = desk.standing.owns
        if not owns:
            raise Refused
        rows = await fetch(desk.connection, store.ALL, {"patient_keys": list(owns), "limit": SHOWN})
        await desk.audit(*(desk.row(patient) for patient in owns))
        return [_as_json(row) for row in rows]


def _as_json(row: Row) -> dict[str, Any]:
    return {
        "proxy": f"RelatedPerson/{row.proxy_id}",
        "guardian": row.guardian,
        "login": row.login,
        "consents": list(row.consents),
        "begun": written_instant(row.begun_at),
        "until": None if row.until is None else written_instant(row.until),
        "ended": None if row.ended_at is None else written_instant(row.ended_at),
    }
