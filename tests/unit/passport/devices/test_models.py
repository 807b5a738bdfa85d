from typing import Any

import pytest

from passport.devices.models import DeviceModel, collected, device_model
from passport.outcomes import Invalid

CUFF = {"manufacturer": "Hoshizora", "display": "Hoshizora arm cuff", "readings": ["blood-pressure"]}


def test_a_model_is_active_unless_it_says_otherwise() -> None:
    assert device_model("cuff-1", CUFF) == DeviceModel(
        "cuff-1", "Hoshizora", "Hoshizora arm cuff", frozenset({"blood-pressure"}), active=True
    )
    assert not device_model("cuff-1", {**CUFF, "active": False}).active


def test_a_model_answers_what_was_put() -> None:
    assert device_model("cuff-1", CUFF).as_json() == {"model": "cuff-1", **CUFF, "active": True}


def test_a_cuff_and_an_oximeter_deliver_the_pulse_that_they_count() -> None:
    assert collected(frozenset({"blood-pressure"})) == {"blood-pressure", "heart-rate"}
    assert collected(frozenset({"oxygen-saturation"})) == {"oxygen-saturation", "heart-rate"}
    assert collected(frozenset({"body-weight"})) == {"body-weight"}


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 65, "体重計"])
def test_an_unfit_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        device_model(name, CUFF)


@pytest.mark.parametrize(
    "change",
    [
        {"manufacturer": ""},
        {"manufacturer": None},
        {"display": " "},
        {"display": "x" * 129},
        {"readings": []},
        {"readings": ["mood"]},
        {"readings": "blood-pressure"},
        {"readings": [["blood-pressure"]]},
        {"active": "yes"},
        {"firmware": "1"},
    ],
)
def test_a_model_that_is_not_described_as_it_should_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        device_model("cuff-1", {**CUFF, **change})
