"""Callers expand to the actors that the directory leads to, and to no more than it can tell."""

from datetime import UTC, datetime
from typing import Any

import pytest

from consent.directory import Actors, Membership, MembershipKind, edges, expand, resolvable
from consent.model import Interval
from tests.unit.consent.words import NOW, TOKYO, Json

ROLE = "PractitionerRole/a-at-h"
PERSON = "Practitioner/a"
PAST = {"end": "2020"}
FUTURE = {"start": "2030"}


def ref(reference: str) -> Json:
    return {"reference": reference}


def role(name: str = "a-at-h", **elements: Any) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": name,
        "practitioner": ref(PERSON),
        "organization": ref("Organization/h"),
        **elements,
    }


def organization(name: str, above: str | None = None, **elements: Any) -> Json:
    part_of = {"partOf": ref(f"Organization/{above}")} if above else {}
    return {"resourceType": "Organization", "id": name, **part_of, **elements}


def team(*members: str, **elements: Any) -> Json:
    participants = [{"member": ref(member)} for member in members]
    return {
        "resourceType": "CareTeam",
        "id": "t",
        "status": "active",
        "participant": participants,
        **elements,
    }


def group(*members: str, **elements: Any) -> Json:
    listed = [{"entity": ref(member)} for member in members]
    return {
        "resourceType": "Group",
        "id": "g",
        "type": "practitioner",
        "actual": True,
        "member": listed,
        **elements,
    }


def actors(*resources: Json, start: str = ROLE) -> Actors:
    directory = {f"{one['resourceType']}/{one['id']}": one for one in resources}
    return expand(directory, start, at=NOW, zone=TOKYO)


HOSPITAL = (role(), organization("h", "city"), organization("city"))


def test_a_role_leads_to_the_person_the_organization_and_everything_above() -> None:
    found = actors(*HOSPITAL)
    assert found.references == {ROLE, PERSON, "Organization/h", "Organization/city"}
    assert not found.unresolved


@pytest.mark.parametrize("member", [ROLE, PERSON, "Organization/h", "Organization/city"])
def test_teams_and_groups_that_list_any_of_these_count(member: str) -> None:
    assert actors(*HOSPITAL, team(member)).references >= {"CareTeam/t"}
    assert actors(*HOSPITAL, group(member)).references >= {"Group/g"}


def test_who_is_listed_nowhere_is_in_no_team() -> None:
    found = actors(*HOSPITAL, team("Practitioner/b"), group("Organization/k"))
    assert not found.references & {"CareTeam/t", "Group/g"}
    assert found.resolvable == {"CareTeam/t", "Group/g"}


def test_a_person_acts_in_one_role_and_not_in_their_others() -> None:
    found = actors(*HOSPITAL, role("a-at-k", organization=ref("Organization/k")), organization("k"))
    assert "Organization/k" not in found.references


def test_a_person_without_role_is_only_themselves() -> None:
    assert actors(*HOSPITAL, start=PERSON).references == {PERSON}


def test_a_service_acts_as_its_organization() -> None:
    found = actors(*HOSPITAL, start="Organization/h")
    assert found.references == {"Organization/h", "Organization/city"}


@pytest.mark.parametrize("elements", [{"active": False}, {"period": PAST}, {"period": FUTURE}])
def test_a_role_that_does_not_count_leads_nowhere(elements: Json) -> None:
    found = actors(role(**elements), *HOSPITAL[1:])
    assert found == Actors(frozenset(), unresolved=False, resolvable=frozenset())


@pytest.mark.parametrize("elements", [{"active": False}, {"period": PAST}])
def test_a_role_that_does_not_count_is_in_no_team_that_lists_it(elements: Json) -> None:
    assert actors(role(**elements), *HOSPITAL[1:], team(ROLE)).references == frozenset()


@pytest.mark.parametrize(
    "elements", [{"status": "inactive"}, {"status": "proposed"}, {"period": PAST}, {"period": FUTURE}]
)
def test_a_team_that_does_not_count_has_no_members(elements: Json) -> None:
    assert "CareTeam/t" not in actors(*HOSPITAL, team(PERSON, **elements)).references


def test_a_member_that_does_not_count_is_none() -> None:
    gone = {"entity": ref(PERSON), "inactive": True}
    past = {"entity": ref(PERSON), "period": PAST}
    assert "Group/g" not in actors(*HOSPITAL, group(member=[gone, past])).references
    assert "Group/g" not in actors(*HOSPITAL, group(PERSON, active=False)).references
    assert (
        "CareTeam/t"
        not in actors(*HOSPITAL, team(participant=[{"member": ref(PERSON), "period": PAST}])).references
    )


