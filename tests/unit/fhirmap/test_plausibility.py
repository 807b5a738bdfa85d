from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fhirmap.plausibility import implausible
from fhirmap.submitted import parse_reading

NOW = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
TIME = "2026-11-21T06:45:00+09:00"


def reason(**members: object) -> str | None:
    found = implausible(parse_reading({"time": TIME, **members}), NOW)
    return found.code if found else None


@pytest.mark.parametrize(
    ("kind", "low", "high", "step"),
    [
        ("heart-rate", "25", "250", "1"),
        ("oxygen-saturation", "50", "100", "1"),
        ("body-temperature", "30", "43", "0.1"),
        ("body-weight", "0.5", "300", "0.1"),
        ("respiratory-rate", "4", "60", "1"),
        ("glucose", "20", "600", "1"),
        ("steps", "0", "200000", "1"),
    ],
)
def test_the_bounds_are_believed_and_what_lies_beyond_is_not(
    kind: str, low: str, high: str, step: str
) -> None:
    assert reason(type=kind, value=Decimal(low)) is None
    assert reason(type=kind, value=Decimal(high)) is None
    assert reason(type=kind, value=Decimal(low) - Decimal(step)) == "value-out-of-range"
    assert reason(type=kind, value=Decimal(high) + Decimal(step)) == "value-out-of-range"


@pytest.mark.parametrize(
    ("systolic", "diastolic", "expected"),
    [
        (128, 82, None),
        (279, 200, None),
        (60, 40, None),
        (280, 82, "systolic-out-of-range"),
        (59, 40, "systolic-out-of-range"),
        (128, 39, "diastolic-out-of-range"),
        (90, 90, "systolic-not-above-diastolic"),
        (82, 128, "systolic-not-above-diastolic"),
    ],
)
def test_blood_pressure_is_believed_within_its_ranges_and_in_order(
    systolic: int, diastolic: int, expected: str | None
) -> None:
    assert reason(type="blood-pressure", systolic=systolic, diastolic=diastolic) == expected


def test_the_pulse_of_a_blood_pressure_is_judged_too() -> None:
    assert reason(type="blood-pressure", systolic=128, diastolic=82, pulse=300) == "pulse-out-of-range"


def test_a_value_in_another_unit_is_judged_after_conversion() -> None:
    assert reason(type="body-temperature", value=Decimal("98.6"), unit="degF") is None
    assert reason(type="body-temperature", value=Decimal("98.6")) == "value-out-of-range"
    assert reason(type="glucose", value=Decimal("5.5"), unit="mmol/L") is None


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-21T00:10:00Z", None),
        ("2026-11-21T09:10:00+09:00", None),
        ("2026-11-21T00:10:01Z", "time-in-future"),
        ("1900-01-01T00:00:00Z", None),
        ("1899-12-31T23:59:59Z", "time-in-past"),
    ],
)
def test_a_time_more_than_ten_minutes_ahead_or_before_1900_is_not_believed(
    time: str, expected: str | None
) -> None:
    assert reason(type="heart-rate", value=72, time=time) == expected


def test_a_value_that_the_device_marked_absent_is_no_reason() -> None:
    assert reason(gatt="2A35", hex="00ff07ff07ff07") is None


def test_the_reason_is_told_in_two_languages_without_the_value() -> None:
    found = implausible(parse_reading({"type": "heart-rate", "time": TIME, "value": 777}), NOW)
    assert found is not None
    assert "心拍数" in found.japanese
    assert "777" not in found.english + found.japanese
