"""Who can see a record and why, and which consents an access of one's own log met; told to the patient alone."""

import pytest

from consent.systems import ACT_CODE
from tests import resources as made
from tests.cast import Cast
from tests.explaining import explained, sent
from tests.hospital import records_of
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, allow, consent_json, deny, permit

pytestmark = pytest.mark.anyio

ROOT = "Consent.provision"


def people(told: Json, sees: bool) -> dict[tuple[str, str], list[Json]]:
    """Reference and purpose of everybody, with the reasons."""
    listed = told["seenBy" if sees else "notSeenBy"]
    return {(one["reference"], one["purpose"]): one["because" if sees else "against"] for one in listed}


def places(reasons: list[Json]) -> list[tuple[str, str]]:
    """The consents, without their version, and the paths that reasons name."""
    return [(one["consent"].partition("/_history")[0], one["path"]) for one in reasons if "consent" in one]


def by_consent(told: Json, state: str) -> dict[str, Json]:
    """What was considered then or now, by the consent without its version."""
    return {one["consent"].partition("/_history")[0]: one for one in told[state]["considered"]}


async def last_access(voice: Voice, *pairs: tuple[str, str]) -> str:
    """The id of the newest row of the voice's own log that was not theirs."""
    answer = await voice.get("AuditEvent", ("_sort", "-date"), ("_count", "20"), *pairs)
    events = [entry["resource"] for entry in answer.json()["entry"]]
    others = [one for one in events if voice.reference not in str(one["agent"])]
    return str(others[0]["id"])


