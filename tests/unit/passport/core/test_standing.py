"""A caller's standing, read by one statement: who they are now, and what each patient's consents leave them."""

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from consent.model import Action, Purpose
from fhirstore.tables import NOBODY
from passport.admission import Request, admitted
from passport.outcomes import Unauthenticated
from passport.runtime import Runtime
from passport.standing import Standing
from passport.subjects import Acting, Bearer
from tests import resources as made
from tests.cast import Cast
from tests.identities import merged
from tests.town import Town, Voice
from tests.unit.consent.words import consent_json, deny, permit

pytestmark = pytest.mark.anyio


def patient_key(voice: Voice) -> int:
    ((key,),) = voice.town.rows(
        "SELECT patient_key FROM patient WHERE patient_id = %s", voice.reference.partition("/")[2]
    )
    return int(key)


async def caller_of(voice: Voice) -> Bearer:
    token = await voice.town.token(voice.reference, voice.purpose, voice.scope)
    return Bearer(sha256(token.encode()).digest())


async def stands(voice: Voice, about: str | None = None, action: Action = Action.ACCESS) -> Standing:
    request = Request(action, "read", "GET x", about=about)
    async with admitted(voice.town.runtime, await caller_of(voice), request) as desk:
        return desk.standing


def at(town: Town, now: datetime) -> Runtime:
    """The service's parts with a clock that stands still."""
    return replace(town.runtime, clock=lambda: now)


def effects(standing: Standing, patient: Voice) -> list[int]:
    """The effects of what this patient's signature holds, policies included."""
    key = patient_key(patient)
    return [held.effect for signature, keys in standing.groups.items() if key in keys for held in signature]


async def test_a_person_is_known_by_role_and_practitioner(cast: Cast) -> None:
    subject = (await stands(cast.a)).subject
    assert (subject.kind, subject.reference, subject.role, subject.purpose) == (
        "practitioner",
        cast.dr_a,
        cast.role_a,
        "TREAT",
    )
    assert (subject.patient, subject.patient_key, subject.opened_patient_key) == (None, None, None)


async def test_a_resident_is_known_with_the_own_passport(hanako: Voice) -> None:
    standing = await stands(hanako)
    assert standing.subject.patient == hanako.reference
    assert standing.own == patient_key(hanako)


async def test_an_unknown_an_expired_and_an_ended_token_stand_for_nobody(town: Town, hanako: Voice) -> None:
    caller = await caller_of(hanako)
    request = Request(Action.ACCESS, "read", "GET x")
    with pytest.raises(Unauthenticated):
        async with admitted(town.runtime, Bearer(bytes(32)), request):
            pass
    for ahead in (timedelta(hours=12), timedelta(hours=-1)):
        with town.later(ahead), pytest.raises(Unauthenticated):
            async with admitted(town.runtime, caller, request):
                pass
    await hanako.call("POST", "/auth/sign-out")
    town.sessions.clear()
    with pytest.raises(Unauthenticated):
        async with admitted(town.runtime, caller, request):
            pass


async def test_a_token_counts_from_the_instant_of_its_issue_until_that_of_its_end(
    town: Town, hanako: Voice
) -> None:
    caller = await caller_of(hanako)
    ((issued, expires),) = town.rows(
        "SELECT issued_at, expires_at FROM session WHERE token_hash = %s", caller.token_hash
    )
    request, moment = Request(Action.ACCESS, "read", "GET x"), timedelta(microseconds=1)
    for now in (issued, expires - moment):
        async with admitted(at(town, now), caller, request) as desk:
            assert desk.standing.subject.patient == hanako.reference
    for now in (issued - moment, expires):
        with pytest.raises(Unauthenticated):
            async with admitted(at(town, now), caller, request):
                pass


async def test_a_service_that_is_vouched_for_stands_like_one_with_a_token(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.pharmacy))
    with_token = await stands(hanako.town.as_(cast.pharmacy), hanako.reference)
    request = Request(Action.ACCESS, "read", "GET x", about=hanako.reference)
    async with admitted(hanako.town.runtime, Acting(with_token.subject), request) as desk:
        assert desk.standing.groups == with_token.groups
        assert desk.standing.actor_key == with_token.actor_key


