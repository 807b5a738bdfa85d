"""Asking somebody for access, whether or not they are here; and their answer.

http://hl7.org/fhir/R4/consent.html

A request is a Consent of status `proposed` that lies with its patient, or with nobody where the code or the
identifier names nobody. Its requester names no Patient and is told of none: neither the answer nor the work shows
which of both it was. What the requester may know of it afterwards stands in a row of its own, which every proposal has,
also one that was put by FHIR.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consent.compile import GrantEffect
from consent.model import Action, Status
from fhirstore.parse import Tree
from fhirstore.tables import NOBODY
from fhirstore.types import PROPOSABLE
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.authority import Basis
from passport.disclosure.whom import resident_named
from passport.identity.record_scopes import Right
from passport.intake import claim, write
from passport.members import check_members
from passport.outcomes import Invalid, NotFound, Refused
from passport.pieces import Write
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sharing import store
from passport.sharing.codes import hashed
from passport.sharing.consents import check_waits, proposed
from passport.sharing.proposals import REASON_EXPECTED, is_reason
from passport.sharing.roles import organizations_of
from passport.sharing.terms import (
    NARROWING,
    attributes,
    permit,
    purpose_of,
    until_of,
    with_attributes,
)
from passport.sql import Row, fetch
from passport.subjects import Caller

ADDRESS: Final = "sharing/requests"
SHOWN: Final = 200
"""Requests that one answer holds, the newest."""

SOURCE: Final = "sharing"
"""As whose a request is kept: not its requester's, who would read in it whom it was put to."""

_MEMBERS: Final = frozenset(
    {"user_code", "identifier", "recipient", "purpose", "until", "reason", *NARROWING}
)
_RECIPIENTS: Final = ("role", "organization")
_IDENTIFIER_CHARACTERS: Final = 300
_STATES: Final[Mapping[str, str]] = {
    Status.PROPOSED: "waiting",
    Status.ACTIVE: "active",
    Status.REJECTED: "declined",
    store.TAKEN_BACK: store.TAKEN_BACK,
}
"""What a requester is told by what is kept; anything else was granted once."""

_UNKNOWN_PATIENT: Final = -1
"""No patient_key: where nothing was granted the same is looked up."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: of whom, for whom, what for, which records, until when, and why."""

    code_hash: bytes | None
    identifier: tuple[str, str] | None
    recipient: str
    purpose: str
    changed: Mapping[str, Any]
    until: str | None
    reason: str


def asked(runtime: Runtime, tree: Mapping[str, Any]) -> Asked:
    """Read the body of a request.

    Raises:
        Invalid: a member is missing, unknown or unfit; none of it depends on who is here.
    """
    check_members(tree, _MEMBERS)
    zone = runtime.settings.zone
    code, identifier = tree.get("user_code"), tree.get("identifier")
    if (code is None) == (identifier is None) or (code is not None and not isinstance(code, str)):
        raise Invalid(
            "expected either `user_code` or `identifier`, and one of them alone", ("user_code", "identifier")
        )
    recipient = tree.get("recipient", _RECIPIENTS[0])
    if recipient not in _RECIPIENTS:
        raise Invalid(f"got another recipient, expected one of {', '.join(_RECIPIENTS)}", ("recipient",))
    return Asked(
        code_hash=None if code is None else hashed(runtime.ring, code),
        identifier=None if identifier is None else _identifier(identifier),
        recipient=recipient,
        purpose=purpose_of(tree),
        changed=attributes(tree, zone),
        until=until_of(tree, runtime.clock(), zone),
        reason=_reason(tree.get("reason")),
    )


async def ask(runtime: Runtime, caller: Caller, wanted: Asked) -> str:
    """Put a request to whoever the code or the identifier names, or to nobody; return its id.

    Raises:
        Refused: the caller is neither clinician nor service, or in an emergency opening, or without an organization
            for which they ask.
        TooMany: the caller asked too often within the last hour, whoever was asked.
    """
    # Both are drawn whatever is found, so that the next id is the same one.
    request_id, nobody = runtime.new_id(), f"Patient/{runtime.new_id()}"
    request = Request(Action.COLLECT, "create", recorded("POST", ADDRESS), nobody, "write")
    async with admitted(runtime, caller, request) as desk:
        _check_requester(desk, "c")
        await claim(desk, runtime.keys.token(f"ask {desk.subject.actor}"))
        actor = await _recipient(desk, wanted)
        provision = with_attributes(permit(actor, wanted.purpose), wanted.changed)
        if wanted.until is not None:
            provision["period"] = {"end": wanted.until}
        patient = await _person(desk, wanted) or nobody
        tree = proposed(patient, desk.subject.actor, provision, wanted.reason, desk.now)
        await write(desk, [Write("create", PROPOSABLE, tree, id=request_id, source=SOURCE)])
    return request_id


async def sent(runtime: Runtime, caller: Caller) -> list[dict[str, Any]]:
    """What the caller asked for, the newest first.

    Raises:
        Refused: the caller is none who asks.
    """
    async with admitted(runtime, caller, Request(Action.ACCESS, "search", recorded("GET", ADDRESS))) as desk:
        _check_requester(desk, "s")
        params = {"requester": desk.standing.actor_key, "limit": SHOWN}
        rows = await fetch(desk.connection, store.REQUESTS, params)
        await desk.audit(desk.row(NOBODY))
        return [_told(row, desk) for row in rows]


