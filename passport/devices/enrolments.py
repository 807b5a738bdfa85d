"""Enrolling a device for a person: its key is remembered, and it may do nothing until the person approves it.

http://hl7.org/fhir/R4/device.html

Who may enrol is what the Device record is decided by like any other: the person, and whoever their consents let
collect Device records, such as a family proxy. Nobody else learns whether the person has a passport at all.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Rollback
from psycopg.types.json import Jsonb

from consent.model import Action
from passport.admission import Desk, Request, admitted
from passport.devices import store
from passport.devices.jwk import DeviceKey
from passport.devices.known.store import HOLD, SAME_DEVICE
from passport.devices.lifecycle import Status
from passport.devices.models import DeviceModel, collected
from passport.devices.orders import SERIAL_SYSTEM, Order, device_resource, read_order
from passport.devices.registry import model_of
from passport.intake import write
from passport.notices import tell
from passport.outcomes import Invalid, Refused
from passport.pieces import Write
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Caller


@dataclass(frozen=True, slots=True)
class Gateway:
    """The device that signs for another one, and how it stands itself."""

    device: str
    device_key: int
    status: Status


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A device as it stands: whose it is, what it may send, who signs, and what its person's Consent says now.

    `keys` are those that sign: the present one, and the one that takes its place when it is first used. They are the
    gateway's where there is one. `forwards` tells whether the device itself may be the gateway of others.
    """

    patient_key: int
    patient: str
    wrapped_key: bytes
    device_key: int
    device: str
    model: str
    kinds: frozenset[str]
    forwards: bool
    keys: tuple[DeviceKey, ...]
    status: Status
    consent: str | None
    enrolled_at: datetime
    gateway: Gateway | None = None

    @property
    def kid(self) -> str:
        """The name of the present key at this device."""
        return self.keys[0].kid(self.device)

    @property
    def signer_key(self) -> int:
        """The record key of the device that signs."""
        return self.device_key if self.gateway is None else self.gateway.device_key

    def key_named(self, kid: str) -> DeviceKey | None:
        """The key of this name at this device, None where there is none."""
        return next((key for key in self.keys if key.kid(self.device) == kid), None)

    def as_json(self) -> dict[str, Any]:
        """The device as its person reads it."""
        told = {
            "device": self.device,
            "model": self.model,
            "kid": self.kid,
            "status": self.status,
            "consent": self.consent,
            "enrolled": self.enrolled_at.isoformat(timespec="seconds"),
        }
        if self.gateway is None:
            return told
        return {**told, "gateway": {"device": self.gateway.device, "status": self.gateway.status}}


async def enrol(runtime: Runtime, caller: Caller, body: bytes) -> dict[str, str]:
    """Enrol a device; it is pending afterwards, and the person is told.

    Raises:
        Invalid: the order is not one, or names no model or gateway that it can be enrolled with.
        Refused: the caller may not enrol for this person, or there is no such person.
    """
    order = read_order(body)
    request = Request(Action.COLLECT, "create", "POST devices/enrolments", order.patient, "write")
    async with admitted(runtime, caller, request) as desk:
        return await enrolled(desk, order)


async def enrolled(desk: Desk, order: Order) -> dict[str, str]:
    """Enrol what was ordered, on the desk of whoever is asked about its person.

    Raises:
        Invalid: it names no model or gateway that it can be enrolled with.
        Refused: the caller may not enrol for this person, or there is no such person.
    """
    model = await orderable(desk.connection, order.model)
    await _hold(desk, order)
    same = await _enrolled_before(desk, order)
    if same is not None and desk.standing.asked in desk.standing.owns:
        desk.require("c", "Device")
    elif same is not None:
        # Whether they may enrol still is what the write itself is decided by; it is undone.
        async with desk.connection.transaction():
            await _written(desk, order, model)
            raise Rollback
    device = same.device if same is not None else await _written(desk, order, model)
    # Whether the gateway is one is told after it is known that the caller may enrol.
    key, gateway_key = await _signer(desk, order)
    if same is not None:
        return await _told_again(desk, same, key)
    await _remember(desk, order, device, gateway_key)
    return {"device": device, "kid": key.kid(device), "status": "pending"}


async def _written(desk: Desk, order: Order, model: DeviceModel) -> str:
    """Write the Device record; its reference."""
    device_id = desk.runtime.new_id()
    await write(desk, [Write("create", "Device", device_resource(order, model), id=device_id)])
    return f"Device/{device_id}"


async def _hold(desk: Desk, order: Order) -> None:
    """Let nobody else enrol the same for the same person until the transaction ends: of two at once one makes it."""
    about = f"enrolment {desk.standing.asked} {order.model} {order.serial}"
    await fetch(desk.connection, HOLD, {"device": desk.runtime.keys.token(about)})


async def _enrolled_before(desk: Desk, order: Order) -> Enrolment | None:
    """The very device that is ordered, where whoever asks again knows of it: their own, or what they enrolled.

    To others it would tell what the person has.
    """
    patient_key, key = desk.standing.asked, order.signed_by
    if patient_key is None:
        return None
    parameters = {
        "patient_key": patient_key,
        "model": order.model,
        "serial": desk.runtime.keys.identifier(SERIAL_SYSTEM, order.serial),
        "jwk": Jsonb(dict(key.jwk)) if isinstance(key, DeviceKey) else None,
        "gateway_key": None if isinstance(key, DeviceKey) else desk.runtime.keys.reference(key),
        "enrolled_by": None if patient_key in desk.standing.owns else desk.subject.actor,
    }
    rows = await fetch(desk.connection, SAME_DEVICE, parameters)
    return await enrolment_of(desk.connection, rows[0].device_key) if rows else None


