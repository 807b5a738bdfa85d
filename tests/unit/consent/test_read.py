"""What a consent may say: everything that the engine would have to skip is refused, all of it at once."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from consent.model import Action, Coding, Confidentiality, Consent, Data, Effect, Meaning, Purpose, Status
from consent.provision import MAX_DEPTH, MAX_NODES
from consent.systems import ACT_CODE
from tests.unit.consent.words import (
    C09,
    DR_A,
    ORG_H,
    P1,
    VITAL_SIGNS,
    Json,
    allow,
    coding,
    concept,
    consent_json,
    deny,
    permit,
    provision,
    read,
)

ACTOR = permit(DR_A)["actor"][0]


def consent(resource: Json) -> Consent:
    found = read(resource)
    assert isinstance(found, Consent), found
    return found


def faults(resource: Json) -> list[str]:
    found = read(resource)
    assert isinstance(found, list), found
    assert all(issue.text.startswith("got ") for issue in found)
    return [issue.expression for issue in found]


def root_faults(root: Json) -> list[str]:
    return [place.removeprefix("Consent.") for place in faults(consent_json(root))]


def test_everything_that_can_be_said_is_read() -> None:
    found = consent(
        consent_json(
            permit(
                DR_A,
                ORG_H,
                purposes=["TREAT", "BTG"],
                actions=["access"],
                types=["Observation"],
                classes=[VITAL_SIGNS],
                codes=[C09],
                labels=["N"],
                period={"start": "2026-01-01", "end": "2026-03-31"},
                data_period={"start": "2025"},
                data=[("authoredby", DR_A), ("related", "Encounter/1")],
                but=[deny(labels=[(ACT_CODE, "HIV")])],
            )
        )
    )
    root = found.root
    assert root is not None
    assert (found.reference, found.version, found.patient, found.status) == (
        "Consent/1",
        1,
        P1,
        Status.ACTIVE,
    )
    assert root.effect is Effect.PERMIT
    assert root.actors == {DR_A, ORG_H}
    assert root.purposes == {Purpose.TREAT, Purpose.BTG}
    assert root.actions == {Action.ACCESS}
    assert root.classes == {Coding("http://hl7.org/fhir/resource-types", "Observation"), VITAL_SIGNS}
    assert root.codes == {Coding(*C09)}
    assert root.confidentiality == {Confidentiality.N}
    assert root.data == {Data(Meaning.AUTHOREDBY, DR_A), Data(Meaning.DEPENDENTS, "Encounter/1")}
    assert root.children[0].sensitivities == {Coding(ACT_CODE, "HIV")}
    assert root.period is not None
    assert root.period.start == datetime(2025, 12, 31, 15, tzinfo=UTC)
    assert root.period.end == datetime(2026, 3, 31, 15, tzinfo=UTC)


def test_every_coding_of_a_concept_is_a_value() -> None:
    root = permit(DR_A)
    root["code"] = [concept(C09, ("http://loinc.org", "1-1"))]
    read_root = consent(consent_json(root)).root
    assert read_root is not None
    assert read_root.codes == {Coding(*C09), Coding("http://loinc.org", "1-1")}


def test_a_consent_without_patient_is_a_policy() -> None:
    assert consent(consent_json(permit(DR_A), patient=None)).patient is None


@pytest.mark.parametrize(
    "patient",
    [
        {"display": "somebody"},
        {"identifier": {"value": "1"}},
        {"reference": "Practitioner/a"},
        {"reference": "Patient/p1/_history/2"},
        {"reference": "https://elsewhere.example/fhir/Patient/p1"},
        {},
        None,
        "Patient/p1",
    ],
)
def test_a_patient_that_cannot_be_told_never_makes_a_policy(patient: object) -> None:
    assert "Consent.patient" in faults(consent_json(permit(DR_A), patient=None) | {"patient": patient})


def test_the_type_of_the_root_may_come_from_the_policy_rule() -> None:
    root = permit(DR_A)
    del root["type"]
    opt_in, opt_out = (concept((ACT_CODE, code)) for code in ("OPTIN", "OPTOUT"))
    for rule, effect in ((opt_in, Effect.PERMIT), (opt_out, Effect.DENY)):
        found = consent(consent_json(root, policyRule=rule)).root
        assert found is not None
        assert found.effect is effect
    assert faults(consent_json(root)) == ["Consent"]
    assert faults(consent_json(root, policyRule={"text": "as usual"})) == ["Consent"]
    assert faults(consent_json(permit(DR_A), policyRule=opt_out)) == ["Consent.provision.type"]
    assert consent(consent_json(deny(), policyRule=opt_out)).root is not None
    assert consent(consent_json(deny(), policyRule=opt_in)).root is not None


def test_opting_out_without_provision_denies_everything() -> None:
    resource = consent_json({}, policyRule=concept((ACT_CODE, "OPTOUT")))
    del resource["provision"]
    root = consent(resource).root
    assert root is not None
    assert root.effect is Effect.DENY


def test_opting_in_without_provision_names_nobody_to_permit() -> None:
    resource = consent_json({}, policyRule=concept((ACT_CODE, "OPTIN")))
    del resource["provision"]
    assert faults(resource) == ["Consent.provision"] * 2


def test_a_granting_provision_needs_an_actor_and_a_purpose_of_its_own_or_its_roots() -> None:
    assert root_faults(provision("permit")) == ["provision"] * 2
    assert root_faults(provision("permit", DR_A)) == ["provision"]
    assert root_faults(permit()) == ["provision"]
    nested = deny(but=[allow(DR_A), allow(purposes=["TREAT"])])
    assert root_faults(nested) == ["provision.provision[0]", "provision.provision[1]"]
    consent(consent_json(deny(DR_A, but=[permit()])))
    consent(consent_json(deny(purposes=["TREAT"], but=[allow(DR_A)])))


def test_an_exception_deeper_down_needs_no_actor() -> None:
    consent(consent_json(permit(DR_A, but=[deny(but=[allow(types=["Observation"])])])))


@pytest.mark.parametrize("kind", ["permit", "deny"])
def test_an_exception_of_its_parents_own_type_is_refused(kind: str) -> None:
    root = provision(kind, DR_A, purposes=["TREAT"], but=[provision(kind, DR_A, purposes=["TREAT"])])
    assert root_faults(root) == ["provision.provision[0].type"]


def test_an_exception_without_type_is_refused() -> None:
    assert root_faults(permit(DR_A, but=[{"class": permit(types=["Observation"])["class"]}])) == [
        "provision.provision[0]"
    ]


def test_provisions_nest_eight_deep_and_no_deeper() -> None:
    tree = permit(DR_A)
    innermost = tree
    for level in range(2, MAX_DEPTH + 1):
        innermost["provision"] = [allow() if level % 2 else deny()]
        innermost = innermost["provision"][0]
    consent(consent_json(tree))
    innermost["provision"] = [allow()]
    assert root_faults(tree) == [".".join(["provision", *["provision[0]"] * MAX_DEPTH])]


def test_a_consent_has_at_most_255_provisions() -> None:
    consent(consent_json(permit(DR_A, but=[deny()] * (MAX_NODES - 1))))
    assert root_faults(permit(DR_A, but=[deny()] * (MAX_NODES + 1))) == [
        f"provision.provision[{MAX_NODES - 1}]"
    ]


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"extension": [{"url": "http://x.example"}]}, ["provision.extension"]),
        ({"modifierExtension": [{"url": "http://x.example"}]}, ["provision.modifierExtension"]),
        ({"jurisdiction": "JP"}, ["provision.jurisdiction"]),
        ({"_period": {"id": "1"}}, ["provision._period"]),
        ({"type": "allow"}, ["provision.type"]),
        (
            {"purpose": [coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST")]},
            ["provision.purpose[0]"],
        ),
        ({"purpose": [coding("urn:other", "TREAT")]}, ["provision.purpose[0]"]),
        ({"purpose": [{"code": "TREAT"}]}, ["provision.purpose[0]"]),
        ({"purpose": []}, ["provision.purpose"]),
        ({"purpose": {"code": "TREAT"}}, ["provision.purpose"]),
        (
            {"action": [concept(("http://terminology.hl7.org/CodeSystem/consentaction", "disclose"))]},
            ["provision.action[0].coding[0]"],
        ),
        ({"action": [{"text": "look"}]}, ["provision.action[0]"]),
        ({"action": [{}]}, ["provision.action[0]"]),
        ({"class": [coding("http://hl7.org/fhir/resource-types", "Prescription")]}, ["provision.class[0]"]),
        ({"class": [coding("http://hl7.org/fhir", "Observation")]}, ["provision.class[0]"]),
        ({"class": [{"code": "Observation"}]}, ["provision.class[0]"]),
        ({"code": [concept(("http://loinc.org/", "29463-7"))]}, ["provision.code[0].coding[0]"]),
        ({"code": [concept(("https://LOINC.org", "29463-7"))]}, ["provision.code[0].coding[0]"]),
        ({"class": None}, ["provision.class"]),
        ({"code": [{"text": "blood pressure"}]}, ["provision.code[0]"]),
        ({"code": [{"coding": []}]}, ["provision.code[0].coding"]),
        ({"code": [{"coding": [{**coding(*C09), "version": "2"}]}]}, ["provision.code[0].coding[0].version"]),
        ({"securityLabel": [coding("urn:other", "R")]}, ["provision.securityLabel[0]"]),
        (
            {"securityLabel": [coding("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "X")]},
            ["provision.securityLabel[0]"],
        ),
        ({"period": {}}, ["provision.period", "provision.period"]),
        ({"period": {"start": "yesterday"}}, ["provision.period"]),
        ({"period": {"start": "2026-01-01T10:00:00"}}, ["provision.period"]),
        ({"period": {"start": "2026-02-30"}}, ["provision.period"]),
        ({"period": {"start": 2026}}, ["provision.period"]),
        ({"period": {"start": "2027", "end": "2026"}}, ["provision.period"]),
        ({"period": {"start": "2027", "until": "2028"}}, ["provision.period.until"]),
        ({"dataPeriod": "2026"}, ["provision.dataPeriod", "provision.dataPeriod"]),
        ({"data": [{"meaning": "instance"}]}, ["provision.data[0]"]),
        ({"data": [{"reference": {"reference": "Observation/1"}}]}, ["provision.data[0]"]),
        (
            {"data": [{"meaning": "related", "reference": {"reference": "CarePlan/1"}}]},
            ["provision.data[0].reference"],
        ),
        (
            {"data": [{"meaning": "mentions", "reference": {"reference": "Encounter/1"}}]},
            ["provision.data[0].meaning"],
        ),
        (
            {"data": [{"meaning": "instance", "reference": {"reference": "Observation/1/_history/1"}}]},
            ["provision.data[0].reference"],
        ),
        ({"provision": {"type": "deny"}}, ["provision.provision"]),
    ],
)
def test_what_the_engine_does_not_evaluate_is_refused(change: Json, places: list[str]) -> None:
    assert root_faults({**permit(DR_A), **change}) == places


@pytest.mark.parametrize(
    ("change", "places"),
    [
        ({"reference": None}, ["reference", "reference"]),
        ({"reference": {"display": "Dr A"}}, ["reference"]),
        ({"reference": {"reference": "#a"}}, ["reference"]),
        ({"reference": {"reference": "urn:uuid:0"}}, ["reference"]),
        ({"reference": {"reference": "Location/1"}}, ["reference"]),
        ({"reference": {"reference": DR_A, "type": "Patient"}}, ["reference"]),
        ({"reference": {"reference": DR_A, "identifier": {"value": "1"}}}, ["reference.identifier"]),
        ({"role": {"text": "recipient"}}, ["role"]),
        (
            {"role": concept(("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "AUT"))},
            ["role.coding[0]"],
        ),
        ({"role": concept(("urn:other", "IRCP"))}, ["role.coding[0]"]),
        ({"extension": []}, ["extension"]),
    ],
)
def test_an_actor_is_a_literal_reference_in_a_fitting_role(change: Json, places: list[str]) -> None:
    root = permit(DR_A, ORG_H)
    root["actor"][1] = {**deepcopy(ACTOR), **change}
    assert root_faults(root) == [f"provision.actor[1].{place}" for place in places]


def test_a_role_of_another_system_is_told_which_one_is_expected() -> None:
    root = permit(DR_A)
    root["actor"][0]["role"] = concept(("urn:other", "IRCP"))
    found = read(consent_json(root))
    assert isinstance(found, list)
    assert "PRCP in http://terminology.hl7.org/CodeSystem/v3-ParticipationType" in found[0].text


def test_an_actor_without_role_or_reference_is_refused() -> None:
    for missing in ("role", "reference"):
        root = permit(DR_A, ORG_H)
        del root["actor"][1][missing]
        assert root_faults(root) == ["provision.actor[1]"]


@pytest.mark.parametrize(
    ("actions", "role", "fits"),
    [
        ([], "IRCP", True),
        ([], "PRCP", True),
        ([], "AUT", False),
        (["access"], "AUT", False),
        (["collect"], "AUT", True),
        (["correct"], "AUT", True),
        (["collect", "correct"], "IRCP", False),
        (["access", "collect"], "IRCP", True),
        (["access", "collect"], "AUT", True),
        (["access"], "CST", False),
    ],
)
def test_the_role_of_an_actor_fits_the_action(actions: list[str], role: str, fits: bool) -> None:
    root = permit(DR_A, actions=actions)
    root["actor"][0]["role"] = concept(("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", role))
    assert isinstance(read(consent_json(root)), Consent) is fits


def test_a_deny_without_action_takes_an_actor_in_any_of_the_roles() -> None:
    for role in ("IRCP", "PRCP", "AUT"):
        root = deny(DR_A)
        root["actor"][0]["role"] = concept(
            ("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", role)
        )
        consent(consent_json(root))


def test_both_kinds_of_labels_in_one_provision_are_refused() -> None:
    assert root_faults(permit(DR_A, labels=["N", (ACT_CODE, "HIV")])) == ["provision"]


@pytest.mark.parametrize(
    ("elements", "places"),
    [
        ({"modifierExtension": [{"url": "http://x.example"}]}, ["Consent.modifierExtension"]),
        ({"implicitRules": "http://x.example"}, ["Consent.implicitRules"]),
        ({"verification": [{"verified": False}]}, ["Consent.verification[0]"]),
        ({"verification": [{"verified": True}, {}]}, ["Consent.verification[1]"]),
        (
            {"scope": concept(("http://terminology.hl7.org/CodeSystem/consentscope", "research"))},
            ["Consent.provision"],
        ),
        ({"scope": {"text": "privacy"}}, ["Consent.provision"]),
        ({"status": "signed"}, ["Consent.status"]),
        ({"status": None}, ["Consent.status"]),
    ],
)
def test_what_stands_beside_the_provisions_must_not_change_them(elements: Json, places: list[str]) -> None:
    assert faults(consent_json(permit(DR_A), **elements)) == places


def test_a_consent_without_status_is_refused() -> None:
    resource = consent_json(permit(DR_A))
    del resource["status"]
    assert faults(resource) == ["Consent"]


def test_a_proposed_consent_is_checked_like_an_active_one() -> None:
    assert faults(consent_json(permit(), status="proposed")) == ["Consent.provision"]
    assert not consent(consent_json(permit(DR_A), status="proposed")).counts


@pytest.mark.parametrize("status", ["draft", "rejected", "inactive", "entered-in-error"])
def test_a_consent_can_be_withdrawn_whatever_it_says(status: str) -> None:
    found = consent(consent_json({"type": "permit", "nonsense": True}, status=status))
    assert found.root is None
    assert not found.counts


def test_all_faults_come_at_once() -> None:
    root = permit(
        purposes=["TREAT", "FUN"], data=[("related", "Observation/1")], but=[permit(DR_A), deny(types=["X"])]
    )
    places = faults(consent_json(root, verification=[{"verified": False}], patient="Patient/"))
    assert places == [
        "Consent.patient",
        "Consent.verification[0]",
        "Consent.provision",
        "Consent.provision.purpose[1]",
        "Consent.provision.data[0].reference",
        "Consent.provision.provision[0].type",
        "Consent.provision.provision[1].class[0]",
    ]


@pytest.mark.parametrize("root", ["permit", [], 7, None, {}])
def test_a_provision_that_is_no_element_is_refused(root: Any) -> None:
    assert faults(consent_json(root))