async def one_sent(runtime: Runtime, caller: Caller, request_id: str) -> dict[str, Any]:
    """How one of the caller's requests stands; whose records it opened is told only where it did.

    Raises:
        NotFound: the caller did not ask for it.
        Refused: the caller is none who asks.
    """
    consent = f"{PROPOSABLE}/{request_id}"
    query = recorded("GET", f"{ADDRESS}/{request_id}")
    async with admitted(runtime, caller, Request(Action.ACCESS, "read", query, about=consent)) as desk:
        _check_requester(desk, "r")
        row = await _one(desk, consent)
        granted_by = _granted_by(desk, consent)
        keys = {"patient_key": _UNKNOWN_PATIENT if granted_by is None else granted_by}
        people = await fetch(desk.connection, store.PATIENT, keys)
        await desk.audit(desk.row(desk.standing.asked or NOBODY))
        told = _told(row, desk)
    return {**told, **({"patient": f"Patient/{people[0].patient_id}"} if people else {})}


async def take_back(runtime: Runtime, caller: Caller, request_id: str) -> dict[str, Any]:
    """Let a request wait no longer that nobody answered; how it stands then.

    Raises:
        NotFound: the caller did not ask for it.
        Conflict: it was answered or taken back before.
        Refused: the caller is none who asks.
    """
    consent = f"{PROPOSABLE}/{request_id}"
    query = recorded("POST", f"{ADDRESS}/{request_id}/withdraw")
    request = Request(Action.COLLECT, "update", query, consent, "write")
    async with admitted(runtime, caller, request) as desk:
        _check_requester(desk, "u")
        await _one(desk, consent)
        taken = Write("update", PROPOSABLE, id=request_id, patch=_taken_back, on=Basis.PROPOSAL)
        await write(desk, [taken])
        return _told(await _one(desk, consent), desk)


def _taken_back(stored: Tree) -> Tree:
    check_waits(stored)
    return {**stored, "status": str(Status.REJECTED)}


async def _one(desk: Desk, consent: str) -> Row:
    """What the caller may know of a request of theirs.

    Raises:
        NotFound: they did not ask for it.
    """
    params = {"requester": desk.standing.actor_key, "consent_key": desk.runtime.keys.reference(consent)}
    rows = await fetch(desk.connection, store.REQUEST, params)
    if not rows:
        raise NotFound
    return rows[0]


def _told(row: Row, desk: Desk) -> dict[str, Any]:
    """What a requester is told of a request."""
    over = row.ends_at is not None and row.ends_at <= desk.now
    state = _STATES.get(row.status, "withdrawn")
    told = {
        "id": row.consent_id,
        "state": "ended" if over and state in ("active", "waiting") else state,
        "asked": written_instant(row.asked_at),
    }
    return told if row.ends_at is None else {**told, "until": written_instant(row.ends_at)}


def _granted_by(desk: Desk, consent: str) -> int | None:
    """The patient who lets the caller see something by this Consent now."""
    standing = desk.standing
    for signature, patients in standing.groups.items():
        for patient in patients:
            for held, ref in zip(signature, standing.refs.get(patient, ()), strict=False):
                if held.effect == GrantEffect.PERMIT and ref.startswith(f"{consent}/"):
                    return patient
    return None


def _check_requester(desk: Desk, right: Right) -> None:
    subject = desk.subject
    if subject.kind not in {"practitioner", "service"} or subject.opened_patient_key is not None:
        raise Refused("a request is put by a clinician or a service")
    desk.require(right, PROPOSABLE)


async def _recipient(desk: Desk, wanted: Asked) -> str:
    """Who will see something: the caller in their role, or their organization."""
    subject = desk.subject
    if wanted.recipient == "role" or subject.role is None:
        return subject.actor
    found = await organizations_of(desk, subject.role)
    if len(found) != 1:
        raise Refused("a request for an organization is put in a role at one")
    return found.pop()


async def _person(desk: Desk, wanted: Asked) -> str | None:
    """Whom the code or the identifier names."""
    if wanted.identifier is not None:
        return await resident_named(desk, *wanted.identifier)
    shown = {"code_hash": wanted.code_hash, "kind": "request", "now": desk.now}
    rows = await fetch(desk.connection, store.SHOWN_BY, shown)
    return f"Patient/{rows[0].patient_id}" if len(rows) == 1 else None


def _identifier(text: object) -> tuple[str, str]:
    if isinstance(text, str) and len(text) <= _IDENTIFIER_CHARACTERS:
        system, bar, value = text.rpartition("|")
        if system and bar and value:
            return system, value
    raise Invalid("got no identifier, expected `system|value`", ("identifier",))


def _reason(text: object) -> str:
    if not isinstance(text, str) or not is_reason(text):
        raise Invalid(f"got no reason in `reason`, expected {REASON_EXPECTED}", ("reason",))
    return text.strip()
