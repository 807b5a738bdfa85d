"""What a world comes to: the directory followed, patients named, parts and targets reached; by both ways alike."""

import json
from typing import Final

import pytest

from consent.provision import MAX_DEPTH, MAX_NODES
from passport.evaluation.trial import Trial
from passport.evaluation.world import world_of
from tests.unit.consent.words import C09, DR_A, ED, ORG_H, P1, P2, TOKYO, Json, allow, concept, deny, permit
from tests.unit.passport.evaluation.tried import DIRECTORY, consent, permitted, reference, resource, world

OBSERVATION: Final = resource("Observation")
SHARED: Final = resource(
    "Appointment", patient=None, participant=[{"actor": reference(P1)}, {"actor": reference(P2)}]
)


def test_actors_are_what_the_directory_makes_of_the_starting_point(trial: Trial) -> None:
    for actor in (ORG_H, DR_A, "PractitionerRole/a-at-h"):
        assert permitted(trial, world(consent(permit(actor)), records=[OBSERVATION])) == {"Observation/1"}
    assert permitted(trial, world(consent(permit("Organization/k")), records=[OBSERVATION])) == set()


def test_a_role_that_the_directory_does_not_know_is_nobody(trial: Trial) -> None:
    given = consent(permit("PractitionerRole/ghost"))
    assert permitted(trial, world(given, records=[OBSERVATION], actors=["PractitionerRole/ghost"])) == set()


def test_a_team_in_the_directory_leads_to_its_members(trial: Trial) -> None:
    team = {"resourceType": "CareTeam", "id": "t", "participant": [{"member": reference(DR_A)}]}
    given = consent(permit("CareTeam/t"))
    assert permitted(trial, world(given, records=[OBSERVATION], directory=[*DIRECTORY, team])) == {
        "Observation/1"
    }
    assert permitted(trial, world(given, records=[OBSERVATION])) == set()


def test_a_denied_team_that_is_not_in_the_directory_denies_everybody(trial: Trial) -> None:
    given = [consent(permit(ORG_H)), consent(deny("CareTeam/t"))]
    assert permitted(trial, world(*given, records=[OBSERVATION])) == set()
    team = {"resourceType": "CareTeam", "id": "t", "participant": [{"member": reference("Practitioner/b")}]}
    assert permitted(trial, world(*given, records=[OBSERVATION], directory=[*DIRECTORY, team])) == {
        "Observation/1"
    }


def test_a_chain_that_breaks_leaves_a_denied_organization_unknown(trial: Trial) -> None:
    broken = [DIRECTORY[0], {**DIRECTORY[1], "partOf": reference("Organization/lost")}]
    given = [consent(permit(DR_A)), consent(deny("Organization/above"))]
    assert permitted(trial, world(*given, records=[OBSERVATION])) == {"Observation/1"}
    assert permitted(trial, world(*given, records=[OBSERVATION], directory=broken)) == set()


def test_several_starting_points_are_taken_together(trial: Trial) -> None:
    given = consent(permit("Device/scanner"))
    both = ["PractitionerRole/a-at-h", "Device/scanner"]
    assert permitted(trial, world(given, records=[OBSERVATION], actors=both)) == {"Observation/1"}
    above = [*DIRECTORY, {"resourceType": "Organization", "id": "k", "partOf": reference("Organization/top")}]
    top = consent(permit("Organization/top"))
    assert permitted(
        trial, world(top, records=[OBSERVATION], directory=above, actors=["Device/x", "Organization/k"])
    ) == {"Observation/1"}


def test_the_application_of_a_person_can_be_denied(trial: Trial) -> None:
    given = [consent(permit(ORG_H)), consent(deny("Device/app"))]
    assert permitted(trial, world(*given, records=[OBSERVATION], client="Device/app")) == set()
    assert permitted(trial, world(*given, records=[OBSERVATION])) == {"Observation/1"}


def test_every_action_is_asked_for(trial: Trial) -> None:
    given = consent(permit(ORG_H, actions=["collect"]))
    for action, shown in (("access", set()), ("collect", {"Observation/1"}), ("correct", set())):
        assert permitted(trial, world(given, records=[OBSERVATION], action=action)) == shown


def test_a_purpose_or_an_action_that_there_is_not_is_refused(trial: Trial) -> None:
    records = [OBSERVATION, resource("Practitioner", patient=None)]
    given = consent(permit(ORG_H))
    assert permitted(trial, world(given, records=records, purpose="MARKETING")) == set()
    assert permitted(trial, world(given, records=records, action="disclose")) == set()


