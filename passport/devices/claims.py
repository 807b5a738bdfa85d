"""Claiming a device: it says what it is and proves its key, shows a code, and whoever enters the code has it enrolled.

https://www.rfc-editor.org/rfc/rfc8628#section-6.1
https://pages.nist.gov/800-63-4/sp800-63b.html#lookupsecrets

A claim is nobody's. Its code is good for ten minutes and once, kept as a keyed hash, and whoever guesses is slowed
down by their own failures alone. It opens nothing: the device waits for approval as one that was enrolled otherwise.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hmac import digest
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from consent.model import Action
from fhirstore.errors import ParseError
from fhirstore.parse import Limits, Tree, parse
from fhirstore.tables import NOBODY
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.audit.record import AuditRow, record
from passport.devices import jws, store
from passport.devices.enrolments import enrolled, orderable
from passport.devices.errors import BadCode, UnprovenClaim, Unverified
from passport.devices.jwk import DeviceKey, device_key
from passport.devices.orders import Order, model_in, patient_in, serial_in
from passport.devices.statements import STATEMENT_MAX_BYTES, read_statement
from passport.identity import attempts, tokens
from passport.identity.codes import ALPHABET, typed
from passport.identity.pace.limits import Limit, require
from passport.members import check_members
from passport.outcomes import Invalid, PassportError, Refused
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sharing.store import HOLD
from passport.sql import Connection, Row, fetch
from passport.subjects import Caller

ADDRESS: Final = "devices/claims"
LASTS: Final = timedelta(minutes=10)
ASKED_FOR: Final = timedelta(days=1)
"""How long a device may ask what became of its claim."""

CODE_CHARACTERS: Final = 8  # of five random bits each
GROUP_CHARACTERS: Final = 4

_ENTERED: Final = frozenset({"code", "patient"})
_ENTERED_LIMITS: Final = Limits(size_bytes=1_024, depth=1)
_STATEMENT: Final = Limits(size_bytes=STATEMENT_MAX_BYTES, depth=3)


@dataclass(frozen=True, slots=True)
class _Device:
    """What a device says of itself, with its key proved."""

    model: str
    serial: str
    key: DeviceKey


CLAIMS_MAX: Final = 10
"""How many claims one network address opens within the window."""

UNPROVEN_MAX: Final = 10
"""How often one network address asks within the window about claims by which it shows no key."""

ASKS_MAX: Final = 60
"""How often a device asks within the window what became of its claim."""

WINDOW: Final = timedelta(minutes=1)

_OPENED: Final = Limit("device claims", CLAIMS_MAX, WINDOW)
_UNPROVEN: Final = Limit("states of device claims that nobody signed", UNPROVEN_MAX, WINDOW)
_ASKED: Final = Limit("states of a device claim", ASKS_MAX, WINDOW)
"""Of one claim, and of nobody but whoever has its key."""


async def open_claim(runtime: Runtime, body: bytes, *, address: str) -> Tree:
    """Take a device's word about itself, signed by the key that it brings; return the code that it shows.

    Raises:
        UnprovenClaim: it is not signed by the key that it brings.
        Invalid: it is no claim, or of a model that cannot be enrolled.
        TooMany: this caller opened too many lately.
    """
    now, query = runtime.clock(), recorded("POST", ADDRESS)
    async with runtime.pool.connection() as connection:
        await require(runtime, connection, _OPENED, address, now=now)
        async with _on_record(runtime, connection, query), connection.transaction():
            said = _said(runtime, body)
            await orderable(connection, said.model)
            claim_id, code = tokens.random_uuid(runtime), drawn(runtime.ring.random)
            row = {
                "claim_id": claim_id,
                "code_hash": _hashed(runtime, code),
                "model": said.model,
                "serial": said.serial,
                "jwk": Jsonb(dict(said.key.jwk)),
                "expires_at": now + LASTS,
            }
            await fetch(connection, store.FORGET_CLAIMS, {"before": now - ASKED_FOR})
            await fetch(connection, store.CLAIM, row)
            await record(connection, [_row(runtime, query, "success", str(claim_id))])
    return {
        "claim": str(claim_id),
        "code": code,
        "qr": f"{runtime.settings.base_url}/home/devices#{code}",
        "expires": written_instant(now + LASTS),
    }


async def state_of(runtime: Runtime, body: bytes, *, address: str) -> Tree:
    """What became of a claim, for the device that opened it, whatever others ask from its network address.

    Raises:
        Unverified: there is no such claim, or another key signed.
        Invalid: it does not ask about a claim.
        TooMany: the device asked too often lately, or too many from this address showed no key.
    """
    signed, now, path = jws.read(body), runtime.clock(), f"{ADDRESS}/state"
    query = recorded("POST", path)
    async with runtime.pool.connection() as connection:
        row = await _claimed(connection, signed.payload)
        key = None if row is None else DeviceKey(row.jwk)
        proved = jws.verified(signed, key, "" if key is None else key.thumbprint)
        if not proved or row is None or key is None:
            await require(runtime, connection, _UNPROVEN, address, now=now)
            async with _on_record(runtime, connection, query):
                raise Unverified
        await require(runtime, connection, _ASKED, str(row.claim_id), now=now)
        async with _on_record(runtime, connection, query):
            audience = f"{runtime.settings.base_url}/{path}"
            read_statement(signed.payload, ("claim",), audience=audience, now=now)
    if row.redeemed_at is None:
        return {"status": "waiting" if now < row.expires_at else "over"}
    device = f"Device/{row.device_id}"
    return {"status": "redeemed", "device": device, "kid": key.kid(device)}


async def redeem(runtime: Runtime, caller: Caller, body: bytes) -> Tree:
    """Enrol the device that shows a code, for the caller or for the person whom they name; it waits for approval.

    Raises:
        BadCode: no device shows it, its minutes are over, or somebody entered it before.
        Refused: the caller may not enrol for this person, or there is no such person.
        TooMany: the caller entered too many wrong codes lately.
    """
    entered, text = _entered(body), recorded("POST", f"{ADDRESS}/redeem")
    code_hash = _hashed(runtime, entered["code"])
    async with admitted(runtime, caller, Request(Action.COLLECT, "create", text, isolation="write")) as desk:
        desk.require("c", "Device")
        name = f"device code {desk.subject.reference}"
        await fetch(desk.connection, HOLD, {"key": runtime.keys.token(name)})
        await attempts.check(runtime, desk.connection, name, now=desk.now)
        row = await _redeemable(desk, code_hash)
        if row is None:
            await attempts.count(runtime, desk.connection, name, now=desk.now)
            await desk.audit(desk.row(NOBODY, "refused", detail="code"))
        patient = patient_in(entered) if "patient" in entered else desk.subject.patient
    if row is None:
        raise BadCode
    if patient is None:
        raise Refused
    async with admitted(runtime, caller, Request(Action.COLLECT, "create", text, patient, "write")) as desk:
        made = await enrolled(desk, Order(patient, row.model, row.serial, DeviceKey(row.jwk)))
        taken = {"claim_id": row.claim_id, "device_id": made["device"].partition("/")[2], "now": desk.now}
        if not await fetch(desk.connection, store.REDEEM, taken):
            raise BadCode
    return {**made, "model": row.model, "serial": row.serial}


def drawn(random: Callable[[int], bytes]) -> str:
    """Draw a code, written in groups as it is shown."""
    letters = "".join(ALPHABET[byte & 31] for byte in random(CODE_CHARACTERS))
    return f"{letters[:GROUP_CHARACTERS]}-{letters[GROUP_CHARACTERS:]}"


def _said(runtime: Runtime, body: bytes) -> _Device:
    """What a device says of itself.

    Raises:
        UnprovenClaim: another key signed than the one that it brings.
        Invalid: a member is missing, unknown or unfit.
    """
    signed = jws.read(body)
    key = _brought(signed.payload)
    if not jws.verified(signed, key, "" if key is None else key.thumbprint) or key is None:
        raise UnprovenClaim
    audience = f"{runtime.settings.base_url}/{ADDRESS}"
    tree = read_statement(signed.payload, ("model", "serial", "jwk"), audience=audience, now=runtime.clock())
    return _Device(model_in(tree), serial_in(tree), key)


def _brought(payload: bytes) -> DeviceKey | None:
    """The key in a claim that is not yet believed; it is what the claim is verified by, and all that is read of it."""
    try:
        return device_key(parse(payload, _STATEMENT).get("jwk"))
    except (ParseError, Invalid):
        return None


async def _claimed(connection: Connection, payload: bytes) -> Row | None:
    """The claim that a statement names which is not yet believed."""
    try:
        claim_id = UUID(str(parse(payload, _STATEMENT).get("claim")))
    except (ParseError, ValueError):
        claim_id = UUID(int=0)
    rows = await fetch(connection, store.CLAIMED, {"claim_id": claim_id})
    return next(iter(rows), None)


async def _redeemable(desk: Desk, code_hash: bytes) -> Row | None:
    rows = await fetch(desk.connection, store.REDEEMABLE, {"code_hash": code_hash, "now": desk.now})
    return next(iter(rows), None)


def _entered(body: bytes) -> dict[str, Any]:
    tree = parse(body, _ENTERED_LIMITS)
    check_members(tree, _ENTERED, ("code",))
    if not isinstance(tree["code"], str):
        raise Invalid("got no text in `code`, expected the code that the device shows", ("code",))
    return dict(tree)


def _hashed(runtime: Runtime, code: str) -> bytes:
    return digest(runtime.ring.index_secret, b"device claim\n" + typed(code), "sha256")


@asynccontextmanager
async def _on_record(runtime: Runtime, connection: Connection, query: str) -> AsyncIterator[None]:
    """Keep that something was refused, whoever asked."""
    try:
        yield
    except PassportError as error:
        await record(connection, [_row(runtime, query, error.outcome, error.code)])
        raise


def _row(runtime: Runtime, query: str, outcome: str, detail: str) -> AuditRow:
    return AuditRow(
        patient_key=NOBODY,
        audit_id=tokens.random_uuid(runtime),
        recorded=runtime.clock(),
        action="device-claim",
        kind="",
        outcome=outcome,
        query=query,
        detail=detail,
    )