async def test_who_sees_a_record_is_told_with_the_consent_and_its_place(cast: Cast, hanako: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    until = {"end": "2099-12-31T00:00:00Z"}
    everything, deeper = await hanako.grant(
        permit(cast.hospital, period=until),
        deny(
            types=["Condition"],
            but=[allow(cast.clinic, purposes=["TREAT"]), allow(cast.dr_b, purposes=["ETREAT"])],
        ),
    )
    told = await explained(hanako, record=pressure)
    assert told["record"] == pressure
    seen = people(told, True)
    assert places(seen[cast.hospital, "TREAT"]) == [(everything, ROOT)]
    (reason,) = seen[cast.hospital, "TREAT"]
    assert (reason["until"], reason["policy"]) == ("2099-12-31T00:00:00.000Z", False)
    assert reason["text"]["ja"]
    against = people(told, False)
    assert places(against[cast.clinic, "TREAT"]) == [(deeper, f"{ROOT}.provision[0]")]
    # The permits stand behind their deny root, which is about Conditions.
    (reason,) = [one for one in against[cast.role_b, "ETREAT"] if one["path"] == f"{ROOT}.provision[1]"]
    assert [(one["path"], one["attribute"]) for one in reason["reasons"]] == [(ROOT, "class")]


async def test_what_blocks_is_named(cast: Cast, hanako: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    granted, blocked = await hanako.grant(permit(cast.hospital), deny(cast.dr_b))
    told = await explained(hanako, record=pressure)
    assert set(people(told, True)) == {(cast.hospital, "TREAT")}
    against = people(told, False)
    assert places(against[cast.role_b, "TREAT"]) == [(blocked, ROOT)]
    assert places(people(told, True)[cast.hospital, "TREAT"]) == [(granted, ROOT)]


async def test_an_exception_that_may_apply_is_told_as_not_known(cast: Cast, hanako: Voice) -> None:
    record = await hanako.create(made.prescription(hanako.reference))
    await hanako.grant(
        permit(cast.hospital, but=[deny(types=["MedicationRequest"], codes=[made.AMLODIPINE])])
    )
    told = await explained(hanako, record=record)
    (reason,) = people(told, False)[cast.hospital, "TREAT"]
    (why,) = reason["reasons"]
    assert (why["path"], why["attribute"]) == (f"{ROOT}.provision[0]", "provision")
    assert "cannot be told" in why["text"]["en"]


async def test_a_policy_is_told_as_one_and_its_emergency_as_needing_an_opening(
    cast: Cast, hanako: Voice, town: Town
) -> None:
    policy = await town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
    pressure = await hanako.create(made.pressure(hanako.reference))
    told = await explained(hanako, record=pressure)
    (one,) = [each for each in told["seenBy"] if each["reference"] == cast.emergency]
    assert (one["purpose"], one["opening"]) == ("BTG", "needed")
    (reason,) = one["because"]
    assert (reason["consent"], reason["policy"]) == (f"{policy}/_history/2", True)
    opening = {"patient": hanako.reference, "reason": "架空の救急"}
    opened = await sent(cast.e, "/auth/break-glass", opening)
    assert opened.status_code == 200, opened.text
    told = await explained(hanako, record=pressure)
    openings = {each["reference"]: each["opening"] for each in told["seenBy"]}
    assert openings[cast.emergency] == "needed"
    assert openings[cast.role_e].endswith("Z")
    await town.operator.remove(policy)


async def test_a_record_inside_of_another_is_explained_with_it(cast: Cast, hanako: Voice) -> None:
    inside = {**made.prescription(hanako.reference, made.AMLODIPINE), "id": "m"}
    tree = made.weight(hanako.reference, contained=[inside], basedOn=[made.reference("#m")])
    record = await hanako.create(tree)
    (weights,) = await hanako.grant(permit(cast.hospital, types=["Observation"]))
    told = await explained(hanako, record=record)
    (reason,) = people(told, False)[cast.hospital, "TREAT"]
    assert places([reason]) == [(weights, ROOT)]
    assert [one["attribute"] for one in reason["reasons"]] == ["class"]
    (medicines,) = await hanako.grant(permit(cast.hospital, types=["MedicationRequest"]))
    told = await explained(hanako, record=record)
    assert places(people(told, True)[cast.hospital, "TREAT"]) == [(weights, ROOT), (medicines, ROOT)]


async def test_a_provenance_is_explained_by_what_it_follows(cast: Cast, hanako: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    await hanako.grant(permit(cast.pharmacy, types=["Observation"], actions=["access", "collect"]))
    provenance = await cast.town.as_(cast.pharmacy).create(made.provenance(pressure, agent=cast.pharmacy))
    told = await explained(hanako, record=provenance)
    (reason,) = people(told, True)[cast.pharmacy, "TREAT"]
    assert "consent" not in reason
    assert "belongs" in reason["text"]["en"]


async def test_a_request_is_seen_by_who_put_it(cast: Cast, hanako: Voice) -> None:
    asked = await cast.a.create(hanako.consent(permit(cast.role_a), status="proposed"))
    await hanako.grant(permit(cast.role_a, types=["Observation"]))
    told = await explained(hanako, record=asked)
    (reason,) = people(told, True)[cast.role_a, "TREAT"]
    assert "request" in reason["text"]["en"]


async def test_another_persons_permission_is_told_as_missing_and_nothing_else_of_it(
    cast: Cast, hanako: Voice, taro: Voice
) -> None:
    participants = [{"actor": made.reference(who.reference), "status": "accepted"} for who in (hanako, taro)]
    both = {**records_of(hanako.reference)["Appointment"], "participant": participants}
    for who in (hanako, taro):
        await who.grant(permit(cast.pharmacy, types=["Appointment"], actions=["collect"]))
    appointment = await cast.town.as_(cast.pharmacy).create(both)
    await hanako.grant(permit(cast.hospital, types=["Appointment"]))
    outcome(await hanako.get("/sharing/explain", ("record", appointment)), 404)
    await taro.grant(
        permit(hanako.reference, purposes=["PATRQT"], types=["Appointment"]), deny(cast.hospital)
    )
    told = await explained(hanako, record=appointment)
    found = {one["reference"]: one for one in told["dependsOnOthers"] if one["purpose"] == "TREAT"}
    (reason,) = found[cast.hospital]["because"]
    assert list(reason) == ["text"]
    assert "somebody else" in reason["text"]["en"]
    assert taro.reference not in str(told)


async def test_whoever_saw_nothing_is_explained_from_the_log(cast: Cast, hanako: Voice) -> None:
    label = made.labelled("R")
    pressure = await hanako.create(made.pressure(hanako.reference, meta=label))
    granted, blocked, other = await hanako.grant(
        permit(cast.hospital, labels=["N"]),
        deny(cast.dr_a, labels=["R"]),
        permit(cast.clinic, purposes=["HRESCH"]),
    )
    outcome(await cast.a.get(pressure), 404)
    told = await explained(hanako, access=await last_access(hanako))
    assert (told["record"], told["now"]["permitted"], told["then"]["permitted"]) == (pressure, False, False)
    access = told["access"]
    assert (access["who"], access["role"], access["outcome"]) == (cast.dr_a, cast.role_a, "not-found")
    for state in ("then", "now"):
        considered = by_consent(told, state)
        assert set(considered) == {granted, blocked, other}
        assert [one["attribute"] for one in considered[granted]["reasons"]] == ["securityLabel"]
        assert (considered[blocked]["effect"], considered[blocked]["applies"]) == ("deny", True)
        assert [one["attribute"] for one in considered[other]["reasons"]] == ["purpose", "actor"]
    assert not any(one["newer"] for one in told["now"]["considered"])


async def test_a_consent_that_was_written_since_is_marked(cast: Cast, hanako: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    outcome(await cast.a.get(pressure), 404)
    (since,) = await hanako.grant(permit(cast.hospital))
    told = await explained(hanako, access=await last_access(hanako))
    assert (told["now"]["permitted"], told["then"]["permitted"]) == (True, False)
    (one,) = told["now"]["considered"]
    assert one["consent"].startswith(f"{since}/")
    assert (one["newer"], one["applies"]) == (True, True)
    assert told["then"]["considered"] == []


async def test_what_was_withdrawn_and_changed_since_is_told_as_it_was(cast: Cast, hanako: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference, meta=made.labelled("N")))
    (granted,) = await hanako.grant(permit(cast.hospital, labels=["N"]))
    await cast.a.read(pressure)
    access = await last_access(hanako)
    tree = await hanako.read(granted)
    await hanako.replace(granted, {**tree, "status": "inactive"})
    await hanako.replace(pressure, made.pressure(hanako.reference, meta=made.labelled("R")))
    told = await explained(hanako, access=access)
    assert (told["then"]["permitted"], told["then"]["record"]) == (True, f"{pressure}/_history/1")
    (one,) = told["then"]["considered"]
    assert (one["consent"], one["applies"]) == (f"{granted}/_history/1", True)
    assert (told["now"]["permitted"], told["now"]["considered"]) == (False, [])
    # A record that is not there any more is still told of.
    await hanako.remove(pressure)
    told = await explained(hanako, access=access)
    assert (told["record"], told["then"]["permitted"], told["now"]["permitted"]) == (None, True, None)


async def test_a_search_is_explained_as_far_as_it_can_be_without_a_record(cast: Cast, hanako: Voice) -> None:
    ended, elsewhere, coded = await hanako.grant(
        permit(cast.hospital, types=["MedicationRequest"]),
        permit(cast.clinic),
        permit(cast.hospital, codes=[made.BLOOD_PRESSURE]),
    )
    await cast.a.get("Observation", ("patient", hanako.reference))
    told = await explained(hanako, access=await last_access(hanako))
    assert (told["record"], told["type"], told["now"]["permitted"]) == (None, "Observation", None)
    for state in ("then", "now"):
        considered = by_consent(told, state)
        assert [one["attribute"] for one in considered[ended]["reasons"]] == ["class"]
        assert [one["attribute"] for one in considered[elsewhere]["reasons"]] == ["actor"]
        assert considered[coded]["applies"] is None
        (reason,) = considered[coded]["reasons"]
        assert (reason["attribute"], reason["text"]["en"]) == ("code", "It depends on the record.")


async def test_a_refused_write_is_explained_as_a_write(cast: Cast, hanako: Voice) -> None:
    (reads,) = await hanako.grant(permit(cast.hospital))
    outcome(await cast.a.post(made.pressure(hanako.reference)), 403)
    told = await explained(hanako, access=await last_access(hanako))
    assert (told["type"], told["access"]["action"]) == ("Observation", "create")
    (one,) = told["now"]["considered"]
    assert one["consent"].startswith(f"{reads}/")
    assert [reason["attribute"] for reason in one["reasons"]] == ["action"]


async def test_ones_own_look_needs_no_consent(cast: Cast, hanako: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    await hanako.read(pressure)
    answer = await hanako.get("AuditEvent", ("_sort", "-date"), ("_count", "1"))
    told = await explained(hanako, access=answer.json()["entry"][0]["resource"]["id"])
    assert (told["own"], told["then"], told["now"]) == (True, None, None)


async def test_an_office_of_the_city_meets_no_consent(cast: Cast, hanako: Voice) -> None:
    answer = await cast.town.operator.get(f"Observation?patient={hanako.reference}")
    assert answer.status_code == 200
    told = await explained(hanako, access=await last_access(hanako))
    assert (told["own"], told["then"], told["now"]) == (False, None, None)


async def test_nobody_else_is_told(cast: Cast, hanako: Voice, taro: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    await hanako.grant(permit(cast.hospital))
    await cast.a.read(pressure)
    access = await last_access(hanako)
    town = cast.town
    for asked in (("record", pressure), ("access", access), ("record", "Observation/nobody")):
        for voice in (cast.a, town.as_(cast.pharmacy), town.operator, town.as_("auditor")):
            outcome(await voice.get("/sharing/explain", asked), 403, "forbidden")
        outcome(await taro.get("/sharing/explain", asked), 404)
        outcome(await taro.get("/sharing/explain", asked, ("patient", hanako.reference)), 403)
    outcome(await town.stranger.get("/sharing/explain", ("record", pressure)), 401)


async def test_what_is_not_there_is_not_explained(cast: Cast, hanako: Voice, taro: Voice) -> None:
    others = await taro.create(made.pressure(taro.reference))
    gone = await hanako.create(made.pressure(hanako.reference))
    await hanako.remove(gone)
    answers = [
        await hanako.get("/sharing/explain", ("record", one))
        for one in (others, gone, "Observation/nobody", cast.hospital)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    for access in ("nobody", "1793491200000000-00000000-0000-4000-8000-000000000000"):
        outcome(await hanako.get("/sharing/explain", ("access", access)), 404)


@pytest.mark.parametrize(
    "pairs",
    [
        (),
        (("record", "Observation/1"), ("access", "1")),
        (("record", "Observation"),),
        (("record", "Observation/1"), ("other", "1")),
    ],
)
async def test_what_cannot_be_explained_is_refused(hanako: Voice, pairs: tuple[tuple[str, str], ...]) -> None:
    outcome(await hanako.get("/sharing/explain", *pairs), 400)


async def test_a_proxy_who_decides_is_told_what_a_proxy_sees(cast: Cast, hanako: Voice) -> None:
    relative = await hanako.create(made.related_person(hanako.reference))
    proxy = cast.town.as_(relative)
    seen = await hanako.create(made.pressure(hanako.reference))
    unseen = await hanako.create(made.condition(hanako.reference))
    whose = ("patient", hanako.reference)
    family = {"purposes": ["FAMRQT"]}
    await hanako.grant(permit(relative, **family, types=["Observation", "Consent"]), permit(cast.hospital))
    outcome(await proxy.get("/sharing/explain", ("record", seen), whose), 403)
    await hanako.grant(permit(relative, **family, types=["Consent"], actions=["collect"]))
    told = await explained(proxy, record=seen, patient=hanako.reference)
    assert (cast.hospital, "TREAT") in people(told, True)
    outcome(await proxy.get("/sharing/explain", ("record", unseen), whose), 404)
    outcome(await proxy.get("/sharing/explain", ("record", seen)), 400)
    outcome(await proxy.get("/sharing/explain", ("record", seen), ("patient", "Patient/nobody")), 403)


async def test_a_look_of_ones_own_stands_in_the_log(cast: Cast, hanako: Voice) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    await explained(hanako, record=pressure)
    ((action, kind, outcome_, keys),) = hanako.town.rows(
        "SELECT action, kind, outcome, cardinality(record_keys) FROM audit_event "
        "WHERE subject = %s ORDER BY recorded DESC LIMIT 1",
        hanako.reference,
    )
    assert (action, kind, outcome_, keys) == ("explain", "patient", "success", 1)


async def test_labels_that_are_not_known_are_told_so(cast: Cast, hanako: Voice) -> None:
    record = await hanako.create(made.allergy(hanako.reference))
    await hanako.grant(permit(cast.hospital), deny(labels=[(ACT_CODE, "HIV")]))
    told = await explained(hanako, record=record)
    labelled = (await hanako.read(record)).get("meta", {}).get("security")
    seen = (cast.hospital, "TREAT") in people(told, True)
    # Without a confidentiality label nothing is known of a record's labels.
    assert seen is bool(labelled)