def test_break_glass_means_that_the_opening_exists(trial: Trial) -> None:
    policy = consent(permit(ED, purposes=["BTG"]), patient=None)
    given = [policy, consent(deny())]
    records = [OBSERVATION, resource("Observation", "2", P2), resource("Observation", "3", None)]
    emergency = [{"resourceType": "Organization", "id": "ed"}]
    opened = world(*given, records=records, directory=emergency, actors=[ED], purpose="BTG")
    assert permitted(trial, opened) == {
        "Observation/1",
        "Observation/2",
        "Observation/3",
    }
    treating = world(*given, records=records, directory=emergency, actors=[ED])
    assert permitted(trial, treating) == set()


def test_a_patients_own_session_sees_what_names_only_them(trial: Trial) -> None:
    records = [OBSERVATION, resource("Observation", "2", P2), SHARED]
    assert permitted(trial, world(records=records, actors=[P1], purpose="PATRQT")) == {"Observation/1"}


def test_a_record_is_permitted_by_everybody_whom_it_names(trial: Trial) -> None:
    records = [SHARED]
    one, other = consent(permit(ORG_H)), consent(permit(ORG_H), patient=P2)
    assert permitted(trial, world(one, records=records)) == set()
    assert permitted(trial, world(one, other, records=records)) == {"Appointment/1"}


def test_a_record_that_names_nobody_needs_a_policy(trial: Trial) -> None:
    records = [resource("Observation", patient=None)]
    assert permitted(trial, world(consent(permit(ORG_H)), records=records)) == set()
    assert permitted(trial, world(consent(permit(ORG_H), patient=None), records=records)) == {"Observation/1"}


def test_a_patient_is_their_own_record_whether_the_world_shows_it_or_not(trial: Trial) -> None:
    given = consent(permit(ORG_H))
    assert permitted(trial, world(given, records=[resource("Patient", "p1", None)])) == {"Patient/p1"}
    followed = resource("Provenance", patient=None, target=[reference(P1)])
    assert permitted(trial, world(given, records=[followed])) == {"Provenance/1"}
    assert permitted(trial, world(records=[followed])) == set()


def test_a_medicine_has_the_codes_of_the_medication_that_it_refers_to(trial: Trial) -> None:
    given = consent(permit(ORG_H, codes=[C09]))
    coded = {"resourceType": "Medication", "id": "m", "code": concept(C09)}
    order = resource("MedicationRequest", medicationReference=reference("Medication/m"))
    within = resource("MedicationRequest", "2", medicationReference=reference("#m"), contained=[coded])
    beside = world(given, records=[order, within], directory=[*DIRECTORY, coded])
    among = world(given, records=[order, within, coded])
    for known in (beside, among):
        assert {"MedicationRequest/1", "MedicationRequest/2"} <= permitted(trial, known)
    assert permitted(trial, world(given, records=[order])) == set()


def test_what_follows_others_is_permitted_where_these_are(trial: Trial) -> None:
    binary = resource("Binary", patient=None, securityContext=reference("Observation/1"))
    provenance = resource(
        "Provenance", patient=None, target=[reference("Binary/1"), reference("Observation/2")]
    )
    lost = resource("Provenance", "2", None, target=[reference("Observation/404")])
    circle = resource("Provenance", "3", None, target=[reference("Provenance/3")])
    records = [OBSERVATION, resource("Observation", "2", P2), binary, provenance, lost, circle]
    one, other = consent(permit(ORG_H)), consent(permit(ORG_H), patient=P2)
    assert permitted(trial, world(one, records=records)) == {"Observation/1", "Binary/1"}
    assert permitted(trial, world(one, other, records=records)) == {
        "Observation/1",
        "Observation/2",
        "Binary/1",
        "Provenance/1",
    }


def test_a_target_may_stand_in_the_directory(trial: Trial) -> None:
    named = resource("Provenance", patient=None, target=[reference(ORG_H), reference("Observation/1")])
    given = consent(permit(ORG_H))
    assert permitted(trial, world(given, records=[OBSERVATION, named])) == {"Observation/1", "Provenance/1"}
    assert permitted(trial, world(given, records=[OBSERVATION, named], directory=DIRECTORY[:1])) == {
        "Observation/1"
    }


def test_a_metric_is_whose_its_device_is(trial: Trial) -> None:
    device = resource("Device", patient=None) | {"patient": reference(P1)}
    metric = resource("DeviceMetric", patient=None, source=reference("Device/1"))
    assert permitted(trial, world(consent(permit(ORG_H)), records=[device, metric])) == {
        "Device/1",
        "DeviceMetric/1",
    }
    assert permitted(trial, world(consent(permit(ORG_H), patient=P2), records=[device, metric])) == set()


def test_the_whole_of_a_bundle_is_permitted_if_all_of_it_is(trial: Trial) -> None:
    entries = [{"resource": OBSERVATION}, {"resource": resource("Condition")}]
    records = [resource("Bundle", patient=None, entry=entries[:count]) for count in (1, 2)]
    given = consent(permit(ORG_H, types=["Bundle", "Observation"]))
    assert permitted(trial, world(given, records=records[:1])) == {"Bundle/1"}
    assert permitted(trial, world(given, records=records[1:])) == set()