@pytest.mark.parametrize("period", [PAST, FUTURE, {"start": "2030", "end": "2031"}])
def test_a_member_of_another_time_is_none(period: Json) -> None:
    participant = {"member": ref(PERSON), "period": period}
    for whole in ({}, {"period": {"start": "2026"}}, {"period": {"end": "2032"}}):
        assert "CareTeam/t" not in actors(*HOSPITAL, team(participant=[participant], **whole)).references


def test_whoever_is_listed_without_a_reference_is_no_member() -> None:
    assert edges(team(participant=[{"role": [{"text": "on duty"}]}, {"member": {}}]), TOKYO) == []
    assert edges(group(member=[{"entity": {"display": "all nurses"}}]), TOKYO) == []


def test_a_collective_leads_to_no_other_that_lists_it() -> None:
    assert actors(*HOSPITAL, team(PERSON), group("CareTeam/t")).references == {
        *actors(*HOSPITAL).references,
        "CareTeam/t",
    }


def test_a_membership_counts_while_both_the_team_and_the_member_do() -> None:
    participant = {"member": ref(PERSON), "period": {"start": "2026", "end": "2028"}}
    (step,) = edges(team(period={"start": "2025", "end": "2027"}, participant=[participant]), TOKYO)
    assert step == Membership(
        PERSON,
        "CareTeam/t",
        MembershipKind.COLLECTIVE,
        Interval(datetime(2025, 12, 31, 15, tzinfo=UTC), datetime(2027, 12, 31, 15, tzinfo=UTC)),
    )


def test_organizations_in_a_circle_end_the_walk() -> None:
    found = actors(role(), organization("h", "city"), organization("city", "h"))
    assert found.references == {ROLE, PERSON, "Organization/h", "Organization/city"}
    assert not found.unresolved


@pytest.mark.parametrize(
    "resources",
    [
        (),
        (role(),),
        (role(), organization("h", "city")),
        (role(organization={"display": "the hospital"}),),
        (role(practitioner={"identifier": {"value": "1"}}), *HOSPITAL[1:]),
        (role(), organization("h", partOf={"reference": "https://elsewhere.example/Organization/1"})),
        (role(period="always"), *HOSPITAL[1:]),
    ],
)
def test_a_chain_that_cannot_be_followed_to_its_end_is_broken(resources: tuple[Json, ...]) -> None:
    assert actors(*resources).unresolved


def test_an_unknown_role_is_no_actor() -> None:
    assert actors(*HOSPITAL[1:]).references == frozenset()


def test_a_role_without_organization_is_whole() -> None:
    alone = role()
    del alone["organization"]
    found = actors(alone)
    assert found.references == {ROLE, PERSON}
    assert not found.unresolved


def test_versions_are_stripped_from_references() -> None:
    assert actors(role(practitioner=ref(f"{PERSON}/_history/3")), *HOSPITAL[1:]).references >= {PERSON}


@pytest.mark.parametrize(
    "collective",
    [
        group(actual=False, characteristic=[{"exclude": False}]),
        group(PERSON, actual=False),
        group(PERSON, characteristic=[{"exclude": False}]),
        group(PERSON, quantity=2),
        group(PERSON, quantity="many"),
        group("Group/other"),
        group("Group/other", active=True),
        group(member=[{"entity": {"display": "all nurses"}}]),
        group(PERSON, member={"entity": ref(PERSON), "period": "always"}),
        team("CareTeam/other"),
        team(participant=[{"role": [{"text": "the physician on duty"}]}]),
        team(PERSON, period={"start": "soon"}),
    ],
)
def test_a_collective_whose_members_are_not_known_one_by_one_is_not_resolvable(collective: Json) -> None:
    assert not resolvable(collective, TOKYO)
    assert not actors(*HOSPITAL, collective).resolvable


@pytest.mark.parametrize(
    "collective",
    [
        group(),
        group(PERSON),
        group(PERSON, quantity=1),
        team(),
        team(PERSON),
        group(active=False),
        group("Group/other", active=False),
        team(status="inactive"),
        team("CareTeam/other", status="inactive"),
    ],
)
def test_a_collective_that_lists_its_members_or_has_none_is_resolvable(collective: Json) -> None:
    assert resolvable(collective, TOKYO)


def test_a_listed_member_of_an_unresolvable_group_is_in_it() -> None:
    assert "Group/g" in actors(*HOSPITAL, group(PERSON, quantity=7)).references


def test_the_stored_kinds_never_change() -> None:
    assert [(kind.name, kind.value) for kind in MembershipKind] == [
        ("ROLE", 1),
        ("PRACTITIONER", 2),
        ("ORGANIZATION", 3),
        ("COLLECTIVE", 4),
    ]


def test_other_resources_state_no_memberships() -> None:
    patient = {"resourceType": "Patient", "id": "1", "generalPractitioner": [ref(PERSON)]}
    assert edges(patient, TOKYO) == []
    assert not resolvable(patient, TOKYO)
