"""The worked cases of what a consent means, one by one, through the served application.

http://hl7.org/fhir/R4/consent.html

`sees` reads, searches and counts, and the three must agree.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pytest

from consent.systems import LOINC
from tests import resources as made
from tests.cast import Cast
from tests.labelled import relabelled
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import YJ, Json, allow, consent_json, deny, permit

pytestmark = pytest.mark.anyio

NORMAL: Final = made.labelled("N")
SECOND_BOX: Final = (LOINC, "8867-4")

Policy = Callable[[Json], Awaitable[str]]


@pytest.fixture
async def policy(town: Town) -> AsyncIterator[Policy]:
    """Writes a policy that ends with the test."""
    written: list[str] = []

    async def write(root: Json) -> str:
        written.append(await town.policy(consent_json(root, None)))
        return written[-1]

    yield write
    for reference in written:
        await town.operator.remove(reference)


async def opened(physician: Voice, patient: Voice) -> Voice:
    """The physician with the token of an opening."""
    body = orjson.dumps({"patient": patient.reference, "reason": "意識のない状態で搬送された（架空）"})
    headers = {"Content-Type": "application/json"}
    answer = await physician.call("POST", "/auth/break-glass", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return Voice(physician.town, "", "BTG", "", bearer=answer.json()["access_token"])


async def refused_to_open(physician: Voice, patient: Voice) -> None:
    body = orjson.dumps({"patient": patient.reference, "reason": "意識のない状態で搬送された（架空）"})
    headers = {"Content-Type": "application/json"}
    outcome(await physician.call("POST", "/auth/break-glass", content=body, headers=headers), 403)


async def observed(voice: Voice, **elements: Any) -> str:
    return await voice.create(made.pressure(voice.reference, **{"meta": NORMAL, **elements}))


async def prescribed(voice: Voice, *codes: tuple[str, str], **elements: Any) -> str:
    return await voice.create(made.prescription(voice.reference, *codes, **{"meta": NORMAL, **elements}))


async def test_1_without_consents_nothing_is_permitted(town: Town, hanako: Voice, cast: Cast) -> None:
    records = [hanako.reference, await observed(hanako), await prescribed(hanako)]
    for purpose in ("TREAT", "ETREAT", "HRESCH", "CAREMGT"):
        for role in (cast.role_a, cast.hospital, cast.pharmacy):
            for reference in records:
                assert not await town.as_(role, purpose).sees(reference)


async def test_2_a_permit_is_for_its_actor_and_its_purpose(town: Town, hanako: Voice, cast: Cast) -> None:
    reference = await observed(hanako)
    await hanako.grant(permit(cast.dr_a))
    assert await cast.a.sees(reference)
    assert not await town.as_(cast.role_a, "HRESCH").sees(reference)
    assert not await cast.b.sees(reference)


async def test_3_an_exception_of_an_exception_permits_again(hanako: Voice, cast: Cast) -> None:
    c09 = allow(codes=[made.CANDESARTAN])
    await hanako.grant(permit(cast.hospital, but=[deny(types=["MedicationRequest"], but=[c09])]))
    assert await cast.a.sees(await observed(hanako))
    assert await cast.a.sees(await prescribed(hanako, made.CANDESARTAN))
    assert not await cast.a.sees(await prescribed(hanako, made.MIRTAZAPINE))
    assert not await cast.a.sees(await prescribed(hanako, (YJ, "2149040F1020")))
    assert not await cast.a.sees(await prescribed(hanako))


async def test_4_a_root_deny_blocks_whatever_is_granted_beside_it(hanako: Voice, cast: Cast) -> None:
    reference = await observed(hanako)
    await hanako.grant(permit(cast.hospital), deny(cast.dr_b), permit(cast.hospital, actions=["collect"]))
    assert not await cast.b.sees(reference)
    assert await cast.a.sees(reference)
    outcome(await cast.b.post(made.pressure(hanako.reference)), 403, "forbidden")
    assert (await cast.a.post(made.pressure(hanako.reference))).status_code == 201


async def test_5_a_deny_inside_a_permit_carves_out_of_that_permit_alone(hanako: Voice, cast: Cast) -> None:
    reference = await prescribed(hanako, made.CANDESARTAN)
    await hanako.grant(permit(cast.hospital, but=[deny(types=["MedicationRequest"])]), permit(cast.dr_a))
    assert await cast.a.sees(reference)
    assert not await cast.b.sees(reference)


async def test_6_a_permitted_label_covers_itself_and_what_is_less_confidential(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, labels=["N"]))
    for label, expected in (("L", True), ("N", True), ("R", False), ("V", False)):
        assert await cast.a.sees(await observed(hanako, meta=made.labelled(label))) is expected
    assert not await cast.a.sees(relabelled(town, await observed(hanako)))


async def test_7_a_denied_label_covers_itself_and_what_is_more_confidential(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital), deny(labels=["R"]))
    for label, expected in (("N", True), ("R", False), ("V", False)):
        assert await cast.a.sees(await observed(hanako, meta=made.labelled(label))) is expected
    assert not await cast.a.sees(relabelled(town, await observed(hanako)))


async def test_8_a_permitted_data_period_covers_what_lies_in_it(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.dr_a, data_period={"start": "2024", "end": "2024-12-31"}))
    straddling = {"effectivePeriod": {"start": "2024-12-31", "end": "2025-01-01"}}
    assert await cast.a.sees(await observed(hanako, time="2024-06-01"))
    assert not await cast.a.sees(await observed(hanako, time="2025-01-01"))
    assert not await cast.a.sees(await observed(hanako, time=None, **straddling))
    assert not await cast.a.sees(await observed(hanako, time=None))


async def test_9_a_denied_data_period_spares_what_lies_outside_of_it(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.dr_a), deny(data_period={"start": "2024", "end": "2024"}))
    straddling = {"effectivePeriod": {"start": "2024-12-31", "end": "2025-01-01"}}
    assert await cast.a.sees(await observed(hanako, time="2026"))
    assert not await cast.a.sees(await observed(hanako, time=None, **straddling))
    assert not await cast.a.sees(await observed(hanako, time=None))


async def test_10_a_permit_begins_and_ends_with_its_period(town: Town, hanako: Voice, cast: Cast) -> None:
    reference = await observed(hanako)
    now = datetime.now(UTC)
    period = {
        "start": (now + timedelta(hours=1)).isoformat(timespec="seconds"),
        "end": (now + timedelta(hours=2)).isoformat(timespec="seconds"),
    }
    await hanako.grant(permit(cast.dr_a, period=period))
    for ahead, expected in ((0, False), (90, True), (121, False)):
        with town.later(timedelta(minutes=ahead)):
            assert await cast.a.sees(reference) is expected, ahead


async def test_11_an_instance_is_that_record_and_dependents_also_what_refers_to_it(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    for voice, meaning, expected in ((hanako, "instance", True), (taro, "dependents", False)):
        request = await prescribed(voice, made.CANDESARTAN)
        tree = made.dispense(voice.reference, made.CANDESARTAN, meta=NORMAL)
        dispense = await voice.create({**tree, "authorizingPrescription": [made.reference(request)]})
        other = await voice.create(tree)
        await voice.grant(permit(cast.hospital, but=[deny(data=[(meaning, request)])]))
        assert not await cast.a.sees(request)
        assert await cast.a.sees(dispense) is expected
        assert await cast.a.sees(other)


async def test_12_authored_by_is_unknown_without_an_author(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(
        permit(cast.hospital, but=[deny(data=[("authoredby", cast.dr_b)])]),
        permit(cast.hospital, actions=["collect"]),
    )
    by_a, by_b = [made.reference(cast.dr_a)], [made.reference(cast.dr_b)]
    assert not await cast.a.sees(await observed(hanako, performer=by_b))
    assert not await cast.a.sees(await observed(hanako))
    assert await cast.a.sees(await observed(hanako, performer=by_a))


async def test_12_the_source_that_wrote_a_record_is_an_author_of_it(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(
        permit(cast.clinic, but=[deny(data=[("authoredby", cast.role_b)])]),
        permit(cast.hospital, actions=["collect"]),
    )
    by_a = [made.reference(cast.dr_a)]
    for writer, expected in ((cast.a, True), (cast.b, False)):
        reference = await writer.create(made.pressure(hanako.reference, performer=by_a))
        assert await cast.a_at_k.sees(reference) is expected


async def test_13_a_record_that_names_two_patients_needs_both(hanako: Voice, taro: Voice, cast: Cast) -> None:
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"], actions=["access", "collect"]))
    both = await observed(hanako, performer=[made.reference(taro.reference)])
    await hanako.grant(permit(cast.dr_a))
    assert not await cast.a.sees(both)
    await taro.grant(permit(cast.dr_a))
    assert await cast.a.sees(both)


async def test_14_break_glass_passes_a_deny_that_does_not_name_it(
    hanako: Voice, taro: Voice, cast: Cast, policy: Policy
) -> None:
    reference, of_taro = await observed(hanako), await observed(taro)
    await refused_to_open(cast.e, hanako)
    await policy(permit(cast.emergency, purposes=["BTG"]))
    await hanako.grant(deny())
    in_emergency = await opened(cast.e, hanako)
    assert await in_emergency.sees(reference)
    assert not await in_emergency.sees(of_taro)
    assert not await cast.e.sees(reference)
    await refused_to_open(cast.a, hanako)


async def test_an_opening_shows_nothing_of_nobody(
    town: Town, cast: Cast, hanako: Voice, policy: Policy
) -> None:
    """A policy covers what names nobody as well; an opening is for one patient, and nobody is another one."""
    scanner = await town.operator.create(
        {"resourceType": "Device", "deviceName": [{"name": "端末", "type": "other"}]}
    )
    mine = await hanako.create(made.device(hanako.reference))
    await policy(permit(cast.emergency, purposes=["BTG", "TREAT"], types=["Device"]))
    assert await cast.e.sees(scanner)
    physician = await opened(cast.e, hanako)
    assert await physician.sees(mine)
    assert not await physician.sees(scanner)


async def test_an_opening_shows_a_group_of_its_patient_alone(
    town: Town, hanako: Voice, taro: Voice, cast: Cast, policy: Policy
) -> None:
    """Also where a policy names BTG and class Group: whom else a record names, the opening is not for."""
    staff = await town.operator.create(made.group(cast.dr_a, kind="practitioner"))
    mine = await hanako.create(made.group(hanako.reference))
    lets = permit(hanako.reference, purposes=["PATRQT"], types=["Group"], actions=["collect", "access"])
    await taro.grant(lets)
    both = await hanako.create(made.group(hanako.reference, taro.reference))
    await policy(permit(cast.emergency, purposes=["BTG", "TREAT"], types=["Group"]))
    physician = await opened(cast.e, hanako)
    assert [await cast.e.sees(one) for one in (staff, mine, both)] == [True, True, True]
    assert [await physician.sees(one) for one in (staff, mine, both)] == [False, True, False]


async def test_15_a_deny_that_names_break_glass_holds_against_it(
    hanako: Voice, cast: Cast, policy: Policy
) -> None:
    observation, prescription = await observed(hanako), await prescribed(hanako, made.CANDESARTAN)
    await policy(permit(cast.emergency, purposes=["BTG"]))
    await hanako.grant(deny(purposes=["BTG"], types=["MedicationRequest"]))
    in_emergency = await opened(cast.e, hanako)
    assert not await in_emergency.sees(prescription)
    assert await in_emergency.sees(observation)


async def test_16_a_permit_in_a_root_deny_grants_unless_another_deny_blocks(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    reference = await observed(hanako)
    await hanako.grant(deny(but=[permit(cast.emergency, purposes=["ETREAT"])]))
    in_haste = town.as_(cast.role_e, "ETREAT")
    assert await in_haste.sees(reference)
    assert not await cast.e.sees(reference)
    await hanako.grant(deny(cast.emergency))
    assert not await in_haste.sees(reference)


async def test_17_a_denied_group_that_cannot_be_resolved_denies_everybody(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    reference = await observed(hanako)
    by_trait = {"resourceType": "Group", "type": "practitioner", "actual": False}
    unresolved = await town.operator.create(by_trait)
    listed = await town.operator.create(made.group(cast.dr_b, kind="practitioner"))
    await hanako.grant(permit(cast.hospital), deny(listed))
    assert await cast.a.sees(reference)
    assert not await cast.b.sees(reference)
    for group in (unresolved, "Group/unheard-of"):
        (consent,) = await hanako.grant(deny(group))
        assert not await cast.a.sees(reference)
        await hanako.remove(consent)
        assert await cast.a.sees(reference)


async def test_18_a_bare_deny_blocks_everything(hanako: Voice, cast: Cast) -> None:
    reference = await observed(hanako)
    await hanako.grant(permit(cast.hospital))
    assert await cast.a.sees(reference)
    await hanako.grant(deny())
    assert not await cast.a.sees(reference)
    assert await hanako.sees(reference)


async def test_19_grants_add_up(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, labels=["N"]), permit(cast.dr_a, labels=["R"]))
    restricted = await observed(hanako, meta=made.labelled("R"))
    assert await cast.a.sees(restricted)
    assert not await cast.b.sees(restricted)


async def test_20_break_glass_can_be_granted_inside_a_root_deny(
    hanako: Voice, cast: Cast, policy: Policy
) -> None:
    observation, prescription = await observed(hanako), await prescribed(hanako, made.CANDESARTAN)
    # Opening is a matter of a policy; what is then seen of this patient is the patient's own word.
    await policy(permit(cast.emergency, purposes=["BTG"], types=["Patient"]))
    await hanako.grant(deny(but=[permit(cast.emergency, purposes=["BTG"], types=["Observation"])]))
    in_emergency = await opened(cast.e, hanako)
    assert await in_emergency.sees(observation)
    assert not await in_emergency.sees(prescription)
    assert not await cast.e.sees(observation)


async def test_21_a_granting_node_without_actor_and_purpose_is_refused(hanako: Voice) -> None:
    tree = hanako.consent(deny(but=[allow(types=["Observation"])]))
    told = outcome(await hanako.post(tree), 422)
    assert [issue["expression"] for issue in told["issue"]] == [["Consent.provision.provision[0]"]] * 2
    assert await hanako.found("Consent") == []


async def test_22_consents_audits_and_care_teams_are_covered_only_by_name(hanako: Voice, cast: Cast) -> None:
    consent, *_ = await hanako.grant(permit(cast.hospital))
    team = await hanako.create(made.care_team(hanako.reference, cast.role_a))
    kin = await hanako.create(made.related_person(hanako.reference))
    group = await hanako.create(made.group(hanako.reference))
    for reference in (consent, team, kin, group):
        assert not await cast.a.sees(reference)
    assert await cast.a.found("AuditEvent", ("patient", hanako.reference)) == []
    await hanako.grant(
        permit(cast.hospital, types=["Consent", "CareTeam", "RelatedPerson", "Group", "AuditEvent"])
    )
    for reference in (consent, team, kin, group):
        assert await cast.a.sees(reference)
    assert await cast.a.found("AuditEvent", ("patient", hanako.reference))


async def test_23_a_grant_to_an_organization_is_not_for_its_people_in_another_role(
    hanako: Voice, cast: Cast
) -> None:
    reference = await observed(hanako)
    await hanako.grant(permit(cast.hospital))
    assert await cast.a.sees(reference)
    assert not await cast.a_at_k.sees(reference)


async def test_the_order_of_consents_and_saying_a_thing_twice_change_nothing(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    roots = [permit(cast.hospital, labels=["N"]), permit(cast.dr_a, labels=["R"]), deny(cast.dr_b)]
    for voice, order in ((hanako, roots), (taro, [*roots[::-1], *roots])):
        await voice.grant(*order)
        restricted = await observed(voice, meta=made.labelled("R"))
        assert await cast.a.sees(restricted)
        assert not await cast.b.sees(restricted)


async def test_a_permit_to_an_organization_is_for_whoever_acts_below_it(hanako: Voice, cast: Cast) -> None:
    reference = await observed(hanako)
    (consent,) = await hanako.grant(permit(cast.hospital))
    assert await cast.a.sees(reference)
    await hanako.remove(consent)
    await hanako.grant(permit(cast.ward))
    assert await cast.a.sees(reference)
    assert not await hanako.town.as_(cast.hospital).sees(reference)


async def test_a_role_that_ended_counts_no_more_from_the_next_request_on(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    reference = await observed(hanako)
    someone = await town.operator.create(made.practitioner("架空 五郎"))
    tree = made.role(someone, cast.hospital)
    role = await town.operator.create(tree)
    await hanako.grant(permit(cast.hospital))
    physician = town.as_(role)
    assert await physician.sees(reference)
    await town.operator.replace(role, {**tree, "active": False})
    assert not await physician.sees(reference)
    await town.operator.replace(role, {**tree, "period": {"end": "2020-01-01"}})
    assert not await physician.sees(reference)
    await town.operator.replace(role, tree)
    assert await physician.sees(reference)
    await town.operator.remove(role)
    assert not await physician.sees(reference)


async def test_whoever_leaves_a_care_team_sees_no_more(hanako: Voice, cast: Cast) -> None:
    reference = await observed(hanako)
    team = await hanako.create(made.care_team(hanako.reference, cast.role_a, cast.dr_b))
    await hanako.grant(permit(team))
    assert await cast.a.sees(reference)
    assert await cast.b.sees(reference)
    await hanako.replace(team, made.care_team(hanako.reference, cast.role_a))
    assert await cast.a.sees(reference)
    assert not await cast.b.sees(reference)


async def test_category_and_vitals_profile_are_classes(hanako: Voice, cast: Cast) -> None:
    vital = (made.OBSERVATION_CATEGORY, "vital-signs")
    await hanako.grant(permit(cast.hospital, classes=[vital]))
    stated = await observed(hanako)
    profile = "http://hl7.org/fhir/StructureDefinition/heartrate"
    implied = await hanako.create(made.observation(hanako.reference, SECOND_BOX, meta={"profile": [profile]}))
    neither = await hanako.create(made.observation(hanako.reference, SECOND_BOX))
    assert [await cast.a.sees(reference) for reference in (stated, implied, neither)] == [True, True, False]


async def test_sensitivity_labels_are_compared_exactly(town: Town, hanako: Voice, cast: Cast) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    await hanako.grant(permit(cast.hospital), deny(labels=[(system, "PSY")]))
    for labels, expected in (
        (("N",), True),
        (("N", (system, "HIV")), True),
        (("N", (system, "PSY")), False),
        (("R", (system, "HIV"), (system, "PSY")), False),
        (((system, "HIV"),), True),
    ):
        assert await cast.a.sees(await observed(hanako, meta=made.labelled(*labels))) is expected, labels
    # A sensitivity alone, as records of before may have it, leaves unknown what else they are.
    unknown = relabelled(town, await observed(hanako), made.labelled((system, "HIV"))["security"])
    assert not await cast.a.sees(unknown)


async def test_a_components_code_counts_for_a_consent(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital), deny(codes=[(LOINC, "8480-6")]))
    assert not await cast.a.sees(await observed(hanako))
    assert await cast.a.sees(await hanako.create(made.weight(hanako.reference)))


async def test_a_grant_to_a_service_is_for_the_service_alone(town: Town, hanako: Voice, cast: Cast) -> None:
    reference = await observed(hanako)
    await hanako.grant(permit(cast.pharmacy))
    assert await town.as_(cast.pharmacy).sees(reference)
    assert not await cast.a.sees(reference)