async def _told_again(desk: Desk, found: Enrolment, key: DeviceKey) -> dict[str, str]:
    """What was answered the first time, as the device stands now."""
    row = desk.row(found.patient_key, record_keys=[found.device_key], versions=[0], action="read")
    await desk.audit(row)
    return {"device": found.device, "kid": key.kid(found.device), "status": found.status}


async def orderable(connection: Connection, name: str) -> DeviceModel:
    """A model that can be enrolled.

    Raises:
        Invalid: it is none, or is withdrawn.
    """
    model = await model_of(connection, name)
    if model is None or not model.active:
        text = "got a model that cannot be enrolled, expected an active one of `GET /devices/models`"
        raise Invalid(text, ("model",), status=422, code="not-found")
    return model


async def _signer(desk: Desk, order: Order) -> tuple[DeviceKey, int | None]:
    """The key that signs for the ordered device, and the record key of the gateway whose it is, if it is one's.

    Raises:
        Invalid: what is named is no gateway of this person, or is revoked.
    """
    if isinstance(order.signed_by, DeviceKey):
        return order.signed_by, None
    found = await enrolment_of(desk.connection, desk.runtime.keys.reference(order.signed_by))
    fit = found is not None and found.forwards and found.gateway is None and found.status != "revoked"
    if found is None or not fit or found.patient_key != desk.standing.asked:
        text = "got another device in `gateway`, expected one of this person whose model is a gateway"
        raise Invalid(text, ("gateway",), status=422, code="not-found")
    return found.keys[0], found.device_key


async def _remember(desk: Desk, order: Order, device: str, gateway_key: int | None) -> None:
    """Keep who signs for a device that was written, and tell its person.

    Raises:
        Refused: there is no such person.
    """
    patient_key = desk.standing.asked
    if patient_key is None:
        raise Refused
    parameters = {
        "patient_key": patient_key,
        "device_key": desk.runtime.keys.reference(device),
        "device_id": device.partition("/")[2],
        "model": order.model,
        "jwk": Jsonb(dict(order.signed_by.jwk)) if isinstance(order.signed_by, DeviceKey) else None,
        "gateway_key": gateway_key,
        "enrolled_by": desk.subject.actor,
        "now": desk.now,
    }
    await fetch(desk.connection, store.ENROL, parameters)
    await tell(
        desk.connection,
        patient_key,
        "device-enrolment-pending",
        {"device": device},
        notice_id=UUID(desk.runtime.new_id()),
        now=desk.now,
    )


async def enrolment_of(connection: Connection, device: int) -> Enrolment | None:
    """The device of a record key, whoever's it is."""
    rows = await fetch(connection, store.ENROLMENT, {"device_key": device})
    return next(map(_enrolment, rows), None)


async def keep_key(desk: Desk, enrolment: Enrolment, kid: str) -> None:
    """Let whoever signs go on with the key of this name alone, where it is the one that was announced."""
    announced = enrolment.keys[-1]
    if len(enrolment.keys) > 1 and announced.kid(enrolment.device) == kid:
        device = {"patient_key": enrolment.patient_key, "device_key": enrolment.signer_key}
        await fetch(desk.connection, store.TAKE_KEY, {**device, "jwk": Jsonb(dict(announced.jwk))})


async def own_devices(runtime: Runtime, caller: Caller) -> list[Enrolment]:
    """The caller's own devices, of whichever registration of theirs, the newest first.

    Raises:
        Refused: the caller is not a person who reads their own passport, or not with these scopes.
    """
    async with admitted(runtime, caller, Request(Action.ACCESS, "read", "GET devices")) as desk:
        desk.require("s", "Device")
        owns = desk.standing.owns
        if not owns:
            raise Refused(
                "devices are listed for the person whose they are: others find them as `/fhir/Device`"
            )
        enrolments = [
            _enrolment(row)
            for row in await fetch(desk.connection, store.ENROLMENTS, {"patient_keys": list(owns)})
        ]
        listed = {own: [one.device_key for one in enrolments if one.patient_key == own] for own in owns}
        await desk.audit(
            *(desk.row(own, record_keys=keys, versions=[0] * len(keys)) for own, keys in listed.items())
        )
        return enrolments


def _enrolment(row: Any) -> Enrolment:
    signs = row.gateway_key is not None
    return Enrolment(
        patient_key=row.patient_key,
        patient=f"Patient/{row.patient_id}",
        wrapped_key=row.wrapped_key,
        device_key=row.device_key,
        device=f"Device/{row.device_id}",
        model=row.model,
        kinds=collected(frozenset(row.readings)),
        forwards=row.forwards,
        keys=tuple(DeviceKey(jwk) for jwk in (row.jwk, row.next_jwk) if jwk is not None),
        status=row.status,
        consent=None if row.consent_id is None else f"Consent/{row.consent_id}",
        enrolled_at=row.enrolled_at,
        gateway=Gateway(f"Device/{row.gateway_id}", row.gateway_key, row.gateway_status) if signs else None,
    )
