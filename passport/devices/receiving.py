"""Receiving a message: a signature that holds, one transaction, and the same answer however often it comes.

https://www.rfc-editor.org/rfc/rfc7515

What a device may store is decided by the Consent that approved it, like every other write; its signature only
says who it is. Messages of one device are taken one after the other (its row is locked), so a message that is
sent twice at once is stored once and answered twice.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final

from consent.model import Action
from passport.admission import Desk, Request, admitted
from passport.audit.query import recorded
from passport.devices import jws, messages, store
from passport.devices.certificates import is_certified
from passport.devices.enrolments import Enrolment, enrolment_of, keep_key
from passport.devices.errors import Unverified
from passport.devices.identity import device_of, subject_of
from passport.devices.readings import stored
from passport.devices.unproven import noted
from passport.outcomes import Conflict, Refused
from passport.runtime import Runtime
from passport.sql import fetch
from passport.subjects import Acting

_MESSAGE: Final = b"device-message"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message at a device's address, not yet believed, with the certificate that was shown beside it."""

    device: str
    signed: jws.Signed
    shown: bytes | None


async def receive(
    runtime: Runtime, device_id: str, body: bytes, shown: bytes | None = None, *, address: str
) -> bytes:
    """Take a message that a device sent to its own address; return the answer as JSON.

    Args:
        runtime: the running service.
        device_id: of whom the readings are.
        body: the message.
        shown: the SHA-256 of the certificate that its sender showed beside it, if one was shown.
        address: the network address that it came from.

    Raises:
        Unverified: it is not by this device, or there is no such device, or the certificate is another one's.
        TooMany: the same, as others from this address before.
        Refused: the device or its gateway is not active, or its person's consents do not let it store this.
        Invalid: the signed payload is not a batch.
        Conflict: the counter was used for other bytes.
    """
    device = device_of(device_id)
    message = Sent(device, jws.read(body), shown)
    query = recorded("POST", f"devices/{device_id}/readings")
    request = Request(Action.COLLECT, "create", query, device, "write")
    async with noted(runtime, request, address=address):
        return await _received(runtime, request, message)


async def _received(runtime: Runtime, request: Request, message: Sent) -> bytes:
    """Take a message from whoever signed it.

    Raises:
        Unverified: nobody did.
        Refused: the device or its gateway is not active, or its person's consents do not let it store this.
        Invalid: the signed payload is not a batch.
        Conflict: the counter was used for other bytes.
    """
    subject = subject_of(message.device)
    async with admitted(runtime, Acting(subject), request) as desk:
        enrolment = await _sender(desk, message)
        if enrolment.gateway is None:
            return await _taken(desk, enrolment, message)
        through = enrolment.gateway.device
    # Who signs in a device's place stands beside it in what decides and in the log, as any application does.
    async with admitted(runtime, Acting(replace(subject, client=through)), request) as desk:
        return await _taken(desk, await _sender(desk, message), message)


async def _sender(desk: Desk, message: Sent) -> Enrolment:
    """The device that a message is of.

    Raises:
        Unverified: its signature does not hold, or its certificate is not of whoever signs.
    """
    enrolment = await enrolment_of(desk.connection, desk.runtime.keys.reference(message.device))
    kid = message.signed.kid
    key = enrolment.key_named(kid) if enrolment else None
    held = jws.verified(message.signed, key, kid)
    if message.shown is not None:
        held = await is_certified(desk, message.shown, enrolment) and held
    if not held or enrolment is None:
        raise Unverified
    return enrolment


async def _taken(desk: Desk, enrolment: Enrolment, sent: Sent) -> bytes:
    """Take a message whose sender is known.

    Raises:
        Refused: the device or its gateway is not active, or the person's consents do not let it store this.
        Invalid: the signed payload is not a batch.
        Conflict: the counter was used for other bytes.
    """
    if enrolment.status != "active":
        raise Refused("the device is not active")
    if enrolment.gateway is not None and enrolment.gateway.status != "active":
        raise Refused("the gateway of the device is not active")
    message = messages.read(sent.signed.payload)
    secret = desk.runtime.ring.unwrap(enrolment.patient_key, enrolment.wrapped_key)
    digest = blake2b(sent.signed.payload, digest_size=32, key=secret, person=_MESSAGE).digest()
    await keep_key(desk, enrolment, sent.signed.kid)
    earlier = await _earlier(desk, enrolment, message.counter)
    if earlier is None:
        return await stored(desk, enrolment, message, digest, secret)
    if earlier.digest != digest:
        raise Conflict("got a counter that was used for another message")
    return bytes(earlier.answer)


async def _earlier(desk: Desk, enrolment: Enrolment, counter: int) -> Any:
    """The message of this counter, if there is one; nobody else takes the counter until this is over."""
    place = {"patient_key": enrolment.patient_key, "device_key": enrolment.device_key}
    await fetch(desk.connection, store.LOCK, place)
    # A statement of its own: it sees what was committed while the lock was waited for.
    rows = await fetch(desk.connection, store.ANSWERED, {**place, "counter": counter})
    return next(iter(rows), None)
