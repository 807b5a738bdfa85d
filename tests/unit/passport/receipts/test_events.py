"""What became of a consent is told by its versions alone.

https://w3id.org/dpv#ConsentStatus
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passport.outcomes import NotFound
from passport.receipts.content import DPV, listed, receipt
from passport.receipts.events import RECEIVED, State, Version, events
from passport.settings import Settings
from tests.unit.consent.words import consent_json, permit

BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS: Final = Settings(state=Path("x"), key_file=Path("x"), base_url="https://passport.example")
DELETED: Final = "deleted"
STATUSES: Final = ("draft", "proposed", "active", "rejected", "inactive", "entered-in-error", DELETED)


def versions(*statuses: str) -> list[Version]:
    root = permit("Organization/h")
    return [
        Version(
            number,
            BEGINNING + timedelta(days=number),
            None if status == DELETED else consent_json(root, status=status),
        )
        for number, status in enumerate(statuses, start=1)
    ]


@pytest.mark.parametrize(
    ("statuses", "states"),
    [
        (["active"], [State.GIVEN]),
        (["proposed", "active"], [State.REQUESTED, State.GIVEN]),
        (["proposed", "rejected"], [State.REQUESTED, State.REFUSED]),
        (["active", "active"], [State.GIVEN, State.RENEWED]),
        (["active", "inactive"], [State.GIVEN, State.WITHDRAWN]),
        (["active", "inactive", "inactive"], [State.GIVEN, State.WITHDRAWN]),
        (["active", "inactive", "active"], [State.GIVEN, State.WITHDRAWN, State.GIVEN]),
        (["active", "entered-in-error"], [State.GIVEN, State.INVALIDATED]),
        (["active", DELETED], [State.GIVEN, State.WITHDRAWN]),
        (["active", "proposed"], [State.GIVEN, State.WITHDRAWN]),
        (["draft", "inactive", DELETED], []),
    ],
)
def test_versions_tell_what_happened(statuses: list[str], states: list[State]) -> None:
    assert [event.state for event in events(versions(*statuses))] == states


@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=7))
def test_there_is_a_receipt_of_each_version_that_changed_what_is_granted_and_of_no_other(
    statuses: list[str],
) -> None:
    told = versions(*statuses)
    known = {one["version"]: one for one in listed(told, "Consent/c", SETTINGS)}
    for upto in range(1, len(told) + 1):
        before, now = upto > 1 and statuses[upto - 2] == "active", statuses[upto - 1] == "active"
        assert (upto in known) == (before or now)
        if upto not in known:
            with pytest.raises(NotFound):
                receipt(told[:upto], "Consent/c", SETTINGS)
            continue
        content = receipt(told[:upto], "Consent/c", SETTINGS)
        assert content["receipt_id"] == known[upto]["receipt"]
        assert content["events"][-1]["event_state"] == known[upto]["event_state"]
        assert ("withdrawal" in content) == (not now)
        # What comes later changes no receipt that was handed out before.
        assert content == receipt(versions(*statuses)[:upto], "Consent/c", SETTINGS)


def test_a_policy_has_no_receipt() -> None:
    policy = Version(1, BEGINNING, consent_json(permit("Organization/h"), None))
    with pytest.raises(NotFound):
        receipt([policy], "Consent/c", SETTINGS)


def test_nothing_has_no_receipt() -> None:
    with pytest.raises(NotFound):
        receipt([], "Consent/c", SETTINGS)


def test_who_agreed_stands_with_the_event() -> None:
    tree = consent_json(permit("Organization/h"), performer=[{"reference": "Practitioner/p"}])
    content = receipt([Version(1, BEGINNING, tree, by="RelatedPerson/r")], "Consent/c", SETTINGS)
    assert content["events"][0]["entity_id"] == "https://passport.example/fhir/RelatedPerson/r"


def test_of_whom_the_log_tells_nothing_the_consent_itself_is_not_believed() -> None:
    tree = consent_json(permit("Organization/h"), performer=[{"reference": "Practitioner/p"}])
    content = receipt([Version(1, BEGINNING, tree)], "Consent/c", SETTINGS)
    assert content["events"][0]["entity_id"] == "https://passport.example"


def test_a_text_that_nobody_is_known_to_have_been_shown_is_no_notice() -> None:
    shown: dict[str, Any] = {
        "policy": [{"uri": "https://evil.example"}],
        "sourceAttachment": {"language": "en"},
    }
    tree = consent_json(permit("Organization/h"), **shown)
    processing = receipt([Version(1, BEGINNING, tree)], "Consent/c", SETTINGS)["pii_processing"]
    assert (processing["privacy_notice"], processing["language"]) == ("https://passport.example", "ja")
    assert "wording" not in processing


def test_what_was_shown_to_the_person_stands_in_the_receipt() -> None:
    shown: dict[str, Any] = {
        "policy": [{"uri": "ni:///sha-256;abc"}],
        "sourceAttachment": {"language": "en", "title": "visit/en/1", "data": "YQ=="},
    }
    tree = consent_json(permit("Organization/h"), **shown)
    version = Version(1, BEGINNING, tree, shown=True)
    processing = receipt([version], "Consent/c", SETTINGS)["pii_processing"]
    assert (processing["privacy_notice"], processing["language"]) == ("ni:///sha-256;abc", "en")
    assert processing["wording"] == shown


def test_every_state_is_a_term_of_the_vocabulary() -> None:
    assert all(state.startswith("Consent") or state is State.RENEWED for state in State)
    assert set(State) > RECEIVED
    assert DPV == "https://w3id.org/dpv#"
