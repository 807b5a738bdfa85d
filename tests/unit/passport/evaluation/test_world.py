"""Reading a world: what it has to have, and that a consent that cannot be enforced is refused by itself."""

from typing import Any

import pytest

from consent.model import Action, Purpose
from passport.evaluation.errors import UnreadableWorld
from passport.evaluation.world import World, read_world, world_of
from tests.unit.consent.words import DR_A, ORG_H, TOKYO, deny, permit, provision
from tests.unit.passport.evaluation.tried import ASKED, consent, resource, world


def read(**parts: Any) -> World:
    return world_of({**world(records=[]), **parts}, TOKYO)


def test_everything_that_can_be_said_is_read() -> None:
    found = world_of(world(consent(permit(ORG_H), "mine"), records=[resource("Observation")]), TOKYO)
    assert [each.reference for each in found.consents] == ["Consent/mine"]
    assert found.refused == ()
    assert list(found.directory) == ["PractitionerRole/a-at-h", "Organization/h"]
    assert list(found.records) == ["Observation/1"]
    assert (found.asked.starts, found.asked.purpose, found.asked.action) == (
        ("PractitionerRole/a-at-h",),
        Purpose.TREAT,
        Action.ACCESS,
    )
    assert found.asked.at.isoformat() == "2026-01-01T00:00:00+00:00"


def test_what_is_left_out_is_empty() -> None:
    found = world_of({"request": ASKED}, TOKYO)
    assert (found.consents, found.directory, found.records) == ((), {}, {})


def test_a_consent_that_cannot_be_enforced_is_refused_with_every_reason_and_the_others_stay() -> None:
    bad = consent(deny(but=[provision("permit", types=["Observation"])]), "bad")
    found = read(consents=[bad, consent(permit(DR_A), "good")])
    assert [each.reference for each in found.consents] == ["Consent/good"]
    (refusal,) = found.refused
    assert refusal.consent == "bad"
    assert "without actor" in refusal.issue
    assert "without purpose" in refusal.issue
    assert "Consent.provision.provision[0]" in refusal.issue


def test_a_consent_without_id_is_named_by_its_place() -> None:
    (refusal,) = read(consents=[{"resourceType": "Consent"}]).refused
    assert refusal.consent == "consents[0]"


def test_what_is_no_consent_is_refused_as_one() -> None:
    (refusal,) = read(consents=[{**consent(permit(DR_A)), "resourceType": "Contract"}]).refused
    assert "Consent" in refusal.issue


def test_records_without_type_or_id_are_named_by_their_place() -> None:
    found = read(records=[{}, {"resourceType": "Observation"}, {"resourceType": 5, "id": "x"}])
    assert list(found.records) == ["records[0]", "records[1]", "records[2]"]


def test_a_purpose_or_action_that_there_is_not_is_kept_as_none() -> None:
    assert read(request={**ASKED, "purpose": "MARKETING"}).asked.purpose is None
    assert read(request={**ASKED, "action": "disclose"}).asked.action is None


@pytest.mark.parametrize(
    "parts",
    [
        {"consents": {}},
        {"consents": ["Consent/1"]},
        {"directory": None},
        {"records": [None]},
        {"records": [resource("Observation"), resource("Observation")]},
        {"records": [resource("Observation", "1"), resource("Observation", "1/_history/2")]},
        {"request": None},
        {"request": []},
        {"request": {**ASKED, "actors": []}},
        {"request": {**ASKED, "actors": "Practitioner/a"}},
        {"request": {**ASKED, "actors": [5]}},
        {"request": {**ASKED, "client": 5}},
        {"request": {**ASKED, "purpose": None}},
        {"request": {**ASKED, "action": ["access"]}},
        {"request": {**ASKED, "time": "2026-01-01"}},
        {"request": {**ASKED, "time": "2026-01-01T00:00:00"}},
        {"request": {**ASKED, "time": 5}},
        {"request": {name: value for name, value in ASKED.items() if name != "time"}},
    ],
)
def test_a_world_of_another_form_is_told_what_is_expected(parts: dict[str, Any]) -> None:
    with pytest.raises(UnreadableWorld, match=r"^got .*expected"):
        read(**parts)


@pytest.mark.parametrize(
    "line", [b"", b"nonsense", b"[]", b"{", b'{"a": 1, "a": 2}', b"\xff", b"{" * 10_000, b'{"a": "\\u0000"}']
)
def test_a_line_that_is_no_world_is_told_so(line: bytes) -> None:
    with pytest.raises(UnreadableWorld):
        read_world(line, TOKYO)
