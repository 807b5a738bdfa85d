"""Bluetooth GATT measurement characteristics to readings.

https://www.bluetooth.com/specifications/gss/ (2A1C, 2A35, 2A37, 2A5E, 2A9D)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from datetime import time as time_of_day
from decimal import Decimal

from fhirmap import units
from fhirmap.errors import MalformedPayload, MalformedReading
from fhirmap.instant import Instant
from fhirmap.medfloat import float32, sfloat
from fhirmap.reading import MEASURABLE, Absent, Measured, Reading, Status, is_measurable, pulse
from fhirmap.units import Unit
from fhirmap.vitals import (
    BLOOD_PRESSURE,
    BODY_TEMPERATURE,
    BODY_WEIGHT,
    HEART_RATE,
    OXYGEN_SATURATION,
    VitalSign,
)

WEIGHT_UNSUCCESSFUL = 0xFFFF  # Weight Scale Service 1.0, 3.2.1.1
UNKNOWN_USER = 0xFF  # Blood Pressure Service 1.1.1, Weight Scale Service 1.0
KILOGRAM_STEP = Decimal("0.005")
POUND_STEP = Decimal("0.01")
RR_STEP_SECONDS = Decimal(1) / 1024

Parts = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one payload says.

    `device_time` is the device's own clock, which knows no time zone: it is told, and never taken for
    the time of the reading. `user` is the device's slot for the person, None where it does not know.
    """

    reading: Reading
    device_time: datetime | None = None
    user: int | None = None
    rr_seconds: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of `size` octets, present where `flags & mask == equals`."""

    name: str
    size: int
    mask: int = 0
    equals: int = 0


def _optional(name: str, size: int, mask: int) -> _Field:
    return _Field(name, size, mask, mask)


@dataclass(frozen=True, slots=True)
class _Characteristic:
    """One flags octet, fields in their order, and perhaps a tail of items until the payload ends."""

    fields: tuple[_Field, ...]
    read: Callable[[int, Parts, Instant | None], Decoded]
    tail_mask: int = 0
    tail_item_size: int = 1


def decode(uuid: str, payload: bytes, time: Instant | None) -> Decoded:
    """Decode one payload.

    Args:
        uuid: the 16-bit characteristic as four hexadecimal digits, such as `2A35`.
        payload: the octets as notified or indicated.
        time: when the reading was taken, as the sender says.

    Raises:
        MalformedReading: a characteristic that is not decoded here.
        MalformedPayload: shorter or longer than its flags announce.
    """
    characteristic = CHARACTERISTICS.get(uuid.upper())
    if characteristic is None:
        raise MalformedReading(f"got an unknown characteristic, expected one of {', '.join(CHARACTERISTICS)}")
    if not payload:
        raise MalformedPayload(f"{uuid.upper()}: got 0 bytes, expected the flags")
    return characteristic.read(payload[0], _split(uuid.upper(), characteristic, payload), time)


def _split(uuid: str, characteristic: _Characteristic, payload: bytes) -> dict[str, bytes]:
    flags, at = payload[0], 1
    parts: dict[str, bytes] = {}
    for field in characteristic.fields:
        if flags & field.mask == field.equals:
            parts[field.name] = payload[at : at + field.size]
            at += field.size
    if characteristic.tail_mask & flags:
        rest = max(0, len(payload) - at)
        parts["tail"] = payload[at:]
        at += rest + -rest % characteristic.tail_item_size
    if len(payload) != at:
        raise MalformedPayload(f"{uuid}: got {len(payload)} bytes, expected {at}")
    return parts


def _integer(octets: bytes) -> int:
    return int.from_bytes(octets, "little")


def _device_time(parts: Parts) -> datetime | None:
    octets = parts.get("time")
    if octets is None:
        return None
    try:
        return datetime.combine(date(_integer(octets[:2]), *octets[2:4]), time_of_day(*octets[4:]))
    except ValueError:
        return None


def _user(parts: Parts) -> int | None:
    user = _integer(parts["user"]) if "user" in parts else UNKNOWN_USER
    return None if user == UNKNOWN_USER else user


def _single(vital: VitalSign, unit: Unit, value: Decimal | Absent, time: Instant | None) -> Reading:
    return Reading(vital, time, (Measured(vital.measurand("value"), unit, value),))


# Blood Pressure Service 1.1.1, Measurement Status: bits 3 and 4 are one number.
_BLOOD_PRESSURE_STATUSES = (
    (0x0001, 0x0001, Status.BODY_MOVEMENT),
    (0x0002, 0x0002, Status.CUFF_TOO_LOOSE),
    (0x0004, 0x0004, Status.IRREGULAR_PULSE),
    (0x0018, 0x0008, Status.PULSE_ABOVE_RANGE),
    (0x0018, 0x0010, Status.PULSE_BELOW_RANGE),
    (0x0020, 0x0020, Status.IMPROPER_POSITION),
)


def _blood_pressure(flags: int, parts: Parts, time: Instant | None) -> Decoded:
    unit = units.KILOPASCAL if flags & 0x01 else units.MILLIMETRES_OF_MERCURY
    status = _integer(parts.get("status", b""))
    reading = Reading(
        BLOOD_PRESSURE,
        time,
        tuple(Measured(each, unit, sfloat(parts[each.name])) for each in BLOOD_PRESSURE.measurands),
        companions=(pulse(sfloat(parts["pulse"]), time),) if "pulse" in parts else (),
        statuses=tuple(each for mask, bits, each in _BLOOD_PRESSURE_STATUSES if status & mask == bits),
    )
    return Decoded(reading, _device_time(parts), _user(parts))


def _heart_rate(flags: int, parts: Parts, time: Instant | None) -> Decoded:
    rate = Decimal(_integer(parts.get("rate8") or parts["rate16"]))
    reading = _single(HEART_RATE, units.PER_MINUTE, rate, time)
    if flags & 0x06 == 0x04:  # contact is detectable, and there is none
        reading = replace(reading, statuses=(Status.NO_SKIN_CONTACT,))
    tail = parts.get("tail", b"")
    intervals = (_integer(tail[at : at + 2]) for at in range(0, len(tail), 2))
    return Decoded(reading, rr_seconds=tuple(each * RR_STEP_SECONDS for each in intervals))


def _oximeter(flags: int, parts: Parts, time: Instant | None) -> Decoded:
    saturation = _single(OXYGEN_SATURATION, units.PERCENT, sfloat(parts["saturation"]), time)
    reading = replace(saturation, companions=(pulse(sfloat(parts["pulse"]), time),))
    clock_unset = flags & 0x10
    return Decoded(reading, None if clock_unset else _device_time(parts))


def _weight(flags: int, parts: Parts, time: Instant | None) -> Decoded:
    unit, step = (units.POUND, POUND_STEP) if flags & 0x01 else (units.KILOGRAM, KILOGRAM_STEP)
    raw = _integer(parts["weight"])
    value = Absent.ERROR if raw == WEIGHT_UNSUCCESSFUL else raw * step
    return Decoded(_single(BODY_WEIGHT, unit, value, time), _device_time(parts), _user(parts))


# Health Thermometer Service 1.0, Temperature Type.
_TEMPERATURE_SITES = {
    1: "armpit",
    2: "body (general)",
    3: "ear",
    4: "finger",
    5: "gastro-intestinal tract",
    6: "mouth",
    7: "rectum",
    8: "toe",
    9: "tympanum",
}


def _temperature(flags: int, parts: Parts, time: Instant | None) -> Decoded:
    unit = units.FAHRENHEIT if flags & 0x01 else units.CELSIUS
    value = float32(parts["temperature"])
    if isinstance(value, Decimal) and not is_measurable(value):
        raise MalformedReading(f"2A1C: got a number that no home device measures, {MEASURABLE}")
    reading = _single(BODY_TEMPERATURE, unit, value, time)
    site = _TEMPERATURE_SITES.get(_integer(parts.get("site", b"")))
    return Decoded(replace(reading, site=site), _device_time(parts))


CHARACTERISTICS: dict[str, _Characteristic] = {
    "2A1C": _Characteristic(
        (_Field("temperature", 4), _optional("time", 7, 0x02), _optional("site", 1, 0x04)), _temperature
    ),
    "2A35": _Characteristic(
        (
            _Field("systolic", 2),
            _Field("diastolic", 2),
            _Field("mean", 2),
            _optional("time", 7, 0x02),
            _optional("pulse", 2, 0x04),
            _optional("user", 1, 0x08),
            _optional("status", 2, 0x10),
        ),
        _blood_pressure,
    ),
    "2A37": _Characteristic(
        (_Field("rate8", 1, 0x01), _optional("rate16", 2, 0x01), _optional("energy", 2, 0x08)),
        _heart_rate,
        tail_mask=0x10,
        tail_item_size=2,
    ),
    "2A5E": _Characteristic(
        (
            _Field("saturation", 2),
            _Field("pulse", 2),
            _optional("time", 7, 0x01),
            _optional("status", 2, 0x02),
            _optional("sensor", 3, 0x04),
            _optional("amplitude", 2, 0x08),
        ),
        _oximeter,
    ),
    "2A9D": _Characteristic(
        (
            _Field("weight", 2),
            _optional("time", 7, 0x02),
            _optional("user", 1, 0x04),
            _optional("bmi", 2, 0x08),
            _optional("height", 2, 0x08),
        ),
        _weight,
    ),
}
