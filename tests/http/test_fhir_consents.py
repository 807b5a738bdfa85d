"""Asking, granting, withdrawing: the life of a consent, policies, and what a resident is told.

http://hl7.org/fhir/R4/consent.html
"""

import asyncio
import re
from typing import Final
from uuid import uuid4

import pytest
from httpx import Response

from passport.intake import PROPOSALS_PER_HOUR
from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, consent_json, deny, permit

pytestmark = pytest.mark.anyio

_VARYING: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT"
)


def masked(answer: Response) -> str:
    """An answer without ids and times, its length told beside it."""
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return _VARYING.sub("*", f"{answer.status_code} {headers} {answer.text}") + f" {len(answer.text)}"


def told(patient: Voice) -> list[tuple[str, str]]:
    """What the resident was told: the kind, and by whom it came."""
    rows = patient.town.rows(
        "SELECT kind, about ->> 'by' FROM notification JOIN patient USING (patient_key) "
        "WHERE patient_id = %s ORDER BY notification.created_at",
        patient.reference.partition("/")[2],
    )
    return [(kind, by) for kind, by in rows]


async def test_a_request_for_access_waits_for_the_patient(hanako: Voice, cast: Cast) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    asked = hanako.consent(permit(cast.hospital), status="proposed")
    reference = await cast.a.create(asked)
    assert not await cast.a.sees(observation)
    assert await cast.a.sees(reference)
    assert await hanako.found("Consent", ("status", "proposed")) == [reference]
    assert told(hanako) == [("access-requested", cast.role_a)]
    for voice in (cast.b, cast.a_at_k, hanako.town.operator, hanako.town.as_("auditor")):
        assert not await voice.sees(reference)


async def test_a_request_becomes_a_grant_when_the_patient_makes_it_active(hanako: Voice, cast: Cast) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    reference = await cast.a.create(hanako.consent(permit(cast.hospital), status="proposed"))
    tree = await hanako.read(reference)
    await hanako.replace(reference, {**tree, "status": "active"})
    assert await cast.a.sees(observation)
    assert await cast.b.sees(observation)
    assert not await cast.a.sees(reference)
    assert told(hanako)[1:] == [("access-granted", hanako.reference)]


async def test_a_request_that_the_patient_rejects_grants_nothing(hanako: Voice, cast: Cast) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    reference = await cast.a.create(hanako.consent(permit(cast.hospital), status="proposed"))
    await hanako.replace(reference, hanako.consent(permit(cast.hospital), status="rejected"))
    assert not await cast.a.sees(observation)
    assert not await cast.a.sees(reference)


@pytest.mark.parametrize("status", ["active", "inactive", "rejected", "entered-in-error", "draft"])
async def test_whoever_asked_cannot_answer(hanako: Voice, cast: Cast, status: str) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    reference = await cast.a.create(hanako.consent(permit(cast.hospital), status="proposed"))
    outcome(await cast.a.put(reference, hanako.consent(permit(cast.hospital), status=status)), 403)
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'
    assert not await cast.a.sees(observation)


async def test_whoever_asked_takes_it_back_and_changes_nothing(hanako: Voice, cast: Cast) -> None:
    asked = hanako.consent(permit(cast.hospital), status="proposed")
    reference = await cast.a.create(asked)
    less = hanako.consent(permit(cast.dr_a, codes=[made.BODY_WEIGHT]), status="proposed")
    outcome(await cast.a.put(reference, less), 403)
    assert (await hanako.read(reference))["provision"] == asked["provision"]
    await cast.a.remove(reference)
    assert await hanako.found("Consent") == []


async def test_a_request_cannot_be_slipped_over_a_consent_of_the_patient(hanako: Voice, cast: Cast) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    (blocking,) = await hanako.grant(deny(cast.dr_b))
    await hanako.grant(permit(cast.hospital), permit(cast.hospital, types=["Consent"]))
    assert await cast.a.sees(blocking)
    outcome(await cast.a.put(blocking, hanako.consent(permit(cast.hospital), status="proposed")), 403)
    outcome(await cast.a.delete(blocking), 403)
    assert not await cast.b.sees(observation)


