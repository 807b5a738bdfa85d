"""Who may write what, rule by rule: whatever no rule lets through is refused."""

from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from fhirstore.facts import extract
from fhirstore.types import TYPES
from passport.authority import Basis, Before, basis
from passport.outcomes import Refused
from passport.subjects import KINDS, Kind, Subject
from tests import resources as made
from tests.unit.consent.words import Json, consent_json, permit

ZONE: Final = ZoneInfo("Asia/Tokyo")
ME: Final = "Patient/me"
OTHER: Final = "Patient/other"
PROXY: Final = "RelatedPerson/kin"
MINE: Final = Before(written_by_caller=True, names_caller=False)
THEIRS: Final = Before(written_by_caller=False, names_caller=False)

REFERENCES: Final[dict[Kind, str]] = {
    "patient": ME,
    "proxy": PROXY,
    "practitioner": "Practitioner/a",
    "service": "Organization/s",
    "device": "Device/d",
    "operator": "operator",
    "auditor": "auditor",
    "clerk": "clerk/ichikawa",
    "approver": "approver/mori",
}
MEMBERS: Final = {
    "CareTeam": made.care_team(ME),
    "RelatedPerson": made.related_person(ME),
    "Group": made.group(ME),
    "Device": made.device(ME),
    "Observation": made.pressure(ME),
    "MedicationRequest": made.prescription(ME),
    "Provenance": made.provenance("Observation/1", agent="Practitioner/a"),
    "Bundle": made.bundle(made.pressure(f"http://here.test/fhir/{ME}")),
    "Consent": consent_json(permit("Practitioner/a"), ME),
}


def subject(kind: Kind, **more: Any) -> Subject:
    own = kind == "patient"
    facts: dict[str, Any] = {
        "kind": kind,
        "reference": REFERENCES[kind],
        "role": None,
        "client": None,
        "patient_key": 1 if own else None,
        "patient": ME if own else None,
        "purpose": "TREAT",
        "scopes": frozenset(),
        "session_id": None,
        "opened_patient_key": None,
    }
    return Subject(**{**facts, **more})


def rests(
    who: Subject, tree: Json, before: Before | None = None, *, sandbox: bool = False, **labels: bool
) -> Basis | None:
    """What the write rests on; None where it is refused."""
    facts = extract({**tree, "id": "x"}, zone=ZONE, base_urls=("http://here.test/fhir",))
    try:
        return basis(who, tree, facts, before, sandbox=sandbox, **labels)
    except Refused:
        return None


@pytest.mark.parametrize("type_name", [name for name, row in TYPES.items() if row.directory])
def test_the_directory_is_the_operators(type_name: str) -> None:
    tree = {"resourceType": type_name}
    for kind in KINDS:
        assert rests(subject(kind), tree) is (Basis.OFFICE if kind == "operator" else None), kind


def test_nothing_of_a_person_is_put_into_the_directory() -> None:
    inside = {**made.pressure(ME), "id": "o"}
    assert rests(subject("operator"), made.organization("x", contained=[inside])) is None
    codes = {"resourceType": "ValueSet", "id": "o", "status": "draft"}
    assert rests(subject("operator"), {"resourceType": "Questionnaire", "contained": [codes]}) is Basis.OFFICE
    unnamed = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}
    assert rests(subject("operator"), made.organization("x", contained=[unnamed])) is None


@pytest.mark.parametrize("type_name", ["Group", "Device", "Consent"])
def test_an_operator_writes_some_types_only_where_they_name_no_patient(type_name: str) -> None:
    assert rests(subject("operator"), MEMBERS[type_name]) is None
    assert rests(subject("operator"), {"resourceType": type_name}) is Basis.OFFICE


@pytest.mark.parametrize(
    "type_name", [name for name in MEMBERS if name not in ("Group", "Device", "Consent")]
)
def test_an_operator_writes_no_health_data(type_name: str) -> None:
    assert rests(subject("operator"), MEMBERS[type_name]) is None
    assert rests(subject("operator"), {"resourceType": type_name}) is None


def test_auditors_clerks_and_approvers_write_nothing_and_audit_events_are_written_by_nobody() -> None:
    proposed = {**MEMBERS["Consent"], "status": "proposed"}
    directory = [{"resourceType": "Organization"}, {"resourceType": "Patient"}]
    for tree in (*MEMBERS.values(), *directory, proposed, {"resourceType": "Consent"}):
        assert rests(subject("auditor"), tree) is None
        assert rests(subject("clerk"), tree) is None
        assert rests(subject("approver"), tree) is None
    for kind in KINDS:
        assert rests(subject(kind), {"resourceType": "AuditEvent"}) is None


@pytest.mark.parametrize("type_name", [name for name in MEMBERS if name != "Provenance"])
def test_a_patient_writes_what_names_them_first(type_name: str) -> None:
    assert rests(subject("patient"), MEMBERS[type_name]) is Basis.OWN
    stranger = subject("patient", reference=OTHER, patient=OTHER, patient_key=2)
    assert rests(stranger, MEMBERS[type_name]) is None


@pytest.mark.parametrize("type_name", [name for name in MEMBERS if name != "Provenance"])
def test_a_patient_labels_what_others_wrote_and_changes_nothing_else_of_it(type_name: str) -> None:
    tree, stranger = MEMBERS[type_name], subject("patient", reference=OTHER, patient=OTHER, patient_key=2)
    for taken in (False, True):
        assert rests(subject("patient"), tree, THEIRS, labels_only=True, taken=taken) is Basis.OWN
        assert rests(stranger, tree, THEIRS, labels_only=True, taken=taken) is None
    mixed = rests(subject("patient"), tree, THEIRS, taken=True)
    assert mixed is (Basis.OWN if type_name in ("CareTeam", "Consent", "RelatedPerson") else None)
    assert rests(subject("patient"), {"resourceType": "Patient"}, THEIRS, labels_only=True) is None


