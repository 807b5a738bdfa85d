from decimal import Decimal

import pytest

from fhirmap.errors import MalformedPayload, MalformedReading
from fhirmap.formats import map_gatt
from fhirmap.jsonformat import dumps, loads
from fhirmap.submitted import parse_reading

TIME = "2026-11-21T06:45:00+09:00"


def test_blood_pressure_has_systolic_and_diastolic_in_the_order_of_the_table() -> None:
    reading = parse_reading({"type": "blood-pressure", "time": TIME, "systolic": 128, "diastolic": 82})
    assert [(each.measurand.name, each.value) for each in reading.values] == [
        ("systolic", Decimal(128)),
        ("diastolic", Decimal(82)),
    ]
    assert reading.time is not None
    assert reading.time.text == TIME


def test_pulse_of_a_blood_pressure_is_a_companion_heart_rate() -> None:
    sent = {"type": "blood-pressure", "time": TIME, "systolic": 128, "diastolic": 82, "pulse": 64}
    (companion,) = parse_reading(sent).companions
    assert companion.vital.type == "heart-rate"
    assert companion.values[0].value == Decimal(64)


def test_decimals_are_kept_as_written() -> None:
    sent = loads(b'{"type":"body-weight","time":"2026-11-21T06:45:00Z","value":72.50}')
    assert str(parse_reading(sent).values[0].value) == "72.50"


def test_gatt_payload_is_read_where_the_member_gatt_stands() -> None:
    reading = parse_reading({"gatt": "2A37", "hex": "0048", "time": TIME})
    assert reading.vital.type == "heart-rate"
    assert reading.values[0].value == Decimal(72)


def test_molar_glucose_gets_its_own_loinc_code() -> None:
    reading = parse_reading({"type": "glucose", "time": TIME, "value": Decimal("5.5"), "unit": "mmol/L"})
    assert reading.vital.codes[0].code == "15074-8"
    assert reading.vital.units[0].code == "mmol/L"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"type": "blood-pressure"},
        {"type": "mood", "time": TIME, "value": 3},
        {"type": ["heart-rate"], "time": TIME, "value": 72},
        {"type": "heart-rate", "time": TIME},
        {"type": "heart-rate", "value": 72},
        {"type": "heart-rate", "time": TIME, "value": "72"},
        {"type": "heart-rate", "time": TIME, "value": True},
        {"type": "heart-rate", "time": TIME, "value": None},
        {"type": "heart-rate", "time": TIME, "value": 72.5},
        {"type": "heart-rate", "time": TIME, "value": Decimal("NaN")},
        {"type": "heart-rate", "time": TIME, "value": Decimal("1E+999999")},
        {"type": "heart-rate", "time": TIME, "value": 10**400},
        {"type": "heart-rate", "time": TIME, "value": 72, "unit": "mm[Hg]"},
        {"type": "heart-rate", "time": TIME, "value": 72, "unit": ["/min"]},
        {"type": "heart-rate", "time": TIME, "value": 72, "pulse": 72},
        {"type": "blood-pressure", "time": TIME, "systolic": 128},
        {"type": "blood-pressure", "time": TIME, "systolic": 128, "diastolic": 82, "unit": "psi"},
        {"gatt": "2A35", "time": TIME},
        {"gatt": 10805, "hex": "00", "time": TIME},
        {"gatt": "2A37", "hex": "0048"},
        {"gatt": "2A37", "hex": "zz", "time": TIME},
        {"gatt": "2A37", "hex": "0048", "time": TIME, "value": 72},
        {"gatt": "FFFF", "hex": "0048", "time": TIME},
    ],
)
def test_a_malformed_reading_is_refused(sent: dict[str, object]) -> None:
    with pytest.raises(MalformedReading):
        parse_reading(sent)


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-21T06:45:00",
        "2026-11-21",
        "2026-11-21 06:45:00+09:00",
        "2026-02-30T06:45:00+09:00",
        "2026-11-21T06:45:60Z",
        "2026-11-21T06:45:00+15:00",
        "２０２６-11-21T06:45:00Z",
        1732139100,
        None,
    ],
)
def test_a_time_without_offset_or_of_another_form_is_refused(time: object) -> None:
    with pytest.raises(MalformedReading):
        parse_reading({"type": "heart-rate", "time": time, "value": 72})


def test_offset_and_fraction_of_the_time_are_kept_as_sent() -> None:
    written = "2026-11-21T06:45:00.120-03:30"
    reading = parse_reading({"type": "heart-rate", "time": written, "value": 72})
    assert reading.time is not None
    assert reading.time.text == written


def test_a_refusal_names_no_value() -> None:
    with pytest.raises(MalformedReading) as refusal:
        parse_reading({"type": "heart-rate", "time": TIME, "value": "見本 花子 199"})
    assert "199" not in str(refusal.value)
    assert "花子" not in str(refusal.value)


def test_a_short_payload_says_how_many_bytes_came_and_how_many_were_expected() -> None:
    with pytest.raises(MalformedPayload, match="2A35: got 5 bytes, expected 7"):
        parse_reading({"gatt": "2A35", "hex": "0080005200", "time": TIME})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"systolic": "128"}, "got a text in `systolic`, expected a number"),
        ({"systolic": None}, "got nothing in `systolic`, expected a number"),
        ({"systolic": True}, "got true or false in `systolic`, expected a number"),
        ({"systolic": [128]}, "got a list in `systolic`, expected a number"),
        ({"systolic": {}}, "got an object in `systolic`, expected a number"),
        ({"time": None}, "got no `time`, expected RFC 3339 with an offset"),
        ({"time": 1}, "got `time` in another form, expected RFC 3339 with an offset"),
    ],
)
def test_what_was_sent_is_said_in_words_of_json(changes: dict[str, object], said: str) -> None:
    sent = {"type": "blood-pressure", "time": TIME, "systolic": 128, "diastolic": 82}
    with pytest.raises(MalformedReading) as refused:
        parse_reading({**sent, **changes})
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"gatt": "2A37", "hexx": "0048"}, "got nothing in `hex`, expected a text"),
        ({"gatt": 37, "hex": "0048"}, "got a number in `gatt`, expected a text"),
    ],
)
def test_the_member_that_is_no_text_is_named_alone(members: dict[str, object], said: str) -> None:
    with pytest.raises(MalformedReading) as refused:
        parse_reading({**members, "time": TIME})
    assert str(refused.value) == said
    with pytest.raises(MalformedReading) as unmapped:
        map_gatt(dumps(members))
    assert str(unmapped.value) == said
