from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.parse import parse, serialise
from passport.devices.sifting import NOT_OF_MODEL, UNDECODABLE, Believed, Doubted, Sieve

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
CUFF = Sieve("Patient/aoi", "Device/cuff", frozenset({"blood-pressure", "heart-rate"}), b"k" * 32, NOW)
TIME = "2026-10-01T07:00:00+09:00"
PRESSURE = {"type": "blood-pressure", "time": TIME, "systolic": 128, "diastolic": 82}


def believed(tree: dict[str, Any], sieve: Sieve = CUFF) -> Believed:
    found = sieve.sift(tree)
    assert isinstance(found, Believed), found
    return found


def doubted(tree: dict[str, Any], sieve: Sieve = CUFF) -> Doubted:
    found = sieve.sift(tree)
    assert isinstance(found, Doubted), found
    return found


def identity(tree: dict[str, Any], sieve: Sieve = CUFF) -> object:
    return believed(tree, sieve).observations[0][0]


def test_a_reading_becomes_an_observation_of_its_person_and_device() -> None:
    ((_, observation),) = believed(PRESSURE).observations
    assert observation["subject"] == {"reference": "Patient/aoi"}
    assert observation["device"] == {"reference": "Device/cuff"}
    assert observation["effectiveDateTime"] == TIME


def test_the_pulse_of_a_cuff_is_an_observation_of_its_own() -> None:
    pressure, pulse = believed({**PRESSURE, "pulse": 71}).observations
    assert [tree["code"]["coding"][0]["code"] for _, tree in (pressure, pulse)] == ["85354-9", "8867-4"]
    assert pressure[0] == identity(PRESSURE)


def test_a_bluetooth_payload_becomes_what_its_values_become() -> None:
    # 2A35: mmHg, systolic 128, diastolic 82, mean 97
    payload = {"gatt": "2A35", "hex": "00800052006100", "time": TIME}
    ((_, observation),) = believed(payload).observations
    values = [part["valueQuantity"]["value"] for part in observation["component"]]
    assert values[:2] == [128, 82]


@pytest.mark.parametrize(
    "again",
    [
        {**PRESSURE, "time": "2026-09-30T22:00:00Z"},
        {**PRESSURE, "time": "2026-10-01T07:00:00.000+09:00"},
        {**PRESSURE, "unit": "mmHg"},
        parse(b'{"type":"blood-pressure","time":"%s","systolic":128.0,"diastolic":82}' % TIME.encode()),
    ],
)
def test_a_reading_written_otherwise_is_known_again(again: dict[str, Any]) -> None:
    assert identity(again) == identity(PRESSURE)


@pytest.mark.parametrize("change", [{"systolic": 129}, {"time": "2026-10-01T07:00:01+09:00"}, {"mean": 97}])
def test_another_value_or_time_is_another_reading(change: dict[str, Any]) -> None:
    assert identity({**PRESSURE, **change}) != identity(PRESSURE)


def test_a_reading_of_another_device_or_person_is_another_reading() -> None:
    same = identity(PRESSURE)
    assert identity(PRESSURE, replace(CUFF, device="Device/scale")) != same
    assert identity(PRESSURE, replace(CUFF, secret=b"l" * 32)) != same


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"systolic": 400}, "systolic-out-of-range"),
        ({"diastolic": 10}, "diastolic-out-of-range"),
        ({"systolic": 80, "diastolic": 80}, "systolic-not-above-diastolic"),
        ({"pulse": 12}, "pulse-out-of-range"),
        ({"time": "2026-10-01T09:11:00Z"}, "time-in-future"),
        ({"time": "yesterday"}, UNDECODABLE),
        ({"time": None}, UNDECODABLE),
        ({"systolic": "128"}, UNDECODABLE),
        ({"systolic": True}, UNDECODABLE),
        ({"mood": "fine"}, UNDECODABLE),
        ({"type": "mood"}, UNDECODABLE),
        ({"unit": ["mmHg"]}, UNDECODABLE),
        ({"gatt": "2A35"}, UNDECODABLE),
    ],
)
def test_a_reading_that_cannot_be_believed_is_doubted_with_its_reason(
    change: dict[str, Any], reason: str
) -> None:
    found = doubted({**PRESSURE, **change})
    assert found.reason == reason
    assert parse(found.content) == {**PRESSURE, **change}


def test_a_reading_that_the_model_does_not_take_is_doubted() -> None:
    weight = {"type": "body-weight", "time": TIME, "value": 60}
    assert doubted(weight).reason == NOT_OF_MODEL
    assert isinstance(replace(CUFF, kinds=frozenset({"body-weight"})).sift(weight), Believed)


def test_a_bluetooth_payload_cut_short_is_doubted() -> None:
    assert doubted({"gatt": "2A35", "hex": "008000", "time": TIME}).reason == UNDECODABLE


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text("at0:-あ", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("at0:-あ", max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
members = ("type", "time", "unit", "systolic", "diastolic", "mean", "pulse", "value", "gatt", "hex")


@given(st.dictionaries(st.sampled_from(members), json), st.booleans())
def test_no_reading_is_so_strange_that_it_is_lost(tree: dict[str, Any], of_a_kind: bool) -> None:
    sent = {**PRESSURE, **tree} if of_a_kind else tree
    assert isinstance(CUFF.sift(sent), Believed | Doubted)


def test_the_same_doubted_reading_is_known_again() -> None:
    strange = parse(b'{"type":"blood-pressure","systolic":128.00}')
    assert doubted(strange).id == doubted(strange).id
    assert serialise(strange) == doubted(strange).content