async def test_only_what_asks_nothing_else_of_the_request_stands(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(
        permit(cast.hospital),
        permit(cast.hospital, purposes=["HRESCH"]),
        permit(cast.hospital, actions=["collect"]),
        permit(cast.clinic),
        deny(cast.dr_b),
        deny(cast.dr_a, purposes=["HRESCH"]),
    )
    (ended,) = await hanako.grant(permit(cast.hospital))
    await hanako.replace(ended, hanako.consent(permit(cast.hospital, period={"end": "2020-01-01"})))
    assert effects(await stands(cast.a, hanako.reference), hanako) == [1]
    assert effects(await stands(cast.b, hanako.reference), hanako) == [1, 2]
    assert effects(await stands(cast.a, hanako.reference, Action.COLLECT), hanako) == [1]
    assert effects(await stands(hanako.town.as_(cast.role_a, "HRESCH"), hanako.reference), hanako) == [1, 2]
    assert effects(await stands(cast.e, hanako.reference), hanako) == []


async def test_patients_who_consented_alike_stand_in_one_group(
    hanako: Voice, taro: Voice, town: Town, cast: Cast
) -> None:
    third = await town.resident("見本 三太")
    for voice, roots in (
        (hanako, [permit(cast.hospital), deny(codes=[made.BODY_WEIGHT])]),
        (taro, [deny(codes=[made.BODY_WEIGHT]), permit(cast.hospital)]),
        (third, [permit(cast.hospital)]),
    ):
        await voice.grant(*roots)
    standing = await stands(cast.a)
    groups = [set(keys) for keys in standing.groups.values()]
    together = {patient_key(hanako), patient_key(taro)}
    assert any(together <= group and patient_key(third) not in group for group in groups)


async def test_the_consents_behind_a_signature_are_named_in_its_order(hanako: Voice, cast: Cast) -> None:
    references = await hanako.grant(permit(cast.hospital), permit(cast.dr_a, types=["Condition"]))
    standing = await stands(cast.a, hanako.reference)
    assert sorted(standing.refs[patient_key(hanako)]) == sorted(f"{one}/_history/1" for one in references)
    (signature,) = [held for held, keys in standing.groups.items() if patient_key(hanako) in keys]
    assert len(signature) == len(standing.refs[patient_key(hanako)])


async def test_a_question_about_one_patient_costs_nothing_of_others(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.clinic))
    standing = await stands(cast.a_at_k, hanako.reference)
    assert {key for keys in standing.groups.values() for key in keys} == {NOBODY, patient_key(hanako)}
    assert standing.asked == patient_key(hanako)


async def test_a_question_about_one_of_two_registrations_costs_nothing_of_others(
    hanako: Voice, taro: Voice, town: Town, cast: Cast
) -> None:
    other = await town.resident("見本 三太")
    for voice in (hanako, taro, other):
        await voice.grant(permit(cast.clinic))
    await merged(hanako, taro)
    standing = await stands(cast.a_at_k, hanako.reference)
    assert {key for keys in standing.groups.values() for key in keys} == {
        NOBODY,
        patient_key(hanako),
        patient_key(taro),
    }


async def test_a_question_about_nobody_in_particular_is_about_those_who_shared(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital))
    await taro.grant(deny(cast.dr_b))
    standing = await stands(cast.a)
    asked = {key for keys in standing.groups.values() for key in keys}
    assert patient_key(hanako) in asked
    assert patient_key(taro) not in asked


async def test_who_died_stands_for_nobody_whatever_they_ask(town: Town, hanako: Voice) -> None:
    caller = await caller_of(hanako)
    await town.operator.replace(
        hanako.reference,
        {"resourceType": "Patient", "name": [{"text": "見本（架空）"}], "deceasedBoolean": True},
    )
    for about in (None, hanako.reference):
        with pytest.raises(Unauthenticated):
            async with admitted(town.runtime, caller, Request(Action.ACCESS, "read", "GET x", about=about)):
                pass


async def test_a_purpose_that_there_is_not_is_none_of_those_that_are_permitted(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(*(permit(cast.pharmacy, purposes=[purpose.value]) for purpose in Purpose))
    subject = (await stands(hanako.town.as_(cast.pharmacy), hanako.reference)).subject
    request = Request(Action.ACCESS, "read", "GET x", about=hanako.reference)
    for purpose, permits in (("TREAT", [1]), ("MARKETING", [])):
        caller = Acting(replace(subject, purpose=purpose))
        async with admitted(hanako.town.runtime, caller, request) as desk:
            assert effects(desk.standing, hanako) == permits


async def test_a_question_about_a_record_is_about_whoever_holds_it(hanako: Voice, cast: Cast) -> None:
    record = await hanako.create(made.weight(hanako.reference))
    assert (await stands(cast.a, record)).asked == patient_key(hanako)
    assert (await stands(cast.a, "Observation/unknown")).asked is None
    assert (await stands(cast.a)).asked is None


async def test_who_shares_a_record_with_the_patient_in_question_is_in_question_too(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    for voice in (hanako, taro):
        await voice.grant(permit(cast.hospital, types=["Group"], actions=["collect"]))
    await cast.a.create(made.group(hanako.reference, taro.reference))
    standing = await stands(cast.a, hanako.reference)
    assert patient_key(taro) in {key for keys in standing.groups.values() for key in keys}


async def test_policies_stand_in_every_signature(town: Town, hanako: Voice, cast: Cast) -> None:
    bureau = await town.operator.create(made.organization("架空衛生局"))
    policy = await town.policy(consent_json(permit(bureau, purposes=["PUBHLTH"]), None))
    office = town.as_(bureau, "PUBHLTH")
    about_one, about_all = await stands(office, hanako.reference), await stands(office)
    assert [held.effect for held in about_one.policies] == [1]
    assert effects(about_one, hanako) == [1]
    assert about_one.refs[patient_key(hanako)] == about_one.refs[NOBODY]
    assert len(about_one.refs[NOBODY]) == 1
    assert (about_one.everyone, about_all.everyone) == (False, True)
    assert not (await stands(cast.a)).everyone
    await town.operator.remove(policy)
    assert (await stands(office)).policies == ()


async def test_emergency_policies_reach_nobody_without_an_opening(town: Town, cast: Cast) -> None:
    policy = await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
    standing = await stands(cast.e)
    assert standing.policies == ()
    await town.operator.remove(policy)