async def test_what_the_patient_answered_is_no_longer_the_requesters(hanako: Voice, cast: Cast) -> None:
    asked = hanako.consent(permit(cast.hospital), status="proposed")
    reference = await cast.a.create(asked)
    await hanako.replace(reference, hanako.consent(permit(cast.hospital)))
    outcome(await cast.a.put(reference, asked), 405)
    outcome(await cast.a.delete(reference), 404)
    outcome(await cast.a.get(f"{reference}/_history"), 404)
    outcome(await cast.a.get(f"{reference}/_history/1"), 404)


async def test_services_and_proxies_ask_as_well(hanako: Voice, cast: Cast) -> None:
    kin = await hanako.create(made.related_person(hanako.reference))
    for voice in (hanako.town.as_(cast.pharmacy), hanako.town.as_(kin)):
        reference = await voice.create(hanako.consent(permit(voice.reference), status="proposed"))
        assert await voice.sees(reference)
        assert await hanako.sees(reference)


async def test_asking_somebody_without_a_passport_is_answered_like_asking_somebody_with_one(
    hanako: Voice, cast: Cast
) -> None:
    seen: list[list[str]] = []
    for patient in (hanako.reference, f"Patient/{uuid4()}"):
        tree = consent_json(permit(cast.hospital), patient, status="proposed")
        created = await cast.a.post(tree)
        assert created.status_code == 201
        reference = f"Consent/{created.json()['id']}"
        answers = [
            created,
            await cast.a.get(reference),
            await cast.a.get("Consent", ("_id", reference.partition("/")[2]), ("_total", "accurate")),
            await cast.a.get("Consent", ("patient", patient), ("_total", "accurate")),
            await cast.a.get("Consent", ("patient", patient), ("status", "active")),
            await cast.a.get("Consent", ("patient", f"{patient},{patient}"), ("_total", "accurate")),
            await cast.a.get(f"{reference}/_history"),
            await cast.a.get(f"{reference}/_history/1"),
            await cast.a.put(reference, tree),
            await cast.a.put(reference, tree, if_match='W/"1"'),
            await cast.a.put(reference, {**tree, "status": "active"}),
            await cast.a.get(f"{reference}/_history"),
            await cast.b.get(reference),
            await cast.b.get("Consent", ("patient", patient), ("_total", "accurate")),
            await cast.b.put(reference, tree),
            await cast.a.delete(reference),
            await cast.a.get(reference),
            await cast.a.get(patient),
            await cast.a.get("Observation", ("patient", patient), ("_total", "accurate")),
            await cast.a.post(made.pressure(patient)),
        ]
        seen.append([masked(answer) for answer in answers])
    for with_passport, without in zip(*seen, strict=True):
        assert with_passport == without
    assert '"total":1' in seen[0][3]


