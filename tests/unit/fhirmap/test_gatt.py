from datetime import datetime
from decimal import Decimal

import pytest

from fhirmap.errors import MalformedPayload, MalformedReading
from fhirmap.gatt import Decoded, decode
from fhirmap.reading import Absent, Status


def decoded(uuid: str, payload: str) -> Decoded:
    return decode(uuid, bytes.fromhex(payload), None)


def values(result: Decoded) -> dict[str, str]:
    return {
        each.measurand.name: each.value.value if isinstance(each.value, Absent) else str(each.value)
        for each in result.reading.values
    }


TIMESTAMP = "ea07 04 01 07 05 09"  # 2026-04-01 07:05:09


def test_blood_pressure_with_every_flag() -> None:
    result = decoded("2A35", f"1e 7900 4f00 5d00 {TIMESTAMP} 3a00 02 0500")
    assert values(result) == {"systolic": "121", "diastolic": "79", "mean": "93"}
    assert result.device_time == datetime.fromisoformat("2026-04-01T07:05:09")
    assert result.user == 2
    assert result.reading.companions[0].values[0].value == Decimal(58)
    assert result.reading.statuses == (Status.BODY_MOVEMENT, Status.IRREGULAR_PULSE)


def test_blood_pressure_in_kilopascal_says_so() -> None:
    result = decoded("2a35", "01 a1f0 69f0 7cf0")
    assert values(result) == {"systolic": "16.1", "diastolic": "10.5", "mean": "12.4"}
    assert {each.unit.code for each in result.reading.values} == {"kPa"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("0000", ()),
        ("0200", (Status.CUFF_TOO_LOOSE,)),
        ("0800", (Status.PULSE_ABOVE_RANGE,)),
        ("1000", (Status.PULSE_BELOW_RANGE,)),
        ("1800", ()),  # both bits: reserved for future use
        ("2000", (Status.IMPROPER_POSITION,)),
    ],
)
def test_measurement_status_is_read_bit_by_bit(status: str, expected: tuple[Status, ...]) -> None:
    assert decoded("2A35", f"10 7900 4f00 5d00 {status}").reading.statuses == expected


def test_an_unknown_user_is_none() -> None:
    assert decoded("2A35", "08 7900 4f00 5d00 ff").user is None


@pytest.mark.parametrize("clock", ["0000 04 01 07 05 09", "ea07 00 01 07 05 09", "ea07 02 1e 07 05 09"])
def test_a_device_clock_that_is_not_set_is_none(clock: str) -> None:
    assert decoded("2A35", f"02 7900 4f00 5d00 {clock}").device_time is None


def test_the_device_clock_never_becomes_the_time_of_the_reading() -> None:
    assert decoded("2A35", f"02 7900 4f00 5d00 {TIMESTAMP}").reading.time is None


def test_heart_rate_in_one_and_in_two_octets() -> None:
    assert values(decoded("2A37", "00 48")) == {"value": "72"}
    assert values(decoded("2A37", "01 2c01")) == {"value": "300"}


def test_heart_rate_with_energy_and_rr_intervals() -> None:
    result = decoded("2A37", "18 48 0a00 0004 0002")
    assert result.rr_seconds == (Decimal(1), Decimal("0.5"))


def test_heart_rate_without_skin_contact_says_so() -> None:
    assert decoded("2A37", "04 48").reading.statuses == (Status.NO_SKIN_CONTACT,)
    assert decoded("2A37", "06 48").reading.statuses == ()
    assert decoded("2A37", "00 48").reading.statuses == ()


def test_oximeter_gives_saturation_and_pulse() -> None:
    result = decoded("2A5E", f"0f 6000 4100 {TIMESTAMP} 2000 000000 0000")
    assert values(result) == {"value": "96"}
    assert result.reading.companions[0].values[0].value == Decimal(65)
    assert result.device_time == datetime.fromisoformat("2026-04-01T07:05:09")


def test_oximeter_whose_clock_is_not_set_tells_no_time() -> None:
    assert decoded("2A5E", f"11 6000 4100 {TIMESTAMP}").device_time is None


def test_weight_in_kilograms_has_the_precision_of_its_step() -> None:
    result = decoded("2A9D", "00 d430")
    assert values(result) == {"value": "62.500"}
    assert result.reading.values[0].unit.code == "kg"


def test_weight_in_pounds_with_every_flag() -> None:
    result = decoded("2A9D", f"0f 9835 {TIMESTAMP} 01 e100 4006")
    assert values(result) == {"value": "137.20"}
    assert result.reading.values[0].unit.code == "[lb_av]"
    assert result.user == 1


def test_an_unsuccessful_weighing_is_absent() -> None:
    assert values(decoded("2A9D", "00 ffff")) == {"value": "error"}


def test_temperature_in_fahrenheit_with_its_site() -> None:
    result = decoded("2A1C", f"07 d20300ff {TIMESTAMP} 03")
    assert values(result) == {"value": "97.8"}
    assert result.reading.values[0].unit.code == "[degF]"
    assert result.reading.site == "ear"


def test_a_temperature_with_an_absurd_exponent_is_refused() -> None:
    with pytest.raises(MalformedReading, match="an exponent within 9"):
        decoded("2A1C", "00 0100007f")


@pytest.mark.parametrize(
    ("uuid", "payload", "expected"),
    [
        ("2A35", "", 0),
        ("2A35", "00 7900 4f00 5d", 7),
        ("2A35", "00 7900 4f00 5d00 00", 7),
        ("2A35", "1e 7900 4f00 5d00", 19),
        ("2A37", "00", 2),
        ("2A37", "01 48", 3),
        ("2A37", "10 48 0004 00", 6),
        ("2A9D", "00 d4", 3),
        ("2A5E", "00 6000", 5),
        ("2A1C", "00 000000", 5),
    ],
)
def test_a_payload_of_another_length_than_its_flags_announce_is_refused(
    uuid: str, payload: str, expected: int
) -> None:
    octets = bytes.fromhex(payload)
    told = f"{uuid}: got {len(octets)} bytes, expected {expected or 'the flags'}"
    with pytest.raises(MalformedPayload, match=told):
        decode(uuid, octets, None)


def test_an_unknown_characteristic_is_refused_with_the_known_ones() -> None:
    with pytest.raises(MalformedReading, match="2A35"):
        decoded("2A38", "00")