def test_labels_are_taken_away_by_the_patient_alone_of_records_that_name_nobody_else() -> None:
    shared = made.pressure(ME, performer=[made.reference(OTHER)])
    assert rests(subject("patient"), shared, THEIRS, labels_only=True) is Basis.OWN
    assert rests(subject("patient"), shared, THEIRS, labels_only=True, taken=True) is None
    for kind in KINDS:
        if kind != "patient":
            assert rests(subject(kind), MEMBERS["Observation"], MINE, labels_only=True, taken=True) is None
    directory = made.organization("x")
    assert rests(subject("operator"), directory, MINE, labels_only=True, taken=True) is Basis.OFFICE


def test_a_patient_labels_their_registration_and_no_provenance() -> None:
    me = {"resourceType": "Patient"}
    facts = extract({**me, "id": "me"}, zone=ZONE, base_urls=("http://here.test/fhir",))
    assert basis(subject("patient"), me, facts, THEIRS, labels_only=True) is Basis.OWN
    assert rests(subject("patient"), MEMBERS["Provenance"], MINE, labels_only=True) is None


def test_a_patient_writes_no_policy() -> None:
    assert rests(subject("patient"), consent_json(permit("Practitioner/a"), None)) is None
    assert rests(subject("patient"), {"resourceType": "Consent"}) is None


def test_a_patient_may_keep_what_follows_a_record_wherever_that_lies() -> None:
    metric = {"resourceType": "DeviceMetric", "source": {"reference": "Device/1"}}
    binary = {"resourceType": "Binary", "securityContext": {"reference": "Observation/1"}}
    for tree in (metric, binary):
        assert rests(subject("patient"), tree) is Basis.OWN
        assert rests(subject("patient"), tree, THEIRS) is None
        assert rests(subject("patient"), {**tree, "contained": [{**made.pressure(OTHER), "id": "o"}]}) is None


def test_a_patient_registers_nobody_and_vouches_for_nothing() -> None:
    assert rests(subject("patient"), {"resourceType": "Patient"}) is None
    assert rests(subject("patient"), MEMBERS["Provenance"]) is None


def test_a_patient_changes_what_others_wrote_only_where_it_is_theirs_to_decide() -> None:
    decided = {"Consent", "CareTeam", "RelatedPerson"}
    for name, tree in MEMBERS.items():
        if name != "Provenance":
            assert rests(subject("patient"), tree, MINE) is Basis.OWN
            assert rests(subject("patient"), tree, THEIRS) is (Basis.OWN if name in decided else None), name


@pytest.mark.parametrize("kind", ["proxy", "practitioner", "service", "device"])
def test_everybody_else_needs_a_consent_for_health_data(kind: Kind) -> None:
    for name, tree in MEMBERS.items():
        if name not in ("Consent", "CareTeam"):
            assert rests(subject(kind), tree) is Basis.CONSENT, name
    assert rests(subject(kind), MEMBERS["CareTeam"]) is None


@pytest.mark.parametrize("kind", ["proxy", "practitioner", "service", "device"])
def test_an_active_consent_of_a_patient_is_written_by_a_proxy_at_most(kind: Kind) -> None:
    assert rests(subject(kind), MEMBERS["Consent"]) is (Basis.CONSENT if kind == "proxy" else None)


@pytest.mark.parametrize("kind", ["proxy", "practitioner", "service"])
def test_anyone_verified_proposes_to_one_patient(kind: Kind) -> None:
    tree = {**MEMBERS["Consent"], "status": "proposed"}
    assert rests(subject(kind), tree) is Basis.PROPOSAL
    assert rests(subject(kind), tree, MINE) is Basis.PROPOSAL
    assert rests(subject(kind, opened_patient_key=1), tree) is None
    inside = {**made.pressure(OTHER), "id": "o"}
    assert rests(subject(kind), {**tree, "contained": [inside]}) is None


def test_a_proposal_over_what_somebody_else_wrote_is_none() -> None:
    tree = {**MEMBERS["Consent"], "status": "proposed"}
    assert rests(subject("practitioner"), tree, THEIRS) is None
    assert rests(subject("service"), tree, THEIRS) is None
    assert rests(subject("proxy"), tree, THEIRS) is Basis.CONSENT


def test_a_device_proposes_nothing() -> None:
    assert rests(subject("device"), {**MEMBERS["Consent"], "status": "proposed"}) is None


def test_a_proxy_decides_about_others_and_never_about_itself() -> None:
    for actor, expected in (
        (PROXY, None),
        ("Practitioner/a", Basis.CONSENT),
        ("CareTeam/t", None),
        ("Group/g", None),
    ):
        assert rests(subject("proxy"), consent_json(permit(actor), ME)) is expected, actor
    naming = Before(written_by_caller=False, names_caller=True)
    assert rests(subject("proxy"), MEMBERS["Consent"], naming) is None


def test_a_sandbox_lets_a_consent_decide_what_is_otherwise_the_patients() -> None:
    suite = subject("service")
    assert rests(suite, MEMBERS["Consent"], sandbox=True) is Basis.CONSENT
    assert rests(suite, MEMBERS["CareTeam"], sandbox=True) is Basis.CONSENT
    assert rests(suite, {"resourceType": "Organization"}, sandbox=True) is Basis.CONSENT
    assert rests(suite, {**MEMBERS["Consent"], "status": "proposed"}, sandbox=True) is Basis.PROPOSAL