async def test_a_request_to_somebody_without_a_passport_is_shown_to_nobody_else(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    tree = consent_json(permit(cast.hospital), f"Patient/{uuid4()}", status="proposed")
    reference = await cast.a.create(tree)
    assert await cast.a.sees(reference)
    for voice in (hanako, cast.b, town.operator, town.as_("auditor")):
        assert not await voice.sees(reference)
    await town.operator.put(reference, {**tree, "status": "active"})
    assert (await cast.a.read(reference))["status"] == "proposed"


async def test_requests_are_bounded_by_the_requesters_own(town: Town, hanako: Voice) -> None:
    one, other = [await town.operator.create(made.organization(name)) for name in ("架空一", "架空二")]
    tree = hanako.consent(permit(one), status="proposed")
    for _ in range(PROPOSALS_PER_HOUR):
        await town.as_(one).create(tree)
    refused = await town.as_(one).post(tree)
    outcome(refused, 429, "throttled")
    assert int(refused.headers["retry-after"]) > 0
    await town.as_(other).create(tree)
    assert len(await hanako.found("Consent", ("_count", "100"))) == PROPOSALS_PER_HOUR + 1


async def test_a_withdrawal_is_effective_for_the_next_request(hanako: Voice, cast: Cast) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    for withdraw in ("inactive", "entered-in-error", "rejected", "delete"):
        (reference,) = await hanako.grant(permit(cast.hospital))
        assert await cast.a.sees(observation)
        if withdraw == "delete":
            await hanako.remove(reference)
        else:
            await hanako.replace(reference, hanako.consent(permit(cast.hospital), status=withdraw))
        assert not await cast.a.sees(observation), withdraw
        assert told(hanako)[-1] == ("access-withdrawn", hanako.reference)


@pytest.mark.parametrize("over", ["inactive", "delete"])
async def test_the_end_of_what_let_nobody_see_anything_is_no_news(
    hanako: Voice, cast: Cast, over: str
) -> None:
    for rule in (permit(cast.hospital, actions=["collect"]), deny(cast.hospital)):
        (reference,) = await hanako.grant(rule)
        if over == "delete":
            await hanako.remove(reference)
        else:
            await hanako.replace(reference, hanako.consent(rule, status=over))
    assert told(hanako) == []


async def test_a_narrower_version_replaces_the_wider_one_at_once(hanako: Voice, cast: Cast) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    weight = await hanako.create(made.weight(hanako.reference))
    (reference,) = await hanako.grant(permit(cast.hospital))
    await hanako.replace(reference, hanako.consent(permit(cast.hospital, codes=[made.BODY_WEIGHT])))
    assert not await cast.a.sees(pressure)
    assert await cast.a.sees(weight)
    await hanako.replace(reference, hanako.consent(permit(cast.clinic)))
    assert not await cast.a.sees(weight)
    assert await cast.a_at_k.sees(pressure)


async def test_a_consent_that_was_withdrawn_may_be_given_again(hanako: Voice, cast: Cast) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    (reference,) = await hanako.grant(permit(cast.hospital))
    for status, expected in (("inactive", False), ("active", True), ("inactive", False)):
        await hanako.replace(reference, hanako.consent(permit(cast.hospital), status=status))
        assert await cast.a.sees(observation) is expected


async def test_withdrawing_never_fails_for_what_the_consent_says(hanako: Voice, cast: Cast) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    (reference,) = await hanako.grant(permit(cast.hospital))
    tree: Json = hanako.consent(permit(cast.hospital, actions=["disclose"]), status="inactive")
    await hanako.replace(reference, tree)
    assert not await cast.a.sees(observation)


async def test_no_request_that_begins_after_a_withdrawal_shows_anything(hanako: Voice, cast: Cast) -> None:
    observation = await hanako.create(made.pressure(hanako.reference))
    (reference,) = await hanako.grant(permit(cast.hospital))
    withdrawn = asyncio.Event()
    late: list[bool] = []

    async def keep_asking() -> None:
        while len(late) < 5:
            began_late = withdrawn.is_set()
            shown = (await cast.a.get(observation)).status_code == 200
            if began_late:
                late.append(shown)

    asking = [asyncio.create_task(keep_asking()) for _ in range(3)]
    await hanako.replace(reference, hanako.consent(permit(cast.hospital), status="inactive"))
    withdrawn.set()
    await asyncio.gather(*asking)
    assert not any(late)


async def test_a_policy_counts_for_every_patient_and_obeys_their_denies(
    town: Town, hanako: Voice, taro: Voice
) -> None:
    bureau = await town.operator.create(made.organization("架空衛生局"))
    records = [await voice.create(made.pressure(voice.reference)) for voice in (hanako, taro)]
    await taro.grant(deny(bureau))
    office = town.as_(bureau, "PUBHLTH")
    assert [await office.sees(record) for record in records] == [False, False]
    policy = await town.policy(
        consent_json(permit(bureau, purposes=["PUBHLTH"], codes=[made.BLOOD_PRESSURE]), None)
    )
    assert [await office.sees(record) for record in records] == [True, False]
    assert not await office.sees(await hanako.create(made.weight(hanako.reference)))
    assert not await town.as_(bureau).sees(records[0])
    (named,) = await office.found("Observation", ("patient", hanako.reference))
    assert named == records[0]
    assert records[1] not in await office.found("Observation", ("_count", "1000"))
    await town.operator.remove(policy)
    assert not await office.sees(records[0])


async def test_a_policys_deny_binds_everyone_but_the_patient(town: Town, hanako: Voice, cast: Cast) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    secret = await hanako.create(
        made.pressure(hanako.reference, meta=made.labelled("N", (system, "TESTDEMO")))
    )
    await hanako.grant(permit(cast.hospital))
    assert await cast.a.sees(secret)
    policy = await town.policy(consent_json(deny(labels=[(system, "TESTDEMO")]), None))
    assert not await cast.a.sees(secret)
    assert await hanako.sees(secret)
    await town.operator.remove(policy)
    assert await cast.a.sees(secret)


async def test_a_policy_to_collect_reaches_whoever_has_a_passport_and_nobody_else(
    town: Town, hanako: Voice
) -> None:
    laboratory = await town.operator.create(made.organization("架空検査室"))
    policy = await town.policy(
        consent_json(permit(laboratory, types=["Observation"], actions=["collect"]), None)
    )
    writer = town.as_(laboratory)
    reference = await writer.create(made.weight(hanako.reference))
    assert await hanako.sees(reference)
    outcome(await writer.post(made.prescription(hanako.reference)), 403, "forbidden")
    outcome(await writer.post(made.weight("Patient/unknown")), 403, "forbidden")
    await hanako.grant(deny(laboratory))
    outcome(await writer.post(made.weight(hanako.reference)), 403, "forbidden")
    await town.operator.remove(policy)


async def test_a_put_under_a_policy_that_covers_the_type_creates_the_record(
    town: Town, hanako: Voice
) -> None:
    laboratory = await town.operator.create(made.organization("架空検査室"))
    policy = await town.policy(
        consent_json(
            permit(laboratory, types=["Observation"], actions=["access", "collect", "correct"]), None
        )
    )
    writer = town.as_(laboratory)
    reference = f"Observation/{uuid4()}"
    assert (await writer.put(reference, made.weight(hanako.reference))).status_code == 201
    assert (await writer.put(reference, made.weight(hanako.reference, 61.0))).status_code == 200
    updating = town.as_(laboratory, scope="system/Observation.u")
    assert (await updating.put(f"Observation/{uuid4()}", made.weight(hanako.reference))).status_code == 201
    outcome(await writer.put(f"Condition/{uuid4()}", made.condition(hanako.reference)), 405)
    assert (await hanako.read(reference))["valueQuantity"]["value"] == 61.0
    await town.operator.remove(policy)


async def test_an_operator_reads_the_policies_and_no_residents_consent(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    policy = await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
    (own,) = await hanako.grant(permit(cast.hospital))
    assert await town.operator.sees(policy)
    assert not await town.operator.sees(own)
    assert not await cast.a.sees(policy)
    await town.operator.remove(policy)


@pytest.mark.parametrize("status", ["inactive", "entered-in-error", "rejected"])
async def test_a_consent_that_begins_as_ended_is_refused(hanako: Voice, cast: Cast, status: str) -> None:
    answer = await hanako.post(hanako.consent(permit(cast.hospital), status=status))
    tree = outcome(answer, 422, "business-rule")
    assert tree["issue"][0]["expression"] == ["Consent.status"]
    assert "expected `active` or `proposed`" in tree["issue"][0]["diagnostics"]
    (known,) = await hanako.grant(permit(cast.hospital))
    await hanako.replace(known, hanako.consent(permit(cast.hospital), status=status))


async def test_a_draft_counts_for_nothing_until_it_is_active(hanako: Voice, cast: Cast) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    draft = await hanako.create(hanako.consent(permit(cast.hospital), status="draft"))
    assert not await cast.a.sees(reference)
    await hanako.replace(draft, hanako.consent(permit(cast.hospital)))
    assert await cast.a.sees(reference)


async def test_a_consent_whose_period_is_over_is_refused_unless_it_ends_an_earlier_one(
    hanako: Voice, cast: Cast
) -> None:
    over = hanako.consent(permit(cast.hospital, period={"end": "2020-01-01"}))
    tree = outcome(await hanako.post(over), 422, "business-rule")
    assert tree["issue"][0]["expression"] == ["Consent.provision.period.end"]
    (known,) = await hanako.grant(permit(cast.hospital))
    reference = await hanako.create(made.weight(hanako.reference))
    assert await cast.a.sees(reference)
    await hanako.replace(known, over)
    assert not await cast.a.sees(reference)


@pytest.mark.parametrize("actor", ["Location/x", "Observation/x", "Medication/x"])
async def test_a_consent_names_actors_that_can_act(hanako: Voice, actor: str) -> None:
    outcome(await hanako.post(hanako.consent(permit(actor))), 422)
