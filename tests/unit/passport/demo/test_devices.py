"""What a simulated device sends is what the service takes from a real one."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from fhirmap.jsonformat import loads
from fhirmap.submitted import parse_reading
from fhirmap.vitals import VITAL_SIGNS
from passport.demo.devices import MODELS, Model, SimulatedDevice, key_of, message, models_of, new_key
from passport.demo.readings import readings
from passport.demo.residents import RESIDENTS
from passport.devices import jws
from passport.devices.jwk import device_key

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize("model", MODELS, ids=[model.name for model in MODELS])
def test_the_service_verifies_what_a_device_signs(model: Model) -> None:
    device = SimulatedDevice.made(model, "1")
    (first, *_) = device.batches(readings(RESIDENTS[6], "cuff", NOW, 14))
    public = device_key(device.public_jwk)
    assert jws.verified(jws.read(first), public, device.kid)
    another = SimulatedDevice.made(model, "2")
    assert not jws.verified(jws.read(first), device_key(another.public_jwk), device.kid)


def test_a_device_signs_under_the_name_that_its_enrolment_gave_its_key() -> None:
    (model,) = models_of("scale")
    device = SimulatedDevice.made(model, "1")
    device.kid = "given"
    assert (device.public_jwk["kid"], device.private_jwk["kid"]) == ("given", "given")
    again = SimulatedDevice.known(model.name, device.private_jwk, 1)
    for each in (device, again):
        (first, *_) = each.batches(readings(RESIDENTS[0], "scale", NOW, 14))
        assert jws.read(first).kid == "given"


def test_a_forger_signs_under_the_device_key_name_and_fails() -> None:
    genuine, other = new_key("P-256"), new_key("P-256")
    forged = message(other, genuine.thumbprint(), 1, [])
    public = {
        name: value
        for name, value in genuine.as_dict(private=False).items()
        if name in {"kty", "crv", "x", "y"}
    }
    assert not jws.verified(jws.read(forged), device_key(public), genuine.thumbprint())


def test_counters_rise_by_one_and_go_on_after_a_restart() -> None:
    (model,) = models_of("scale")
    device = SimulatedDevice.made(model, "1")
    taken = readings(RESIDENTS[0], "scale", NOW, 90) * 3
    counters = [loads(jws.read(each).payload)["counter"] for each in device.batches(taken)]
    assert counters == list(range(1, len(counters) + 1))
    again = SimulatedDevice.known(model.name, device.private_jwk, device.next_counter)
    (following,) = again.batches(taken[:1])
    assert loads(jws.read(following).payload)["counter"] == len(counters) + 1
    assert jws.verified(jws.read(following), device_key(device.public_jwk), device.kid)


def test_bluetooth_says_what_was_measured() -> None:
    cuff = SimulatedDevice.made(next(model for model in models_of("cuff") if model.bluetooth), "1")
    taken = {"type": "blood-pressure", "time": NOW.isoformat(), "systolic": 128, "diastolic": 82, "pulse": 64}
    (sent,) = cuff.batches([taken])
    decoded = parse_reading(loads(jws.read(sent).payload)["readings"][0])
    assert [measured.value for measured in decoded.values] == [Decimal(128), Decimal(82), Decimal(97)]
    assert decoded.companions[0].values[0].value == Decimal(64)


def test_a_bluetooth_scale_keeps_the_hundred_grams() -> None:
    scale = SimulatedDevice.made(models_of("scale")[0], "1")
    (sent,) = scale.batches([{"type": "body-weight", "time": NOW.isoformat(), "value": 62.5}])
    decoded = parse_reading(loads(jws.read(sent).payload)["readings"][0])
    assert decoded.values[0].value == Decimal("62.500")


def test_a_private_key_comes_back_from_a_persona_file() -> None:
    for curve in ("P-256", "Ed25519"):
        key = new_key(curve)
        assert key_of(key.as_dict(private=True)).thumbprint() == key.thumbprint()


def test_every_model_takes_readings_that_exist() -> None:
    assert {kind for model in MODELS for kind in model.readings} <= set(VITAL_SIGNS)
