"""Laws of decoding: precision, length and offset survive, and nothing but a refusal is ever raised."""

from datetime import UTC, datetime
from decimal import Decimal

from fhir.resources.R4B.observation import Observation
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.errors import MalformedJson, MalformedReading
from fhirmap.gatt import CHARACTERISTICS, decode
from fhirmap.jsonformat import dumps, loads
from fhirmap.medfloat import float32, sfloat
from fhirmap.observation import to_observations
from fhirmap.plausibility import implausible
from fhirmap.reading import Absent
from fhirmap.submitted import parse_reading
from fhirmap.units import CELSIUS, FAHRENHEIT, convert, decimals_of
from fhirmap.vitals import VITAL_SIGNS

NOW = datetime(2026, 11, 21, tzinfo=UTC)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.integers(-8, 7), st.integers(-2048, 2047))
def test_sfloat_is_mantissa_times_ten_to_the_exponent_with_its_precision(
    exponent: int, mantissa: int
) -> None:
    raw = (exponent & 0xF) << 12 | (mantissa & 0xFFF)
    value = sfloat(raw.to_bytes(2, "little"))
    if exponent == 0 and mantissa in (2047, 2046, -2048, -2047, -2046):
        assert isinstance(value, Absent)
    else:
        assert not isinstance(value, Absent)
        assert value == Decimal(mantissa).scaleb(exponent)
        assert decimals_of(value) == max(0, -exponent)


@given(st.integers(-128, 127), st.integers(-(2**23) + 3, 2**23 - 3))
def test_float_is_mantissa_times_ten_to_the_exponent(exponent: int, mantissa: int) -> None:
    raw = (exponent & 0xFF) << 24 | (mantissa & 0xFFFFFF)
    assert float32(raw.to_bytes(4, "little")) == Decimal(mantissa).scaleb(exponent)


@given(st.sampled_from(sorted(CHARACTERISTICS)), st.binary(max_size=24))
def test_any_payload_is_decoded_to_valid_observations_or_refused(uuid: str, payload: bytes) -> None:
    try:
        reading = decode(uuid, payload, None).reading
    except MalformedReading:
        return
    implausible(reading, NOW)
    for observation in to_observations(reading, patient="Patient/1", device="Device/1"):
        Observation.model_validate_json(dumps(observation))


@given(
    st.dictionaries(
        st.sampled_from(
            ["type", "time", "value", "systolic", "diastolic", "pulse", "unit", "gatt", "hex", "x"]
        ),
        st.sampled_from([*VITAL_SIGNS, "2026-11-21T06:45:00Z", "2A35", "0048", 72, Decimal("72.50")])
        | json_values,
    )
)
def test_any_members_are_read_or_refused(members: dict[str, object]) -> None:
    try:
        reading = parse_reading(members)
    except MalformedReading:
        return
    implausible(reading, NOW)
    for observation in to_observations(reading, patient="Patient/1", device="Device/1"):
        Observation.model_validate_json(dumps(observation))


@given(st.decimals("0.5", "300", places=2))
def test_a_weight_is_stored_digit_by_digit_as_sent(weight: Decimal) -> None:
    sent = f'{{"type":"body-weight","time":"2026-11-21T06:45:00+09:00","value":{weight}}}'.encode()
    (observation,) = to_observations(parse_reading(loads(sent)), patient="Patient/1", device="Device/1")
    assert f'"value":{weight},'.encode() in dumps(observation)


@given(st.decimals("86", "110", places=1))
def test_fahrenheit_is_exact_to_the_hundredth_of_a_degree(value: Decimal) -> None:
    celsius = convert(value, FAHRENHEIT)
    assert abs(celsius * 9 / 5 + 32 - value) <= Decimal("0.009")
    assert convert(celsius, CELSIUS) == celsius


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    try:
        loads(data)
    except MalformedJson:
        return
