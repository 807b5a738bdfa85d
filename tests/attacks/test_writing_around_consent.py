"""Ways to write what one may not: the directory, one's own grant, other people's records, somebody's attention.

http://hl7.org/fhir/R4/consent.html
"""

from typing import Final

import pytest

from passport.intake import PROPOSALS_PER_HOUR
from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

SECRET: Final = "a secret in a contained record"


def hiding(tree: Json, patient: str) -> Json:
    """The resource with an Observation of the patient inside of it."""
    inside = {**made.observation(patient), "id": "o", "valueString": SECRET}
    pointer = {"url": "http://example.org/inside", "valueReference": {"reference": "#o"}}
    return {**tree, "contained": [inside], "extension": [pointer]}


async def test_a_resident_makes_nobody_a_member_of_a_hospital(cast: Cast, hanako: Voice) -> None:
    forged = hiding(made.role(cast.dr_b, cast.emergency), hanako.reference)
    outcome(await hanako.post(forged), 403, "forbidden")


async def test_a_grant_to_collect_does_not_reach_the_directory(cast: Cast, hanako: Voice) -> None:
    await hanako.grant(permit(cast.role_a, actions=["collect", "correct"]))
    outcome(await cast.a.post(hiding(made.organization("偽物"), hanako.reference)), 403, "forbidden")
    outcome(await cast.a.post(made.organization("偽物")), 403, "forbidden")


@pytest.mark.parametrize("tree", [made.organization("役所"), made.practitioner("役人")])
async def test_an_operator_hides_no_health_data_in_the_directory(
    town: Town, hanako: Voice, tree: Json
) -> None:
    outcome(await town.operator.post(hiding(tree, hanako.reference)), 403, "forbidden")


async def test_an_operator_registers_nobody_with_health_data_inside(town: Town, hanako: Voice) -> None:
    person = {"resourceType": "Patient", "name": [{"text": "架空"}]}
    outcome(await town.operator.post(hiding(person, hanako.reference)), 403, "forbidden")


async def test_a_proxy_grants_nothing_to_a_team_that_it_may_be_in(hanako: Voice) -> None:
    proxy = hanako.town.as_(await hanako.create(made.related_person(hanako.reference)))
    await hanako.grant(
        permit(proxy.reference, purposes=["FAMRQT"], types=["Consent"], actions=["collect", "correct"])
    )
    team = await hanako.create(made.care_team(hanako.reference))
    outcome(await proxy.post(hanako.consent(permit(team, purposes=["FAMRQT"]))), 403, "forbidden")


async def test_a_proposal_moved_to_somebody_else_does_not_tell_whether_they_are_here(
    cast: Cast, hanako: Voice, taro: Voice
) -> None:
    answers = []
    for patient in (hanako.reference, "Patient/nobody-of-this-name"):
        tree = {
            **hanako.consent(permit(cast.role_a)),
            "status": "proposed",
            "patient": {"reference": patient},
        }
        proposal = await cast.a.create(tree)
        for other in (taro.reference, "Patient/somebody-else-unknown"):
            moved = await cast.a.put(proposal, {**tree, "patient": {"reference": other}})
            answers.append((moved.status_code, moved.content))
    assert len(set(answers)) == 1
    assert answers[0][0] == 403


async def test_a_proposal_that_is_taken_back_still_counts_against_its_writer(
    cast: Cast, hanako: Voice
) -> None:
    tree = {**hanako.consent(permit(cast.role_a_at_k)), "status": "proposed"}
    caller = cast.a_at_k
    statuses = set()
    for _ in range(PROPOSALS_PER_HOUR):
        put = await caller.post(tree)
        statuses.add(put.status_code)
        if put.is_success:
            await caller.remove(f"Consent/{put.json()['id']}")
    assert statuses == {201, 429}


async def test_a_provenance_tells_nothing_of_records_out_of_sight(cast: Cast, hanako: Voice) -> None:
    pharmacy = hanako.town.as_(cast.pharmacy)
    await hanako.grant(permit(cast.pharmacy, types=["MedicationStatement"], actions=["collect"]))
    theirs = await hanako.create(made.statement(hanako.reference))
    own = await pharmacy.create(made.statement(hanako.reference))
    about = made.provenance(theirs, agent=cast.pharmacy)
    hidden, unknown = (
        await pharmacy.post(about),
        await pharmacy.post(made.provenance("MedicationStatement/none", agent=cast.pharmacy)),
    )
    assert (hidden.status_code, hidden.content) == (unknown.status_code, unknown.content)
    assert hidden.status_code == 403
    assert (await pharmacy.post(made.provenance(own, agent=cast.pharmacy))).status_code == 201


async def test_an_operator_names_no_consent_and_no_device(town: Town, hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.role_a))
    policy = {**hanako.consent(permit(cast.emergency, purposes=["BTG"]))}
    del policy["patient"]
    policy["status"] = "proposed"
    taken = await town.operator.put(consent, policy)
    free = await town.operator.put("Consent/of-no-one", policy)
    assert (taken.status_code, taken.content) == (free.status_code, free.content)
    assert taken.status_code == 405
