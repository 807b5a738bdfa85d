import pytest

from fhirmap.medfloat import float32, sfloat
from fhirmap.reading import Absent


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        (0x0002, "2"),
        (0xF014, "2.0"),
        (0xE0C8, "2.00"),
        (0x1002, "20"),
        (0x2002, "200"),
        (0x00C8, "200"),
        (0x04D2, "1234"),
        (0x0B2E, "-1234"),
        (0x8001, "0.00000001"),
        (0x0000, "0"),
        (0xF000, "0.0"),
    ],
)
def test_the_exponent_carries_the_precision(raw: int, written: str) -> None:
    value = sfloat(raw.to_bytes(2, "little"))
    assert not isinstance(value, Absent)
    assert format(value, "f") == written


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (0x07FF, "not-a-number"),
        (0x07FE, "positive-infinity"),
        (0x0802, "negative-infinity"),
        (0x0800, "error"),
        (0x0801, "error"),
    ],
)
def test_special_sfloats_are_absent_with_the_reason_of_the_phd_guide(raw: int, reason: str) -> None:
    assert sfloat(raw.to_bytes(2, "little")) is Absent(reason)


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        (0xFF00016D, "36.5"),
        (0x00000002, "2"),
        (0xFE0000C8, "2.00"),
        (0x00FFFB2E, "-1234"),
        (0x02000002, "200"),
    ],
)
def test_float_is_read_with_its_precision(raw: int, written: str) -> None:
    value = float32(raw.to_bytes(4, "little"))
    assert not isinstance(value, Absent)
    assert format(value, "f") == written


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (0x007FFFFF, "not-a-number"),
        (0x007FFFFE, "positive-infinity"),
        (0x00800002, "negative-infinity"),
        (0x00800000, "error"),
        (0x00800001, "error"),
    ],
)
def test_special_floats_are_absent(raw: int, reason: str) -> None:
    assert float32(raw.to_bytes(4, "little")) is Absent(reason)
