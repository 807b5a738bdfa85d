"""A reading as a device or its gateway submits it, in JSON.

Either values, `{"type": "heart-rate", "time": …, "value": 72}`, or a Bluetooth payload as it came,
`{"gatt": "2A37", "hex": …, "time": …}`. Times: https://www.rfc-editor.org/rfc/rfc3339
"""

from collections.abc import Mapping
from decimal import Decimal

from fhirmap.errors import MalformedReading
from fhirmap.gatt import decode
from fhirmap.instant import Instant, parse_instant
from fhirmap.jsonformat import kind_of
from fhirmap.reading import MEASURABLE, Measured, Reading, is_measurable, pulse
from fhirmap.units import Unit
from fhirmap.vitals import BLOOD_PRESSURE, VITAL_SIGNS, VitalSign


def parse_reading(members: Mapping[str, object]) -> Reading:
    """Read one submitted reading; numbers must be `int` or `Decimal`, so that they stay as written.

    Raises:
        MalformedReading: unknown type, unit or characteristic; a value or the time missing or of
            another form; a payload of the wrong length; or a member that the type does not have.
    """
    return _payload(members) if "gatt" in members else _values(members)


def octets(text: str) -> bytes:
    """Read pairs of hexadecimal digits.

    Raises:
        MalformedReading: anything else.
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise MalformedReading("got `hex` that is not pairs of hexadecimal digits") from error


def text_of(members: Mapping[str, object], name: str) -> str:
    """A member that is a text.

    Raises:
        MalformedReading: it is missing, or something else.
    """
    value = members.get(name)
    if not isinstance(value, str):
        raise MalformedReading(f"got {kind_of(value)} in `{name}`, expected a text")
    return value


def _payload(members: Mapping[str, object]) -> Reading:
    uuid, text = text_of(members, "gatt"), text_of(members, "hex")
    if members.keys() - {"gatt", "hex", "time"}:
        raise MalformedReading("got a member that a GATT reading does not have, expected gatt, hex, time")
    return decode(uuid, octets(text), parse_instant(members.get("time"))).reading


def _values(members: Mapping[str, object]) -> Reading:
    kind = members.get("type")
    alternatives = VITAL_SIGNS.get(kind) if isinstance(kind, str) else None
    if alternatives is None:
        raise MalformedReading(f"got an unknown `type`, expected one of {', '.join(VITAL_SIGNS)}")
    vital, unit = _unit(alternatives, members.get("unit"))
    _check_members(vital, members)
    time = parse_instant(members.get("time"))
    values = tuple(
        Measured(each, unit, _number(each.name, members[each.name]))
        for each in vital.measurands
        if each.required or each.name in members
    )
    return Reading(vital, time, values, _pulse(members, time))


def _pulse(members: Mapping[str, object], time: Instant) -> tuple[Reading, ...]:
    return (pulse(_number("pulse", members["pulse"]), time),) if "pulse" in members else ()


def _unit(alternatives: tuple[VitalSign, ...], sent: object) -> tuple[VitalSign, Unit]:
    if sent is None:
        return alternatives[0], alternatives[0].units[0]
    for vital in alternatives:
        for unit in vital.units:
            if isinstance(sent, str) and sent in unit.spellings:
                return vital, unit
    codes = ", ".join(unit.code for vital in alternatives for unit in vital.units)
    raise MalformedReading(f"got an unknown `unit` for {alternatives[0].type}, expected one of {codes}")


def _check_members(vital: VitalSign, members: Mapping[str, object]) -> None:
    needed = {each.name for each in vital.measurands if each.required}
    if missing := sorted(needed - members.keys()):
        raise MalformedReading(f"got {vital.type} without `{missing[0]}`")
    known = {"type", "time", "unit", *(each.name for each in vital.measurands)}
    if vital is BLOOD_PRESSURE:
        known.add("pulse")
    if members.keys() - known:
        expected = ", ".join(sorted(known))
        raise MalformedReading(f"got a member that {vital.type} does not have, expected {expected}")


def _number(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise MalformedReading(f"got {kind_of(value)} in `{name}`, expected a number")
    number = Decimal(value) if isinstance(value, int) else value
    if not is_measurable(number):
        raise MalformedReading(f"got `{name}` that no home device measures, {MEASURABLE}")
    return number
