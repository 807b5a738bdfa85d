"""What stands in an element beside its value describes it, and makes no other consent of it."""

from typing import Any

from consent.model import Consent
from consent.systems import ACT_CODE
from tests.unit.consent.words import (
    C09,
    DR_A,
    VITAL_SIGNS,
    Json,
    coding,
    consent_json,
    deny,
    permit,
    read,
)

EVERYTHING = permit(
    DR_A,
    actions=["access"],
    types=["Observation"],
    classes=[VITAL_SIGNS],
    codes=[C09],
    labels=["N"],
    period={"start": "2026", "end": "2027"},
    data_period={"start": "2025"},
    data=[("instance", "Observation/1")],
    but=[deny(labels=[(ACT_CODE, "HIV")])],
)


def described(element: Any) -> Any:
    """The element with an id, a text or a display wherever FHIR has a place for one."""
    if isinstance(element, list):
        return [described(one) for one in element]
    if not isinstance(element, dict):
        return element
    more: Json = {"id": "x"}
    if "code" in element and "system" in element:
        more |= {"display": "what it means", "userSelected": True}
    if "coding" in element:
        more |= {"text": "as it was said"}
    if isinstance(found := element.get("reference"), str):
        more |= {"display": "who it is", "type": found.partition("/")[0]}
    return {**{name: described(value) for name, value in element.items()}, **more}


def test_ids_texts_and_displays_change_nothing() -> None:
    plain = read(consent_json(EVERYTHING))
    assert isinstance(plain, Consent)
    assert read(consent_json(described(EVERYTHING))) == plain


def test_a_code_is_text() -> None:
    for wrong in (
        {"system": 7, "code": "x"},
        {"system": "urn:x", "code": 7},
        {"system": "urn:x", "code": ""},
        {"system": "", "code": "x"},
    ):
        found = read(consent_json({**EVERYTHING, "class": [coding("urn:x", "y"), wrong]}))
        assert isinstance(found, list)
        assert [issue.expression for issue in found] == ["Consent.provision.class[1]"]
