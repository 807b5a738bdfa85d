"""Enrolling a device for a person: its key is remembered, and it may do nothing until the person approves it.

http://hl7.org/fhir/R4/device.html

Who may enrol is what the Device record is decided by like any other: the person, and whoever their consents let
collect Device records, such as a family proxy. Nobody else learns whether the person has a passport at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from consent.model import Action
from fhirstore.parse import Limits, Tree, parse
from passport.admission import Desk, Request, admitted
from passport.devices import store
from passport.devices.jwk import DeviceKey, device_key
from passport.devices.lifecycle import Status
from passport.devices.models import DeviceModel, collected
from passport.devices.registry import model_of
from passport.identity.scopes import require
from passport.intake import write
from passport.notices import tell
from passport.outcomes import Invalid, Refused
from passport.pieces import Write
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Caller

ENROLMENT_MAX_BYTES: Final = 8_192
SERIAL_SYSTEM: Final = "urn:healthcare-passport:device-serial"
_LIMITS: Final = Limits(size_bytes=ENROLMENT_MAX_BYTES, depth=4)
_MEMBERS: Final = frozenset({"patient", "model", "serial", "jwk"})
_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9.-]{1,64}")  # http://hl7.org/fhir/R4/datatypes.html#id
_SERIAL: Final = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")

_IDENTIFIER_TYPE: Final = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SNO"}

_MDC: Final = "urn:iso:std:iso:11073:10101"
# IEEE 11073-10101, device specializations.
_TYPE_CODES: Final[Mapping[str, str]] = {
    "blood-pressure": "528391",
    "oxygen-saturation": "528388",
    "body-temperature": "528392",
    "body-weight": "528399",
    "glucose": "528401",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What an enrolment asks for."""

    patient: str
    model: str
    serial: str
    key: DeviceKey


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A device as it stands: whose it is, what it may send, its key, and what its person's Consent says now."""

    patient_key: int
    patient: str
    wrapped_key: bytes
    device_key: int
    device: str
    model: str
    kinds: frozenset[str]
    kid: str
    key: DeviceKey
    status: Status
    consent: str | None
    enrolled_at: datetime

    def as_json(self) -> dict[str, Any]:
        """The device as its person reads it."""
        return {
            "device": self.device,
            "model": self.model,
            "kid": self.kid,
            "status": self.status,
            "consent": self.consent,
            "enrolled": self.enrolled_at.isoformat(timespec="seconds"),
        }


def read_order(body: bytes) -> Order:
    """Read the body of an enrolment.

    Raises:
        ParseError: not JSON.
        Invalid: a member is missing, unknown, or of another form; or the key is not one to enrol.
    """
    tree = parse(body, _LIMITS)
    if tree.keys() != _MEMBERS:
        raise Invalid(f"got other members, expected {', '.join(sorted(_MEMBERS))}")
    patient = _matched(tree, "patient", _PATIENT, "a reference `Patient/…`")
    serial = _matched(tree, "serial", _SERIAL, "1 to 64 printable characters")
    model = _matched(tree, "model", _SERIAL, "the name of a model")
    return Order(patient, model, serial, device_key(tree["jwk"]))


def _matched(tree: Tree, name: str, pattern: re.Pattern[str], expected: str) -> str:
    value = tree[name]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Invalid(f"got another value in `{name}`, expected {expected}", (name,))
    return value


async def enrol(runtime: Runtime, caller: Caller, body: bytes) -> dict[str, str]:
    """Enrol a device; it is pending afterwards, and the person is told.

    Raises:
        Invalid: the order is not one, or names no model that can be enrolled.
        Refused: the caller may not enrol for this person, or there is no such person.
    """
    order = read_order(body)
    request = Request(Action.COLLECT, "create", "POST devices/enrolments", order.patient, "write")
    async with admitted(runtime, caller, request) as desk:
        model = await model_of(desk.connection, order.model)
        if model is None or not model.active:
            text = "got a model that cannot be enrolled, expected an active one of `GET /devices/models`"
            raise Invalid(text, ("model",), status=422, code="not-found")
        device_id = runtime.new_id()
        await write(desk, [Write("create", "Device", device_resource(order, model), id=device_id)])
        device = f"Device/{device_id}"
        kid = order.key.kid(device)
        await _remember(desk, order, device, kid)
    return {"device": device, "kid": kid, "status": "pending"}


async def _remember(desk: Desk, order: Order, device: str, kid: str) -> None:
    """Keep the key of a device that was written, and tell its person.

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
        "kid": kid,
        "jwk": Jsonb(dict(order.key.jwk)),
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


def device_resource(order: Order, model: DeviceModel) -> Tree:
    """The Device record of an enrolment."""
    codes = [_TYPE_CODES[kind] for kind in sorted(model.readings) if kind in _TYPE_CODES]
    return {
        "resourceType": "Device",
        "identifier": [
            {"type": {"coding": [_IDENTIFIER_TYPE]}, "system": SERIAL_SYSTEM, "value": order.serial}
        ],
        "status": "active",
        "manufacturer": model.manufacturer,
        "serialNumber": order.serial,
        "deviceName": [{"name": model.display, "type": "model-name"}],
        "modelNumber": model.model,
        "type": {
            **({"coding": [{"system": _MDC, "code": code} for code in codes]} if codes else {}),
            "text": model.display,
        },
        "patient": {"reference": order.patient},
    }


async def enrolment_of(connection: Connection, device: int) -> Enrolment | None:
    """The device of a record key, whoever's it is."""
    rows = await fetch(connection, store.ENROLMENT, {"device_key": device})
    return next(map(_enrolment, rows), None)


async def own_devices(runtime: Runtime, caller: Caller) -> list[Enrolment]:
    """The caller's own devices, the newest first.

    Raises:
        Refused: the caller is not a person who reads their own passport, or not with these scopes.
    """
    async with admitted(runtime, caller, Request(Action.ACCESS, "read", "GET devices")) as desk:
        require(desk.subject.scopes, "s", "Device")
        own = desk.standing.own
        if own is None:
            raise Refused
        rows = await fetch(desk.connection, store.ENROLMENTS, {"patient_key": own})
        enrolments = [_enrolment(row) for row in rows]
        await desk.audit(
            desk.row(own, record_keys=[row.device_key for row in rows], versions=[0] * len(rows))
        )
        return enrolments


def _enrolment(row: Any) -> Enrolment:
    return Enrolment(
        patient_key=row.patient_key,
        patient=f"Patient/{row.patient_id}",
        wrapped_key=row.wrapped_key,
        device_key=row.device_key,
        device=f"Device/{row.device_id}",
        model=row.model,
        kinds=collected(frozenset(row.readings)),
        kid=row.kid,
        key=DeviceKey(row.jwk),
        status=row.status,
        consent=None if row.consent_id is None else f"Consent/{row.consent_id}",
        enrolled_at=row.enrolled_at,
    )
