"""Records that name several patients, hold other records, or follow others.

http://hl7.org/fhir/R4/references.html#contained
http://hl7.org/fhir/R4/provenance.html
"""

from typing import Final

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.labelled import take_labels
from tests.town import BASE_URL, Town, Voice, outcome
from tests.unit.consent.words import Json, concept, deny, permit

pytestmark = pytest.mark.anyio

WRITING: Final = ["access", "collect", "correct"]


def absolute(voice: Voice) -> str:
    return f"{BASE_URL}/fhir/{voice.reference}"


def shared_observation(owner: Voice, other: Voice) -> Json:
    return made.pressure(owner.reference, performer=[made.reference(other.reference)])


async def test_a_record_that_names_somebody_else_needs_their_permit_to_be_written(
    hanako: Voice, taro: Voice
) -> None:
    tree = shared_observation(hanako, taro)
    outcome(await hanako.post(tree), 403, "forbidden")
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"], actions=["collect"]))
    reference = await hanako.create(tree)
    assert not await hanako.sees(reference)
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"]))
    assert await hanako.sees(reference)


async def test_a_resident_does_not_see_a_record_that_names_them_in_another_passport(
    hanako: Voice, taro: Voice
) -> None:
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"], actions=["access", "collect"]))
    reference = await hanako.create(shared_observation(hanako, taro))
    assert await hanako.sees(reference)
    assert not await taro.sees(reference)
    await hanako.grant(permit(taro.reference, purposes=["PATRQT"]))
    assert await taro.sees(reference)


async def test_a_group_of_patients_needs_each_of_them(hanako: Voice, taro: Voice, cast: Cast) -> None:
    third = await hanako.town.resident("見本 三太")
    everyone = (hanako, taro, third)
    for voice in everyone:
        await voice.grant(permit(cast.hospital, types=["Group"], actions=["collect"]))
    group = await cast.a.create(made.group(*(voice.reference for voice in everyone)))
    for voice in everyone:
        assert not await cast.a.sees(group)
        await voice.grant(permit(cast.hospital, types=["Group"]))
    assert await cast.a.sees(group)
    await third.grant(deny(cast.dr_a, types=["Group"]))
    assert not await cast.a.sees(group)
    assert await cast.b.sees(group)


async def test_a_group_is_not_written_if_one_of_its_patients_does_not_permit_it(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, types=["Group"], actions=["collect"]))
    outcome(await cast.a.post(made.group(hanako.reference, taro.reference)), 403, "forbidden")
    outcome(await cast.a.post(made.group(taro.reference, hanako.reference)), 403, "forbidden")
    outcome(await cast.a.post(made.group(hanako.reference, "Patient/unknown")), 403, "forbidden")
    await cast.a.create(made.group(hanako.reference))


async def test_a_policy_does_not_stand_in_for_a_patient_who_denies(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"], actions=["access", "collect"]))
    reference = await hanako.create(shared_observation(hanako, taro))
    bureau = await town.operator.create(made.organization("架空衛生局"))
    tree = {**hanako.consent(permit(bureau, purposes=["PUBHLTH"]))}
    del tree["patient"]
    policy = await town.policy(tree)
    office = town.as_(bureau, "PUBHLTH")
    assert await office.sees(reference)
    await taro.grant(deny(bureau))
    assert not await office.sees(reference)
    await town.operator.remove(policy)


async def test_a_deletion_needs_the_others_as_well(hanako: Voice, taro: Voice, cast: Cast) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, types=["Group"], actions=["access", "collect"]))
    group = await cast.a.create(made.group(hanako.reference, taro.reference))
    await hanako.grant(permit(cast.hospital, types=["Group"], actions=["correct"]))
    outcome(await cast.b.delete(group), 403, "forbidden")
    await taro.grant(permit(cast.hospital, types=["Group"], actions=["correct"]))
    await cast.b.remove(group)


