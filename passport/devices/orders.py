"""What an enrolment asks for: a person, a model, a serial number, and whose key signs for the device.

http://hl7.org/fhir/R4/device.html

A device has a key of its own. One that cannot have one, such as a cuff that speaks to a phone, names the gateway that
signs in its place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fhirstore.parse import Limits, Tree, parse
from passport.devices.jwk import DeviceKey, device_key
from passport.devices.models import DeviceModel
from passport.members import check_members
from passport.outcomes import Invalid

ENROLMENT_MAX_BYTES: Final = 8_192
SERIAL_SYSTEM: Final = "urn:healthcare-passport:device-serial"

_LIMITS: Final = Limits(size_bytes=ENROLMENT_MAX_BYTES, depth=4)
_MEMBERS: Final = frozenset({"patient", "model", "serial"})
_SIGNED_BY: Final = ("jwk", "gateway")
_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9.-]{1,64}")  # http://hl7.org/fhir/R4/datatypes.html#id
_DEVICE: Final = re.compile(r"Device/[A-Za-z0-9.-]{1,64}")
_NAME: Final = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")

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
    """What an enrolment asks for; `signed_by` is the device's own key, or the gateway that signs for it."""

    patient: str
    model: str
    serial: str
    signed_by: DeviceKey | str


def read_order(body: bytes) -> Order:
    """Read the body of an enrolment.

    Raises:
        ParseError: not JSON.
        Invalid: a member is missing, unknown, or of another form; or the key is not one to enrol.
    """
    tree = parse(body, _LIMITS)
    check_members(tree, _SIGNED_BY, _MEMBERS)
    signed_by = [name for name in _SIGNED_BY if name in tree]
    if len(signed_by) != 1:
        got = "both" if signed_by else "none"
        raise Invalid(f"got {got} of {' and '.join(_SIGNED_BY)}, expected one of them", _SIGNED_BY)
    patient = patient_in(tree)
    if "jwk" in tree:
        return Order(patient, model_in(tree), serial_in(tree), device_key(tree["jwk"]))
    gateway = _matched(tree, "gateway", _DEVICE, "a reference `Device/…`")
    return Order(patient, model_in(tree), serial_in(tree), gateway)


def patient_in(tree: Mapping[str, object]) -> str:
    """The person whom an order or the entry of a code names.

    Raises:
        Invalid: there is none, or it is no reference of one.
    """
    return _matched(tree, "patient", _PATIENT, "a reference `Patient/…`")


def model_in(tree: Mapping[str, object]) -> str:
    """The model that an order or a claim names.

    Raises:
        Invalid: there is none, or it is no name.
    """
    return _matched(tree, "model", _NAME, "the name of a model")


def serial_in(tree: Mapping[str, object]) -> str:
    """The serial number that an order or a claim names.

    Raises:
        Invalid: there is none, or one that no device bears.
    """
    return _matched(tree, "serial", _NAME, "1 to 64 printable characters")


def _matched(tree: Mapping[str, object], name: str, pattern: re.Pattern[str], expected: str) -> str:
    value = tree.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Invalid(f"got another value in `{name}`, expected {expected}", (name,))
    return value


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
        **({"parent": {"reference": order.signed_by}} if isinstance(order.signed_by, str) else {}),
    }