def test_a_record_of_a_type_that_is_not_held_is_known_by_its_patients_and_labels_alone(trial: Trial) -> None:
    flag = resource("Flag", code=concept(C09))
    assert permitted(trial, world(consent(permit(ORG_H)), records=[flag])) == {"Flag/1"}
    coded = consent(permit(ORG_H, but=[deny(codes=[C09])]))
    assert permitted(trial, world(coded, records=[flag])) == set()


def test_a_record_of_no_type_of_r4_is_denied(trial: Trial) -> None:
    records = [resource("Nothing"), {}, resource("Observation", contained=[{"resourceType": "Nothing"}])]
    assert permitted(trial, world(consent(permit(ORG_H)), records=records)) == set()


def test_the_directory_is_readable_and_written_only_under_a_policy(trial: Trial) -> None:
    records = [resource(kind, patient=None) for kind in ("Practitioner", "Medication")]
    both = {"Practitioner/1", "Medication/1"}
    assert permitted(trial, world(records=records)) == both
    assert permitted(trial, world(records=records, action="collect")) == set()
    policy = consent(permit(ORG_H, actions=["collect"]), patient=None)
    assert permitted(trial, world(policy, records=records, action="collect")) == both


def test_a_refused_consent_decides_nothing(trial: Trial) -> None:
    refused = consent(deny(data=[("related", "Observation/1")]), "bad")
    assert permitted(trial, world(refused, consent(permit(ORG_H)), records=[OBSERVATION])) == {
        "Observation/1"
    }


def test_exceptions_are_followed_to_the_eighth_depth(trial: Trial) -> None:
    tree = innermost = permit(ORG_H)
    for depth in range(2, 9):
        innermost["provision"] = [allow() if depth % 2 else deny()]
        innermost = innermost["provision"][0]
        shown = {"Observation/1"} if depth % 2 else set()
        assert permitted(trial, world(consent(tree), records=[OBSERVATION])) == shown


def full_tree(leaf: str, depth: int = 1) -> Json:
    """Two exceptions each, down to those that are of another type."""
    below = [full_tree(leaf, depth + 1), full_tree(leaf, depth + 1)] if depth < MAX_DEPTH else []
    types = ["Observation" if below else leaf]
    if depth == 1:
        return permit(ORG_H, types=types, but=below)
    return allow(types=types, but=below) if depth % 2 else deny(types=types, but=below)


@pytest.mark.parametrize(("leaf", "shown"), [("Observation", set()), ("Condition", {"Observation/1"})])
def test_a_tree_of_as_many_provisions_as_there_may_be_is_enforced(
    trial: Trial, leaf: str, shown: set[str]
) -> None:
    given = consent(full_tree(leaf))
    assert json.dumps(given).count(f'"{leaf}"') >= (MAX_NODES + 1) // 2
    assert permitted(trial, world(given, records=[OBSERVATION])) == shown


def test_worlds_that_are_decided_together_do_not_see_into_each_other(trial: Trial) -> None:
    provenance = resource("Provenance", patient=None, target=[reference("Observation/1")])
    organization = resource("Provenance", patient=None, target=[reference(ORG_H)])
    worlds = [
        world(consent(permit(ORG_H)), records=[OBSERVATION]),
        world(consent(permit(ORG_H)), records=[provenance]),
        world(records=[OBSERVATION]),
        world(consent(permit(ORG_H), patient=None), records=[OBSERVATION]),
        world(records=[organization], directory=[]),
        world(records=[organization]),
        world(consent(deny(ORG_H)), records=[OBSERVATION]),
    ]
    decided = trial.decided([world_of(each, TOKYO) for each in worlds])
    assert [set(one.sql.values()) for one in decided] == [
        {True},
        {False},
        {False},
        {True},
        {False},
        {True},
        {False},
    ]
    assert [one.reference for one in decided] == [one.sql for one in decided]


@pytest.mark.parametrize("text", ["'; DROP TABLE consent_grant; --", "%_\\", "見本", "\u202e", "a" * 10_000])
def test_texts_of_any_kind_are_compared_and_nothing_else(trial: Trial, text: str) -> None:
    given = consent(permit(ORG_H, codes=[("urn:x", text)]))
    coded = resource("Observation", code={"coding": [{"system": "urn:x", "code": text}]})
    assert permitted(trial, world(given, records=[coded])) == {"Observation/1"}
    other = resource("Observation", code={"coding": [{"system": "urn:x", "code": f"{text} "}]})
    assert permitted(trial, world(given, records=[other])) == set()