async def test_a_patient_who_is_linked_to_another_needs_the_others_permit(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    link = [{"other": made.reference(hanako.reference), "type": "seealso"}]
    linked = await town.resident("見本 花子の別の登録", link=link)
    await linked.grant(permit(cast.hospital))
    assert not await cast.a.sees(linked.reference)
    await hanako.grant(permit(cast.hospital))
    assert await cast.a.sees(linked.reference)


async def test_a_person_is_not_linked_to_somebody_unknown(town: Town) -> None:
    link = [{"other": made.reference("Patient/unknown"), "type": "seealso"}]
    tree = {"resourceType": "Patient", "name": [{"text": "見本（架空）"}], "link": link}
    outcome(await town.operator.post(tree), 403, "forbidden")


async def test_a_contained_resource_is_judged_as_a_record_of_its_own(hanako: Voice, cast: Cast) -> None:
    inside = {**made.prescription(hanako.reference, made.CANDESARTAN), "id": "m"}
    tree = made.pressure(hanako.reference, contained=[inside], basedOn=[made.reference("#m")])
    whole = await hanako.create(tree)
    await hanako.grant(permit(cast.hospital, types=["Observation"]))
    assert not await cast.a.sees(whole)
    await hanako.grant(permit(cast.hospital, types=["MedicationRequest"]))
    assert await cast.a.sees(whole)
    await hanako.grant(deny(codes=[made.CANDESARTAN]))
    assert not await cast.a.sees(whole)


async def test_a_contained_resource_takes_its_containers_facts_where_it_has_none(
    hanako: Voice, cast: Cast
) -> None:
    inside = {"resourceType": "Observation", "id": "o", "status": "final", "code": concept(made.BODY_WEIGHT)}
    tree = made.pressure(
        hanako.reference, contained=[inside], hasMember=[made.reference("#o")], meta=made.labelled("N")
    )
    whole = await hanako.create(tree)
    codes = [made.BODY_WEIGHT, made.BLOOD_PRESSURE]
    await hanako.grant(
        permit(cast.hospital, codes=codes, labels=["N"]),
        permit(cast.clinic, codes=codes[1:]),
        permit(cast.emergency, data_period={"start": "2026-10-01", "end": "2026-10-01"}),
    )
    assert await cast.a.sees(whole)
    assert not await cast.a_at_k.sees(whole)
    assert await cast.e.sees(whole)


async def test_a_contained_record_of_another_patient_needs_that_patient(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"], actions=["access", "collect"]))
    inside = {**made.weight(taro.reference), "id": "o"}
    whole = await hanako.create(
        made.pressure(hanako.reference, contained=[inside], hasMember=[made.reference("#o")])
    )
    await hanako.grant(permit(cast.hospital))
    assert not await cast.a.sees(whole)
    await taro.grant(permit(cast.hospital))
    assert await cast.a.sees(whole)


async def test_a_contained_directory_resource_needs_no_grant(hanako: Voice, cast: Cast) -> None:
    inside = {"resourceType": "Medication", "id": "m", "code": concept(made.CANDESARTAN)}
    tree = made.prescription(hanako.reference, contained=[inside])
    del tree["medicationCodeableConcept"]
    whole = await hanako.create({**tree, "medicationReference": made.reference("#m")})
    await hanako.grant(permit(cast.hospital, types=["MedicationRequest"]))
    assert await cast.a.sees(whole)
    await hanako.grant(deny(codes=[made.CANDESARTAN]))
    assert not await cast.a.sees(whole)


async def test_a_write_is_judged_with_what_it_contains(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, types=["Observation"], actions=["collect"]))
    inside = {**made.prescription(hanako.reference), "id": "m"}
    tree = made.pressure(hanako.reference, contained=[inside], basedOn=[made.reference("#m")])
    outcome(await cast.a.post(tree), 403, "forbidden")
    await hanako.grant(permit(cast.hospital, types=["MedicationRequest"], actions=["collect"]))
    await cast.a.create(tree)


async def test_a_stored_bundle_is_shown_if_all_its_entries_may_be(hanako: Voice, cast: Cast) -> None:
    whole = await hanako.create(
        made.bundle(made.pressure(absolute(hanako)), made.prescription(absolute(hanako), made.CANDESARTAN))
    )
    await hanako.grant(permit(cast.hospital, types=["Bundle"]))
    assert not await cast.a.sees(whole)
    await hanako.grant(permit(cast.hospital, types=["Observation"]))
    assert not await cast.a.sees(whole)
    await hanako.grant(permit(cast.hospital, types=["MedicationRequest"]))
    assert await cast.a.sees(whole)
    await hanako.grant(deny(types=["MedicationRequest"]))
    assert not await cast.a.sees(whole)


async def test_a_stored_bundle_of_two_patients_needs_both(hanako: Voice, taro: Voice, cast: Cast) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, actions=["collect"]))
    whole = await cast.a.create(made.bundle(made.pressure(absolute(hanako)), made.pressure(absolute(taro))))
    await hanako.grant(permit(cast.hospital))
    assert not await cast.a.sees(whole)
    await taro.grant(permit(cast.hospital))
    assert await cast.a.sees(whole)


async def test_a_bundle_of_another_place_names_nobody_here(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    entry = {**made.pressure(hanako.reference), "id": "1"}
    elsewhere = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": "http://elsewhere.test/fhir/Observation/1", "resource": entry}],
    }
    outcome(await cast.a.post(elsewhere), 422, "required")
    outcome(await hanako.post(elsewhere), 422, "required")


