"""An audit row as AuditEvent: valid R4, every fact in its place, nothing of a record's content."""

from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from passport.audit.actions import ACTIONS
from passport.audit.event import audit_event, behalf_of
from passport.audit.log import Logged
from passport.audit.names import Named
from passport.audit.question import Place

NAMES = {11: Named("Observation", "a", 7, deleted=False), 12: Named("Observation", "b", 7, deleted=True)}

ROW = Logged(
    place=Place(datetime(2031, 4, 1, 9, 0, 0, 123456, tzinfo=UTC), UUID(int=5)),
    patient_key=7,
    patient="Patient/hoshino",
    action="search",
    kind="practitioner",
    outcome="success",
    subject="Practitioner/mihon",
    role="PractitionerRole/mihon-hoshimi",
    client=None,
    behalf_of=None,
    purpose="TREAT",
    query="GET Observation?patient=Patient/hoshino",
    record_keys=(11, 12, 13),
    versions=(3, 1, 1),
    grants=("Consent/1/_history/2",),
    detail="",
    scopes=("user/Observation.rs",),
    relied=(),
)


def shown(row: Logged) -> dict[str, Any]:
    tree = audit_event(row, NAMES, fhir_url="http://passport.test/fhir")
    AuditEvent.model_validate_json(orjson.dumps(tree))
    return tree


def codes(entity: dict[str, Any]) -> tuple[str, str]:
    return entity["type"]["code"], entity["role"]["code"]


@pytest.mark.parametrize("action", [*ACTIONS, "device-approve", "export", "something-new"])
@pytest.mark.parametrize("outcome", ["success", "refused", "not-found", "invalid", "error", "unheard-of"])
def test_every_action_and_outcome_is_a_valid_audit_event(action: str, outcome: str) -> None:
    tree = shown(replace(ROW, action=action, outcome=outcome))
    assert tree["subtype"][-1]["code"] == action
    assert tree["outcomeDesc"] == outcome


def test_by_which_scopes_it_was_let_through_is_told_as_the_policy_of_who_asked() -> None:
    tree = shown(ROW)
    assert [agent.get("policy") for agent in tree["agent"] if agent["requestor"]] == [["user/Observation.rs"]]
    assert all("policy" not in agent for agent in tree["agent"] if not agent["requestor"])


def test_which_scopes_were_missing_is_told_of_a_refusal() -> None:
    tree = shown(replace(ROW, outcome="refused", scopes=("Observation.s",)))
    assert not any("policy" in agent for agent in tree["agent"])
    (lacking,) = [entity["detail"] for entity in tree["entity"] if "detail" in entity]
    assert lacking == [{"type": "missing scope", "valueString": "Observation.s"}]


def test_who_in_what_role_for_what_purpose_and_when_is_told() -> None:
    tree = shown(ROW)
    asking = [agent for agent in tree["agent"] if agent["requestor"]]
    assert [agent["who"]["reference"] for agent in asking] == ["Practitioner/mihon"]
    assert tree["agent"][1]["who"]["reference"] == "PractitionerRole/mihon-hoshimi"
    assert tree["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    assert tree["recorded"] == "2031-04-01T09:00:00.123Z"
    assert (tree["type"]["code"], tree["subtype"][0]["code"], tree["action"]) == ("rest", "search-type", "E")


def test_patient_query_records_and_grants_are_entities() -> None:
    patient, query, first, second, grant = shown(ROW)["entity"]
    assert patient["what"]["reference"] == "Patient/hoshino"
    assert codes(patient) == ("1", "1")
    assert b64decode(query["query"]).decode() == ROW.query
    assert [first["what"]["reference"], second["what"]["reference"]] == [
        "Observation/a/_history/3",
        "Observation/b/_history/1",
    ]
    assert grant["what"]["reference"] == "Consent/1/_history/2"


def test_an_erased_record_is_left_out() -> None:
    assert len(shown(replace(ROW, record_keys=(13,), versions=(1,)))["entity"]) == 3


def test_nobody_signed_in_is_told_in_words() -> None:
    row = replace(ROW, kind="", subject=None, role=None, purpose=None, patient=None, query="", grants=())
    tree = shown(replace(row, record_keys=(), versions=()))
    assert tree["agent"][0]["who"] == {"display": "nobody signed in"}
    assert "entity" not in tree
    assert "purposeOfEvent" not in tree


@pytest.mark.parametrize("subject", ["operator", "auditor"])
def test_whoever_is_no_resource_is_told_in_words(subject: str) -> None:
    assert shown(replace(ROW, kind=subject, subject=subject, role=None))["agent"][0]["who"] == {
        "display": subject
    }


def test_a_proxy_acts_for_the_patient_and_visibly_so() -> None:
    row = replace(ROW, kind="proxy", subject="RelatedPerson/child", role=None)
    assert behalf_of(row) == "Patient/hoshino"
    beneficiaries = [a for a in shown(row)["agent"] if a["type"]["coding"][0]["code"] == "BEN"]
    assert [agent["who"]["reference"] for agent in beneficiaries] == ["Patient/hoshino"]


def test_only_a_proxy_acts_for_someone_else() -> None:
    assert behalf_of(ROW) is None


def test_an_emergency_is_a_security_alert() -> None:
    tree = shown(replace(ROW, action="break-glass", purpose="BTG", client="Device/terminal"))
    assert (tree["type"]["code"], tree["subtype"][0]["code"]) == ("110113", "110127")


def test_a_refusal_is_a_minor_failure_with_its_reason() -> None:
    tree = shown(replace(ROW, outcome="refused", detail="forbidden"))
    assert (tree["outcome"], tree["outcomeDesc"]) == ("4", "refused: forbidden")
