from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fhirmap.jsonformat import Json, dumps
from fhirmap.observation import to_observations
from fhirmap.provenance import provenance
from fhirmap.submitted import parse_reading
from fhirmap.vitals import VITAL_SIGNS
from fhirstore.validate.profiles import claimed, profile_problems

TIME = "2026-11-21T06:45:00+09:00"
Valid = Callable[[Iterable[Json]], None]


def observations(**members: object) -> list[Json]:
    reading = parse_reading({"time": TIME, **members})
    return to_observations(reading, patient="Patient/hanako", device="Device/cuff")


def codes(concept: Json) -> list[tuple[str, str]]:
    return [(each["system"], each["code"]) for each in concept["coding"]]


@pytest.mark.parametrize("kind", sorted(VITAL_SIGNS))
def test_every_vital_sign_becomes_a_valid_observation(kind: str, valid: Valid) -> None:
    (vital, *_) = VITAL_SIGNS[kind]
    values = {each.name: each.high if each.name != "diastolic" else each.low for each in vital.measurands}
    (observation,) = observations(type=kind, **values)
    valid([observation])
    assert profile_problems(observation, claimed(observation)) == []
    assert observation["status"] == "final"
    assert observation["subject"] == {"reference": "Patient/hanako"}
    assert observation["device"] == {"reference": "Device/cuff"}
    assert observation["effectiveDateTime"] == TIME
    assert codes(observation["code"])[0] == ("http://loinc.org", vital.codes[0].code)


def test_blood_pressure_conforms_to_the_r4_profile() -> None:
    (observation,) = observations(type="blood-pressure", systolic=128, diastolic=82)
    assert observation["meta"]["profile"] == ["http://hl7.org/fhir/StructureDefinition/bp"]
    assert observation["category"][0]["coding"][0]["code"] == "vital-signs"
    assert "valueQuantity" not in observation
    found = {codes(each["code"])[0][1]: each["valueQuantity"] for each in observation["component"]}
    quantity = {"unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    assert found == {
        "8480-6": {"value": Decimal(128), **quantity},
        "8462-4": {"value": Decimal(82), **quantity},
    }


def test_blood_pressure_with_pulse_becomes_two_observations(valid: Valid) -> None:
    reading = parse_reading(
        {"type": "blood-pressure", "time": TIME, "systolic": 128, "diastolic": 82, "pulse": 64}
    )
    both = to_observations(reading, patient="Patient/hanako", device="Device/cuff", identifier="cuff/7/0")
    valid(both)
    assert [codes(each["code"])[0][1] for each in both] == ["85354-9", "8867-4"]
    assert [each["identifier"][0]["value"] for each in both] == ["cuff/7/0", "cuff/7/0/heart-rate"]
    assert both[1]["valueQuantity"]["value"] == Decimal(64)


def test_oxygen_saturation_carries_both_loinc_codes() -> None:
    (observation,) = observations(type="oxygen-saturation", value=97)
    assert [code for system, code in codes(observation["code"]) if "loinc" in system] == ["59408-5", "2708-6"]


def test_trailing_zeros_reach_the_json_text() -> None:
    (observation,) = observations(type="body-weight", value=Decimal("72.50"))
    assert b'"value":72.50,' in dumps(observation)


def test_a_converted_value_carries_what_was_sent(valid: Valid) -> None:
    (observation,) = observations(type="body-temperature", value=Decimal("98.6"), unit="degF")
    valid([observation])
    quantity = observation["valueQuantity"]
    assert (str(quantity["value"]), quantity["code"]) == ("37.00", "Cel")
    (sent,) = quantity["extension"]
    assert (str(sent["valueQuantity"]["value"]), sent["valueQuantity"]["code"]) == ("98.6", "[degF]")


def test_a_special_value_becomes_a_data_absent_reason_per_component(valid: Valid) -> None:
    (observation,) = observations(gatt="2A35", hex="00ff07fe070208")
    valid([observation])
    reasons = [each["dataAbsentReason"]["coding"][0]["code"] for each in observation["component"]]
    assert reasons == ["not-a-number", "positive-infinity", "negative-infinity"]


def test_an_irregular_pulse_stands_in_a_component_of_its_own(valid: Valid) -> None:
    (observation,) = observations(gatt="2A35", hex="108000520061000400")
    valid([observation])
    status = observation["component"][-1]
    assert status["code"]["coding"][0]["code"] == "irregular-pulse"
    assert status["valueBoolean"] is True


def test_performer_and_instant_of_receipt_are_told_where_known(valid: Valid) -> None:
    reading = parse_reading({"type": "heart-rate", "time": TIME, "value": 72})
    received = "2026-11-21T06:45:03.000+09:00"
    (observation,) = to_observations(
        reading, patient="Patient/hanako", device="Device/cuff", performer="Patient/hanako", issued=received
    )
    valid([observation])
    assert observation["performer"] == [{"reference": "Patient/hanako"}]
    assert observation["issued"] == received


def test_provenance_names_device_patient_and_who_handed_in(valid: Valid) -> None:
    record = provenance(
        ["Observation/1", "Observation/2"],
        author="Device/cuff",
        patient="Patient/hanako",
        recorded=datetime(2026, 11, 21, tzinfo=UTC),
        enterer="Device/gateway",
    )
    valid([record])
    assert [each["reference"] for each in record["target"]] == ["Observation/1", "Observation/2"]
    author, enterer = record["agent"]
    assert author["who"] == {"reference": "Device/cuff"}
    assert author["onBehalfOf"] == {"reference": "Patient/hanako"}
    assert enterer["who"] == {"reference": "Device/gateway"}
    assert record["recorded"] == "2026-11-21T00:00:00.000+00:00"
