from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from consent.model import Action, Coding, Consent, Purpose, Record, Request
from consent.read import read_consent
from consent.reference import decide
from fhirmap.vitals import LOINC
from passport.devices.approval import consent

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
PATIENT, DEVICE = "Patient/aoi", "Device/cuff"
ASKED = Request(actors=frozenset({DEVICE}), purpose=Purpose.PATRQT, action=Action.COLLECT, at=NOW)
PRESSURE = Record(
    type="Observation",
    reference="Observation/1",
    patients=frozenset({PATIENT}),
    codes=frozenset({Coding(LOINC, "85354-9"), Coding(LOINC, "8480-6")}),
)
WEIGHT = replace(PRESSURE, codes=frozenset({Coding(LOINC, "29463-7")}))


@pytest.fixture(scope="module")
def approval() -> Consent:
    found = read_consent(
        consent(PATIENT, DEVICE, {"blood-pressure"}, NOW),
        reference="Consent/1",
        version=1,
        zone=ZoneInfo("Asia/Tokyo"),
    )
    assert isinstance(found, Consent), found
    return found


def test_an_approval_lets_the_device_store_the_readings_of_its_model(approval: Consent) -> None:
    assert decide([approval], PRESSURE, ASKED)


def test_an_approval_covers_no_other_reading(approval: Consent) -> None:
    assert not decide([approval], WEIGHT, ASKED)
    assert not decide([approval], replace(PRESSURE, codes=frozenset()), ASKED)


def test_an_approval_covers_the_provenance_of_the_readings_alone(approval: Consent) -> None:
    origin = Record(
        type="Provenance", reference="Provenance/1", patients=frozenset({PATIENT}), follows=(PRESSURE,)
    )
    assert decide([approval], origin, ASKED)
    assert not decide([approval], replace(origin, follows=(PRESSURE, WEIGHT)), ASKED)


@pytest.mark.parametrize("kind", ["MedicationRequest", "Consent", "Patient", "Device"])
def test_an_approval_covers_no_other_type(approval: Consent, kind: str) -> None:
    assert not decide([approval], replace(PRESSURE, type=kind), ASKED)


def test_an_approval_lets_the_device_read_nothing_and_correct_nothing(approval: Consent) -> None:
    for action in (Action.ACCESS, Action.CORRECT):
        assert not decide([approval], PRESSURE, replace(ASKED, action=action))


def test_an_approval_is_for_this_device_this_purpose_and_this_person(approval: Consent) -> None:
    assert not decide([approval], PRESSURE, replace(ASKED, actors=frozenset({"Device/other"})))
    assert not decide([approval], PRESSURE, replace(ASKED, purpose=Purpose.TREAT))
    assert not decide([approval], replace(PRESSURE, patients=frozenset({"Patient/sora"})), ASKED)
