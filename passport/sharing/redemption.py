"""Redeeming a share code at the reception: the first organization gets what its person offered, and nobody else.

https://www.rfc-editor.org/rfc/rfc8628#section-3.5
http://hl7.org/fhir/R4/consent.html

The Consent is written by its person, in the session that was opened when the code was made: what ended since (the
code, a proxy's scope, a life) ends it. A code that is unknown, over, or was used by others gets one answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consent.model import Action
from fhirstore.tables import NOBODY
from fhirstore.types import PROPOSABLE
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.audit.record import record
from passport.identity import attempts, tokens
from passport.intake import write
from passport.members import check_members
from passport.needs import Scoped
from passport.notices import tell
from passport.outcomes import PassportError, Refused
from passport.pieces import Write
from passport.runtime import Runtime
from passport.sharing import consents, store
from passport.sharing.codes import code_in, hashed, opened_offer
from passport.sharing.roles import organizations_of
from passport.sql import Connection, Row, fetch
from passport.subjects import Bearer, Caller

VERB: Final = "share-redeem"
ADDRESS: Final = "sharing/redemptions"
_GIVING: Final = Scoped("c", (PROPOSABLE,))


class BadCode(PassportError):
    """Unknown, over, or used by others: one identical answer."""

    outcome = "refused"

    def __init__(self) -> None:
        text = "got a code that opens nothing here, expected one that its person shows now"
        super().__init__(404, "not-found", text, ("user_code",))


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a code opened: the Consent, whose it is, and for which organization."""

    consent: str
    patient: str
    organization: str
    new: bool

    def as_json(self) -> dict[str, str]:
        """The JSON of it."""
        return {"consent": self.consent, "patient": self.patient, "organization": self.organization}


@dataclass(frozen=True, slots=True)
class _Redeemer:
    """Who redeems, on their desk, and the hash of what they typed."""

    desk: Desk
    organization: str
    code_hash: bytes

    @property
    def name(self) -> str:
        """Whose failures count: the person's, in whichever role."""
        return f"{VERB} {self.desk.subject.reference}"

    @property
    def known(self) -> dict[str, Any]:
        return {
            "code_hash": self.code_hash,
            "kind": "share",
            "organization": self.organization,
            "now": self.desk.now,
        }


async def redeem(runtime: Runtime, caller: Caller, tree: Mapping[str, Any]) -> Redeemed:
    """Turn a share code into a Consent for the organization of the caller's role; again for the same it is the same.

    Raises:
        BadCode: unknown, over, or used by others.
        Refused: the caller acts in no role at an organization.
        TooMany: the caller got too many codes wrong lately.
    """
    check_members(tree, ("user_code",))
    code_hash = hashed(runtime.ring, code_in(tree))
    request = Request(Action.ACCESS, VERB, recorded("POST", ADDRESS), isolation="write")
    async with admitted(runtime, caller, request) as desk:
        desk.require("c", PROPOSABLE)
        redeemer = _Redeemer(desk, await _organization(desk), code_hash)
        await fetch(desk.connection, store.HOLD, {"key": runtime.keys.token(redeemer.name)})
        await attempts.check(runtime, desk.connection, redeemer.name, now=desk.now)
        row = await _redeemable(desk, redeemer)
        if row is None:
            await _failed(redeemer, desk.connection)
        elif row.consent_id is not None:
            await desk.audit(desk.row(row.patient_key, detail=str(row.code_id)))
    if row is None:
        raise BadCode
    if row.consent_id is not None:
        return _answer(redeemer, row, row.consent_id, new=False)
    return await _redeemed(runtime, redeemer, row)


async def _redeemed(runtime: Runtime, redeemer: _Redeemer, row: Row) -> Redeemed:
    """Redeem what was found, in the name of its person.

    Raises:
        BadCode: others were first, or it ended meanwhile.
    """
    query = recorded("POST", ADDRESS)
    request = Request(Action.COLLECT, "create", query, f"Patient/{row.patient_id}", "write")
    try:
        async with admitted(runtime, Bearer(row.token_hash, needs=_GIVING), request) as desk:
            return await _taken(desk, redeemer, row)
    except PassportError as error:
        if error.status >= 500:
            raise
    async with runtime.pool.connection() as connection:
        await _failed(redeemer, connection)
    raise BadCode


async def _taken(desk: Desk, redeemer: _Redeemer, row: Row) -> Redeemed:
    """Take the code, or learn that somebody of the same organization has.

    Raises:
        BadCode: others were first.
    """
    consent_id = desk.runtime.new_id()
    params = {"patient_key": row.patient_key, "code_id": row.code_id, "consent_id": consent_id}
    rows = await fetch(desk.connection, store.REDEEM, {**redeemer.known, **params})
    if rows:
        await _grant(desk, redeemer, row, rows[0].terms, consent_id)
        return _answer(redeemer, row, consent_id, new=True)
    again = await _redeemable(desk, redeemer)
    if again is None or again.consent_id is None:
        raise BadCode
    return _answer(redeemer, again, again.consent_id, new=False)


async def _grant(desk: Desk, redeemer: _Redeemer, row: Row, terms: bytes, consent_id: str) -> None:
    """Write the Consent; whoever redeemed it is on record beside its person, who is told."""
    (owner,) = await fetch(desk.connection, store.PATIENT, {"patient_key": row.patient_key})
    offer = opened_offer(desk, owner, redeemer.code_hash, terms)
    patient, by = f"Patient/{row.patient_id}", desk.subject.reference
    tree = consents.offered(
        patient, by, offer.to(redeemer.organization), desk.now, desk.runtime.settings.zone
    )
    await write(desk, [Write("create", PROPOSABLE, tree, id=consent_id)])
    consent = f"{PROPOSABLE}/{consent_id}"
    keys = [desk.runtime.keys.reference(consent)]
    redeemed = redeemer.desk.row(row.patient_key, record_keys=keys, versions=[1], detail=str(row.code_id))
    await desk.audit(redeemed)
    about = {"consent": consent, "by": redeemer.desk.subject.actor, "organization": redeemer.organization}
    notice_id = tokens.random_uuid(desk.runtime)
    await tell(
        desk.connection, row.patient_key, "share-code-redeemed", about, notice_id=notice_id, now=desk.now
    )


async def _redeemable(desk: Desk, redeemer: _Redeemer) -> Row | None:
    """The code, if this organization may redeem it or has."""
    rows = await fetch(desk.connection, store.REDEEMABLE, redeemer.known)
    return rows[0] if len(rows) == 1 else None


def _answer(redeemer: _Redeemer, row: Row, consent_id: str, *, new: bool) -> Redeemed:
    return Redeemed(f"{PROPOSABLE}/{consent_id}", f"Patient/{row.patient_id}", redeemer.organization, new)


async def _failed(redeemer: _Redeemer, connection: Connection) -> None:
    """Count a wrong code against its caller, and keep that there was one."""
    desk = redeemer.desk
    await attempts.count(desk.runtime, connection, redeemer.name, now=desk.now)
    await record(connection, [desk.row(NOBODY, "refused", detail="user_code")])


async def _organization(desk: Desk) -> str:
    """The organization that the caller acts for: their role's, or themselves.

    Raises:
        Refused: there is none, or more than one.
    """
    subject = desk.subject
    if subject.opened_patient_key is None and subject.kind in {"practitioner", "service"}:
        if subject.reference.startswith("Organization/"):
            return subject.reference
        found = await organizations_of(desk, subject.role) if subject.role else set()
        if len(found) == 1:
            return found.pop()
    raise Refused("a share code is redeemed in a role at an organization")