async def test_a_provenance_is_shown_if_all_its_targets_are(hanako: Voice, cast: Cast) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    weight = await hanako.create(made.weight(hanako.reference))
    await hanako.grant(permit(cast.clinic), permit(cast.clinic, actions=["collect"]))
    of_one = await cast.a_at_k.create(made.provenance(pressure, agent=cast.dr_a))
    of_both = await cast.a_at_k.create(made.provenance(pressure, weight, agent=cast.dr_a))
    assert [await cast.a.sees(one) for one in (of_one, of_both)] == [False, False]
    await hanako.grant(permit(cast.hospital, codes=[made.BLOOD_PRESSURE]))
    assert [await cast.a.sees(one) for one in (of_one, of_both)] == [True, False]
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    assert [await cast.a.sees(one) for one in (of_one, of_both)] == [True, True]
    await hanako.remove(weight)
    assert [await cast.a.sees(one) for one in (of_one, of_both)] == [True, False]


async def test_a_provenance_of_what_may_not_be_written_about_is_refused(hanako: Voice, cast: Cast) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    await hanako.grant(
        permit(cast.hospital), permit(cast.hospital, codes=[made.BODY_WEIGHT], actions=WRITING)
    )
    denied = await cast.a.post(made.provenance(pressure, agent=cast.dr_a))
    outcome(denied, 403, "forbidden")
    unknown = await cast.a.post(made.provenance("Observation/unknown", agent=cast.dr_a))
    assert unknown.content == denied.content


async def test_a_provenance_does_not_reach_into_another_passport(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    mine, theirs = [await voice.create(made.pressure(voice.reference)) for voice in (hanako, taro)]
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital), permit(cast.hospital, actions=["collect"]))
    outcome(await cast.a.post(made.provenance(mine, theirs, agent=cast.dr_a)), 403, "forbidden")


async def test_a_provenance_that_names_another_patient_as_agent_needs_that_patient(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    target = await hanako.create(made.pressure(hanako.reference))
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, actions=["access", "collect"], types=["Observation"]))
    outcome(await cast.a.post(made.provenance(target, agent="Patient/unknown")), 403, "forbidden")
    reference = await cast.a.create(made.provenance(target, agent=taro.reference))
    assert await cast.a.sees(reference)
    await taro.grant(deny(cast.dr_a, types=["Provenance"]))
    assert not await cast.a.sees(reference)
    assert await cast.b.sees(reference)


async def test_a_version_is_shown_only_if_it_and_the_current_one_may_be(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, labels=["N"]))
    first_restricted = await hanako.create(made.weight(hanako.reference, meta=made.labelled("R")))
    await take_labels(hanako, first_restricted, "R")
    now_restricted = await hanako.create(made.weight(hanako.reference, meta=made.labelled("N")))
    await hanako.replace(now_restricted, made.weight(hanako.reference, meta=made.labelled("R")))
    assert await cast.a.sees(first_restricted)
    outcome(await cast.a.get(f"{first_restricted}/_history/1"), 404, "not-found")
    history = (await cast.a.get(f"{first_restricted}/_history")).json()
    assert [entry["response"]["etag"] for entry in history["entry"]] == ['W/"2"']
    for path in ("", "/_history", "/_history/1", "/_history/2"):
        outcome(await cast.a.get(now_restricted + path), 404, "not-found")


async def test_the_versions_of_a_deleted_record_follow_its_last_content(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, labels=["N"]))
    references = []
    for label in ("N", "R"):
        reference = await hanako.create(made.weight(hanako.reference, meta=made.labelled("N")))
        await hanako.replace(reference, made.weight(hanako.reference, meta=made.labelled(label)))
        await hanako.remove(reference)
        references.append(reference)
    outcome(await cast.a.get(references[0]), 410, "deleted")
    assert (await cast.a.get(f"{references[0]}/_history/1")).status_code == 200
    for path in ("", "/_history", "/_history/1"):
        outcome(await cast.a.get(references[1] + path), 404, "not-found")


async def test_an_operator_corrects_a_registration_without_reading_it(hanako: Voice, town: Town) -> None:
    corrected = {"resourceType": "Patient", "name": [{"text": "見本 華子（架空）"}]}
    outcome(await town.operator.get(hanako.reference), 404)
    answer = await town.operator.put(hanako.reference, corrected)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert (await hanako.read(hanako.reference))["name"] == corrected["name"]
    outcome(await town.operator.put(hanako.reference, corrected, if_match='W/"1"'), 412, "conflict")
    reference = await hanako.create(made.weight(hanako.reference))
    outcome(await town.operator.put(reference, made.weight(hanako.reference)), 403)


async def test_nobody_else_corrects_a_registration(hanako: Voice, cast: Cast) -> None:
    tree = {"resourceType": "Patient", "name": [{"text": "偽 名（架空）"}]}
    outcome(await hanako.put(hanako.reference, tree), 403, "forbidden")
    await hanako.grant(permit(cast.hospital, actions=["access", "collect"]))
    outcome(await cast.a.put(hanako.reference, tree), 403, "forbidden")
