"""Asking, granting in words that were shown, codes at the reception, withdrawing and reading what is shared.

http://hl7.org/fhir/R4/consent.html
"""

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import pytest

from consent.systems import ACT_CODE
from passport.intake import PROPOSALS_PER_HOUR
from passport.keys import seal
from passport.sharing.codes import LIFE, Offer, hashed
from passport.sharing.presets import Preset
from passport.sharing.wording import WORDINGS, Language
from tests import resources as made
from tests.cast import Cast
from tests.identities import merged
from tests.sharing import CARD, REASON, ask, asking, code_of, done, identified, later, sent, shown, told
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, coding, concept, deny, permit

pytestmark = pytest.mark.anyio


ICD10: Final = "http://hl7.org/fhir/sid/icd-10"


async def notices(patient: Voice) -> list[str]:
    """What a resident was told, the oldest first."""
    answer = await patient.get("/notifications")
    return [one["kind"] for one in reversed(answer.json())]


async def requested(patient: Voice, voice: Voice, **members: Any) -> str:
    """A request that was put by the code that a person showed."""
    code = await code_of(patient, "request")
    return await ask(voice, user_code=code["user_code"], **members)


def members(listed: list[Json], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(one.get(name) for name in names) for one in listed]


async def test_the_presets_are_shown_to_anybody_in_both_languages_with_their_hash(town: Town) -> None:
    presets = (await told(town.stranger, "presets"))["presets"]
    assert set(presets) == {"visit", "three-months", "ongoing"}
    wordings = [wording for languages in presets.values() for wording in languages.values()]
    assert len(wordings) == len({wording["hash"] for wording in wordings}) == 6
    assert all(sha256(one["text"].encode()).hexdigest() == one["hash"] for one in wordings)


async def test_a_request_by_code_waits_and_gives_nothing(hanako: Voice, cast: Cast) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    request = await requested(hanako, cast.a)
    assert not await cast.a.sees(pressure)
    (waiting,) = await told(hanako, "requests")
    assert (waiting["id"], waiting["state"], waiting["reason"]) == (request, "waiting", REASON)
    assert waiting["by"] == [{"reference": cast.role_a, "name": "ひな形病院 内科（架空） 架空 一郎（架空）"}]
    assert [one["category"] for one in waiting["categories"]] == ["vital-signs"]
    assert "診療のために" in waiting["text"]["ja"]
    assert await told(hanako, f"requests/{request}") == waiting
    assert members(await told(cast.a, "requests"), "id", "state")[0] == (request, "waiting")
    assert (await notices(hanako)) == ["access-requested"]


async def test_a_request_by_identifier_is_put_to_whoever_has_it(town: Town, cast: Cast) -> None:
    asked = await town.resident("見本 名乃", identifier=identified("SAMPLE-1"))
    request = await ask(cast.b, identifier=f"{CARD}|SAMPLE-1")
    assert members(await told(asked, "requests"), "id") == [(request,)]


async def test_an_identifier_of_two_people_names_nobody(town: Town, cast: Cast) -> None:
    people = [await town.resident("見本 双子", identifier=identified("SAMPLE-2")) for _ in range(2)]
    await ask(cast.b, identifier=f"{CARD}|SAMPLE-2")
    assert [await told(one, "requests") for one in people] == [[], []]


@pytest.mark.parametrize(
    "identifier", ["SAMPLE-3", f"{CARD}|", "|SAMPLE-3", f"{CARD}|sample-3", "urn:x|SAMPLE-3"]
)
async def test_another_identifier_names_nobody(town: Town, cast: Cast, identifier: str) -> None:
    asked = await town.resident("見本 名乃", identifier=identified("SAMPLE-3"))
    await sent(cast.b, "requests", asking(identifier=identifier))
    assert await told(asked, "requests") == []


async def test_a_requester_reads_in_fhir_neither_the_request_nor_whom_it_was_put_to(
    hanako: Voice, cast: Cast
) -> None:
    request = await requested(hanako, cast.a)
    assert not await cast.a.sees(f"Consent/{request}")
    assert f"Consent/{request}" not in await cast.a.found("Consent", ("_count", "200"))
    assert f"Consent/{request}" not in await cast.a.found("Consent", ("patient", hanako.reference))
    change = hanako.consent(permit(cast.hospital), status="proposed")
    denied, unknown = [await cast.a.put(f"Consent/{id_}", change) for id_ in (request, "never")]
    assert outcome(denied, 405) == outcome(unknown, 405)
    assert (await hanako.read(f"Consent/{request}"))["status"] == "proposed"


async def test_a_request_is_granted_in_one_step_as_it_was_asked(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference, meta=made.labelled("N")))
    allergy = await hanako.create(made.allergy(hanako.reference))
    request = await requested(hanako, cast.a)
    granted = await done(hanako, f"requests/{request}/grant", await shown(town, "three-months", "en"))
    assert (granted["state"], granted["preset"]) == ("active", "three-months")
    assert await cast.a.sees(pressure)
    assert not await cast.a.sees(allergy)
    assert not await cast.b.sees(pressure)
    seen = await told(cast.a, f"requests/{request}")
    assert (seen["state"], seen["patient"]) == ("active", hanako.reference)
    assert await told(hanako, "requests") == []
    assert (await notices(hanako))[-1] == "access-granted"


async def test_what_was_shown_is_kept_with_the_consent_to_the_last_character(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    request = await requested(hanako, cast.a)
    said = await shown(town, "ongoing", "ja")
    await done(hanako, f"requests/{request}/grant", said)
    tree = await hanako.read(f"Consent/{request}")
    text = b64decode(tree["sourceAttachment"]["data"])
    assert sha256(text).hexdigest() == said["hash"]
    assert tree["sourceAttachment"]["title"] == "ongoing/ja/3"
    (wording,) = [one for one in WORDINGS.values() if one.hash == said["hash"]]
    assert tree["policy"] == [{"uri": wording.uri}]
    await done(hanako, f"grants/{request}/withdraw")
    before = (await hanako.get(f"Consent/{request}/_history/2")).json()
    assert b64decode(before["sourceAttachment"]["data"]) == text


async def test_what_a_person_changes_of_a_request_is_what_becomes_active(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    pressure, weight = [
        await hanako.create(tree)
        for tree in (made.pressure(hanako.reference), made.weight(hanako.reference, time="2025-10-01"))
    ]
    request = await requested(hanako, cast.a, categories=[], until="2099-12-31")
    edits: Json = {"categories": ["Observation"], "data_period": {"start": "2025-01-01", "end": "2025-12-31"}}
    granted = await done(hanako, f"requests/{request}/grant", {**await shown(town), **edits})
    assert not await cast.a.sees(pressure)
    assert await cast.a.sees(weight)
    assert "2025年1月1日から2025年12月31日までの" in granted["text"]["ja"]
    assert "from 1 January 2025 until 31 December 2025" in granted["text"]["en"]
    with later(town, timedelta(hours=24, seconds=1)):
        assert not await cast.a.sees(weight)
        assert members(await told(hanako, "grants"), "id", "state") == [(request, "ended")]
        assert (await told(cast.a, f"requests/{request}"))["state"] == "ended"


async def test_codes_narrow_and_an_empty_list_widens(town: Town, hanako: Voice, cast: Cast) -> None:
    pressure, weight = [
        await hanako.create(tree) for tree in (made.pressure(hanako.reference), made.weight(hanako.reference))
    ]
    request = await requested(hanako, cast.a, codes=["http://loinc.org|29463-7"], categories=["Observation"])
    (waiting,) = await told(hanako, "requests")
    assert waiting["codes"] == ["http://loinc.org|29463-7"]
    await done(hanako, f"requests/{request}/grant", await shown(town))
    assert (await cast.a.sees(pressure), await cast.a.sees(weight)) == (False, True)
    request = await requested(hanako, cast.b, codes=["http://loinc.org|29463-7"])
    await done(hanako, f"requests/{request}/grant", {**await shown(town), "codes": [], "categories": []})
    assert (await cast.b.sees(pressure), await cast.b.sees(weight)) == (True, True)


async def test_what_is_to_be_handled_with_special_care_can_be_left_out(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    normal, special = [
        await hanako.create(made.pressure(hanako.reference, meta=made.labelled(label))) for label in "NR"
    ]
    given = await done(
        hanako, "grants", {**await shown(town), "recipient": cast.clinic, "confidentiality": "N"}
    )
    assert (await cast.a_at_k.sees(normal), await cast.a_at_k.sees(special)) == (True, False)
    assert given["confidentiality"] == ["N"]
    assert "special care" in given["text"]["en"]


async def kept_apart(hanako: Voice) -> dict[str, str]:
    """An ordinary record, and those that presets leave out."""
    who = hanako.reference
    trees = {
        "ordinary": made.condition(who),
        "by its code": made.condition(who, code=concept((ICD10, "F20"))),
        "by its source": made.condition(who, meta=made.labelled("V")),
        "by a sensitivity": made.pressure(who, meta={"security": [coding(ACT_CODE, "SDV")]}),
        "in words alone": made.condition(who, code={"text": "架空の病名"}),
    }
    return {name: await hanako.create(tree) for name, tree in trees.items()}


async def seen_of(voice: Voice, records: dict[str, str]) -> set[str]:
    return {name for name, reference in records.items() if await voice.sees(reference)}


ORDINARY: Final = {"ordinary"}
ALL: Final = {"ordinary", "by its code", "by its source", "by a sensitivity", "in words alone"}


@pytest.mark.parametrize("preset", ["visit", "three-months", "ongoing"])
async def test_a_preset_leaves_out_what_is_restricted_unless_it_is_said(
    town: Town, hanako: Voice, cast: Cast, preset: str
) -> None:
    records = await kept_apart(hanako)
    offer = {**await shown(town, preset), "recipient": cast.clinic}
    given = await done(hanako, "grants", offer)
    assert given["confidentiality"] == ["N"]
    assert "special care" in given["text"]["en"]
    assert await seen_of(cast.a_at_k, records) == ORDINARY
    wider = await done(hanako, "grants", {**offer, "confidentiality": "R"})
    assert await seen_of(cast.a_at_k, records) == ORDINARY | {"by its code", "by a sensitivity"}
    whole = await done(hanako, "grants", {**offer, "confidentiality": None})
    assert "confidentiality" not in whole
    assert await seen_of(cast.a_at_k, records) == ALL
    for one in (wider, whole):
        await done(hanako, f"grants/{one['id']}/withdraw")
    assert await seen_of(cast.a_at_k, records) == ORDINARY


@pytest.mark.parametrize(("said", "seen"), [({}, ORDINARY), ({"confidentiality": None}, ALL)])
async def test_a_share_code_leaves_out_what_is_restricted_unless_it_is_said(
    hanako: Voice, cast: Cast, said: Json, seen: set[str]
) -> None:
    records = await kept_apart(hanako)
    code = await code_of(hanako, **said)
    await done(cast.a_at_k, "redemptions", {"user_code": code["user_code"]})
    assert await seen_of(cast.a_at_k, records) == seen


@pytest.mark.parametrize("asked", [{}, {"confidentiality": None}, {"confidentiality": "V"}])
async def test_what_a_requester_asks_for_is_not_said_by_the_person(
    town: Town, hanako: Voice, cast: Cast, asked: Json
) -> None:
    records = await kept_apart(hanako)
    request = await requested(hanako, cast.a, categories=[], **asked)
    granted = await done(hanako, f"requests/{request}/grant", await shown(town))
    assert granted["confidentiality"] == ["N"]
    assert await seen_of(cast.a, records) == ORDINARY


async def test_a_person_grants_what_is_restricted_as_it_was_asked_or_as_they_say(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    records = await kept_apart(hanako)
    request = await requested(hanako, cast.a, categories=[], confidentiality="R")
    said = {**await shown(town), "confidentiality": "as-asked"}
    assert (await done(hanako, f"requests/{request}/grant", said))["confidentiality"] == ["R"]
    assert await seen_of(cast.a, records) == ORDINARY | {"by its code", "by a sensitivity"}
    request = await requested(hanako, cast.b, categories=[], confidentiality="R")
    await done(hanako, f"requests/{request}/grant", {**await shown(town), "confidentiality": None})
    assert await seen_of(cast.b, records) == ALL


async def test_less_than_what_is_ordinary_stays_less(town: Town, hanako: Voice, cast: Cast) -> None:
    records = await kept_apart(hanako)
    request = await requested(hanako, cast.a, categories=[], confidentiality="L")
    granted = await done(hanako, f"requests/{request}/grant", await shown(town))
    assert granted["confidentiality"] == ["L"]
    assert await seen_of(cast.a, records) == set()


async def test_a_request_by_sensitivity_is_granted_by_whoever_says_so(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    records = await kept_apart(hanako)
    tree = hanako.consent(permit(cast.role_a, labels=[(ACT_CODE, "SDV")]), status="proposed")
    request = (await cast.a.create(tree)).partition("/")[2]
    outcome(await sent(hanako, f"requests/{request}/grant", await shown(town)), 400)
    said = {**await shown(town), "confidentiality": "as-asked"}
    await done(hanako, f"requests/{request}/grant", said)
    assert await seen_of(cast.a, records) == {"by a sensitivity"}


async def test_a_code_of_before_shares_what_was_shown_then(town: Town, hanako: Voice, cast: Cast) -> None:
    """Offered under the wording of before, which left nothing out."""
    records = await kept_apart(hanako)
    code, ring = await code_of(hanako), town.runtime.ring
    code_hash = hashed(ring, code["user_code"])
    before = replace(WORDINGS[Preset.VISIT, Language.JA], version="1", text="架空の文面")
    (key,) = town.rows(
        "SELECT patient_key, wrapped_key FROM patient JOIN sharing_code USING (patient_key) WHERE code_hash = %s",
        code_hash,
    )
    offer = Offer("TREAT", {}, before, None).plain()
    sealed = seal(ring.unwrap(*key), offer, b"sharing code " + code_hash, random=ring.random)
    town.rows("UPDATE sharing_code SET terms = %s WHERE code_hash = %s RETURNING kind", sealed, code_hash)
    redeemed = await done(cast.a_at_k, "redemptions", {"user_code": code["user_code"]})
    assert await seen_of(cast.a_at_k, records) == ALL
    tree = await hanako.read(redeemed["consent"])
    assert tree["sourceAttachment"]["title"] == "visit/ja/1"
    assert tree["policy"] == [{"uri": before.uri}]


async def test_of_a_merged_person_the_registration_in_use_is_asked(town: Town, cast: Cast) -> None:
    survivor, duplicate = await town.resident(), await town.resident(identifier=identified("SAMPLE-4"))
    await merged(survivor, duplicate)
    request = await ask(cast.b, identifier=f"{CARD}|SAMPLE-4")
    (waiting,) = await told(survivor, "requests")
    assert (waiting["id"], waiting["patient"]) == (request, survivor.reference)


async def test_a_declined_request_tells_its_requester_that_and_nothing_else(
    hanako: Voice, cast: Cast
) -> None:
    request = await requested(hanako, cast.a)
    assert (await done(hanako, f"requests/{request}/decline"))["state"] == "declined"
    seen = await told(cast.a, f"requests/{request}")
    assert seen.keys() == {"id", "state", "asked"}
    assert seen["state"] == "declined"
    assert not await cast.a.sees(f"Consent/{request}")
    assert (await notices(hanako))[-1] == "access-declined"


async def test_a_request_is_answered_once(town: Town, hanako: Voice, cast: Cast) -> None:
    request = await requested(hanako, cast.a)
    await done(hanako, f"requests/{request}/decline")
    said = await shown(town)
    outcome(await sent(hanako, f"requests/{request}/grant", said), 409, "conflict")
    outcome(await sent(hanako, f"requests/{request}/decline"), 409, "conflict")
    other = await requested(hanako, cast.a)
    outcome(await sent(hanako, f"grants/{other}/withdraw"), 409, "conflict")


async def test_a_requester_learns_of_a_withdrawal_by_fhir_and_no_name_any_more(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    request = await requested(hanako, cast.a)
    await done(hanako, f"requests/{request}/grant", await shown(town))
    tree = await hanako.read(f"Consent/{request}")
    await hanako.replace(f"Consent/{request}", {**tree, "status": "inactive"})
    seen = await told(cast.a, f"requests/{request}")
    assert (seen["state"], "patient" in seen) == ("withdrawn", False)
    await hanako.remove(f"Consent/{request}")
    assert (await told(cast.a, f"requests/{request}"))["state"] == "withdrawn"


async def test_a_consent_that_shuts_its_requester_out_tells_no_name(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    request = await requested(hanako, cast.a)
    await hanako.replace(f"Consent/{request}", hanako.consent(deny(cast.role_a)))
    assert "patient" not in await told(cast.a, f"requests/{request}")


async def test_nobody_but_the_person_answers_a_request(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    request = await requested(hanako, cast.a)
    said = await shown(town)
    for voice in (cast.a, cast.b, town.operator, town.as_("auditor")):
        outcome(await sent(voice, f"requests/{request}/grant", said), 403)
        outcome(await sent(voice, f"requests/{request}/decline"), 403)
    for voice, id_ in ((taro, request), (hanako, "never")):
        outcome(await sent(voice, f"requests/{id_}/grant", said), 404)
        outcome(await sent(voice, f"requests/{id_}/decline"), 404)
        outcome(await sent(voice, f"requests/{id_}", method="GET"), 404)
    outcome(await sent(cast.b, f"requests/{request}", method="GET"), 404)
    assert (await told(hanako, f"requests/{request}"))["state"] == "waiting"


async def test_a_request_by_fhir_is_listed_and_stands_like_one_by_sharing(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    period = {"period": {"end": "2099-12-31"}}
    tree = hanako.consent({**permit(cast.role_a), **period}, status="proposed")
    request = (await cast.a.create(tree)).partition("/")[2]
    listed = (await told(cast.a, "requests"))[0]
    assert listed.keys() == {"id", "state", "asked", "until"}
    assert (listed["id"], listed["state"], listed["until"]) == (
        request,
        "waiting",
        "2099-12-31T15:00:00.000Z",
    )
    assert await told(cast.a, f"requests/{request}") == listed
    assert members(await told(hanako, "requests"), "id", "state") == [(request, "waiting")]
    await done(hanako, f"requests/{request}/grant", await shown(town))
    assert await cast.a.sees(pressure)
    seen = await told(cast.a, f"requests/{request}")
    assert (seen["state"], seen["patient"]) == ("active", hanako.reference)
    await done(hanako, f"grants/{request}/withdraw")
    assert (await told(cast.a, f"requests/{request}"))["state"] == "withdrawn"


async def test_nobody_elses_request_by_fhir_is_listed(hanako: Voice, cast: Cast) -> None:
    request = await cast.a.create(hanako.consent(permit(cast.role_a), status="proposed"))
    assert request.partition("/")[2] not in {one["id"] for one in await told(cast.b, "requests")}
    outcome(await sent(cast.b, f"requests/{request.partition('/')[2]}", method="GET"), 404)


@pytest.mark.parametrize("by_fhir", [False, True])
async def test_a_request_that_is_taken_back_waits_for_nobody(
    town: Town, hanako: Voice, cast: Cast, *, by_fhir: bool
) -> None:
    if by_fhir:
        proposal = await cast.a.create(hanako.consent(permit(cast.role_a), status="proposed"))
        request = proposal.partition("/")[2]
    else:
        request = await requested(hanako, cast.a)
    back = await done(cast.a, f"requests/{request}/withdraw")
    assert (back["id"], back["state"]) == (request, "taken-back")
    assert await told(cast.a, f"requests/{request}") == back
    assert await told(hanako, "requests") == []
    assert request not in {one["id"] for one in await told(hanako, "grants")}
    assert (await notices(hanako)) == ["access-requested", "access-request-taken-back"]
    assert (await hanako.read(f"Consent/{request}"))["status"] == "rejected"
    accesses = (await hanako.get("/audit/accesses")).json()
    assert (cast.role_a, f"POST sharing/requests/{request}/withdraw") in {
        (one["role"], one["query"]) for one in accesses
    }
    outcome(await sent(hanako, f"requests/{request}/grant", await shown(town)), 409, "conflict")
    outcome(await sent(hanako, f"requests/{request}/decline"), 409, "conflict")
    outcome(await sent(cast.a, f"requests/{request}/withdraw"), 409, "conflict")


async def test_a_proposal_that_its_requester_deletes_is_taken_back(hanako: Voice, cast: Cast) -> None:
    proposal = await cast.a.create(hanako.consent(permit(cast.role_a), status="proposed"))
    await cast.a.remove(proposal)
    assert (await told(cast.a, f"requests/{proposal.partition('/')[2]}"))["state"] == "taken-back"
    assert (await notices(hanako)) == ["access-requested", "access-request-taken-back"]


async def test_what_was_answered_is_taken_back_no_more(town: Town, hanako: Voice, cast: Cast) -> None:
    granted, declined = [await requested(hanako, cast.a) for _ in range(2)]
    await done(hanako, f"requests/{granted}/grant", await shown(town))
    await done(hanako, f"requests/{declined}/decline")
    for request, state in ((granted, "active"), (declined, "declined")):
        outcome(await sent(cast.a, f"requests/{request}/withdraw"), 409, "conflict")
        assert (await told(cast.a, f"requests/{request}"))["state"] == state


async def test_nobody_but_its_requester_takes_a_request_back(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    request = await requested(hanako, cast.a)
    for voice in (hanako, taro, town.operator, town.as_("auditor")):
        outcome(await sent(voice, f"requests/{request}/withdraw"), 403)
    # The same physician in another role is another requester.
    for voice, id_ in ((cast.b, request), (cast.a_at_k, request), (cast.a, "never")):
        outcome(await sent(voice, f"requests/{id_}/withdraw"), 404)
    assert (await told(hanako, f"requests/{request}"))["state"] == "waiting"


async def test_a_request_for_the_organization_is_for_all_of_it(town: Town, hanako: Voice, cast: Cast) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    request = await requested(hanako, cast.a, recipient="organization")
    await done(hanako, f"requests/{request}/grant", await shown(town))
    assert [await voice.sees(pressure) for voice in (cast.a, cast.b, cast.a_at_k)] == [True, True, False]


async def test_a_service_asks_for_itself(town: Town, hanako: Voice, cast: Cast) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    service = town.as_(cast.pharmacy)
    request = await requested(hanako, service, recipient="organization")
    await done(hanako, f"requests/{request}/grant", await shown(town))
    assert await service.sees(pressure)


async def test_who_asks_is_a_clinician_or_a_service(town: Town, hanako: Voice, taro: Voice) -> None:
    code = await code_of(hanako, "request")
    for voice in (taro, town.operator, town.as_("auditor")):
        outcome(await sent(voice, "requests", asking(user_code=code["user_code"])), 403)
    outcome(await sent(town.stranger, "requests", asking(user_code=code["user_code"])), 401)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"user_code": "A", "identifier": f"{CARD}|1"},
        {"user_code": 5},
        {"identifier": "no-bar"},
        {"user_code": "A", "reason": "why"[:3]},
        {"user_code": "A", "reason": "x" * 501},
        {"user_code": "A", "purpose": "BTG"},
        {"user_code": "A", "purpose": "FUN"},
        {"user_code": "A", "categories": ["secrets"]},
        {"user_code": "A", "categories": "medicines"},
        {"user_code": "A", "codes": ["85354-9"]},
        {"user_code": "A", "data_period": {}},
        {"user_code": "A", "data_period": {"start": "2025-02-30"}},
        {"user_code": "A", "until": "2020-01-01"},
        {"user_code": "A", "until": "soon"},
        {"user_code": "A", "recipient": "everybody"},
        {"user_code": "A", "patient": "Patient/1"},
    ],
)
async def test_an_unfit_request_is_refused(cast: Cast, members: Json) -> None:
    outcome(await sent(cast.a, "requests", asking(**members)), 400)


async def test_requests_are_bounded_by_the_requesters_own_by_whichever_way(town: Town, hanako: Voice) -> None:
    one, other = [
        town.as_(await town.operator.create(made.organization(name))) for name in ("架空一", "架空二")
    ]
    await one.create(hanako.consent(permit(one.reference), status="proposed"))
    for at in range(PROPOSALS_PER_HOUR - 1):
        await ask(one, identifier=f"{CARD}|NOBODY-{at}")
    refused = await sent(one, "requests", asking(identifier=f"{CARD}|NOBODY"))
    outcome(refused, 429, "throttled")
    outcome(await one.post(hanako.consent(permit(one.reference), status="proposed")), 429, "throttled")
    await ask(other, identifier=f"{CARD}|NOBODY")
    with town.later(timedelta(hours=1, seconds=1)):
        await ask(one, identifier=f"{CARD}|NOBODY")


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"hash": "0" * 64}, 409),
        ({"version": "0"}, 409),
        ({"language": "en"}, 409),
        ({"preset": "ongoing"}, 409),
        ({"preset": "forever"}, 400),
        ({"language": "fr"}, 400),
        ({"hash": None}, 400),
        ({"version": 1}, 400),
        ({"unread": True}, 400),
    ],
)
async def test_a_grant_that_names_another_wording_than_that_of_now_is_refused(
    town: Town, hanako: Voice, cast: Cast, changed: Json, status: int
) -> None:
    said = {**await shown(town), **changed}
    request = await requested(hanako, cast.a)
    for path, beside in (
        (f"requests/{request}/grant", {}),
        ("grants", {"recipient": cast.hospital}),
        ("codes", {"kind": "share"}),
    ):
        outcome(await sent(hanako, path, {**said, **beside}), status)
    assert await told(hanako, "grants") == []


async def test_a_code_at_the_reception_shares_with_the_organization_that_redeems_it(
    hanako: Voice, cast: Cast
) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    code = await code_of(hanako, categories=["vital-signs"])
    assert code["expires_in"] == LIFE.total_seconds()
    assert code["qr"].startswith("<svg")
    typed = code["user_code"].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    redeemed = await done(cast.a, "redemptions", {"user_code": typed})
    assert redeemed["patient"] == hanako.reference
    assert redeemed["organization"] == cast.ward
    assert [await voice.sees(pressure) for voice in (cast.a, cast.b, cast.a_at_k)] == [True, True, False]
    (given,) = await told(hanako, "grants?state=active")
    assert (given["consent"], given["preset"]) == (redeemed["consent"], "visit")
    assert given["with"] == [{"reference": cast.ward, "name": "ひな形病院 内科（架空）"}]
    assert set((await notices(hanako))[-2:]) == {"access-granted", "share-code-redeemed"}


async def test_who_redeemed_a_code_is_in_the_log_beside_its_person(hanako: Voice, cast: Cast) -> None:
    code = await code_of(hanako)
    redeemed = await done(cast.b, "redemptions", {"user_code": code["user_code"]})
    log = (await hanako.get("/audit/accesses")).json()
    by = [
        (one["who"], one["role"], one["records"]) for one in log if redeemed["consent"] in str(one["records"])
    ]
    assert (cast.dr_b, cast.role_b) in [(who, role) for who, role, _ in by]
    assert hanako.reference in [who for who, _, _ in by]


async def test_a_code_is_good_once_and_again_for_the_same_organization_the_same(
    hanako: Voice, cast: Cast
) -> None:
    code = {"user_code": (await code_of(hanako))["user_code"]}
    first = await sent(cast.a, "redemptions", code)
    again = await sent(cast.b, "redemptions", code)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    outcome(await sent(cast.a_at_k, "redemptions", code), 404)
    assert len(await told(hanako, "grants")) == 1


async def test_a_code_is_over_after_its_minutes_when_it_was_taken_back_and_when_another_was_made(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    first, second = await code_of(hanako), await code_of(hanako)
    outcome(await sent(cast.a, "redemptions", {"user_code": first["user_code"]}), 404)
    with town.later(LIFE):
        outcome(await sent(cast.a, "redemptions", {"user_code": second["user_code"]}), 404)
    taken_back = await sent(hanako, f"codes/{second['id']}", method="DELETE")
    assert taken_back.status_code == 204
    outcome(await sent(cast.a, "redemptions", {"user_code": second["user_code"]}), 404)
    outcome(await sent(hanako, f"codes/{second['id']}", method="DELETE"), 404)
    assert await told(hanako, "grants") == []


async def test_a_code_of_one_kind_does_nothing_as_the_other(hanako: Voice, cast: Cast) -> None:
    share, request = await code_of(hanako), await code_of(hanako, "request")
    outcome(await sent(cast.a, "redemptions", {"user_code": request["user_code"]}), 404)
    await ask(cast.a, user_code=share["user_code"])
    assert await told(hanako, "requests") == []


async def test_wrong_codes_are_bounded_by_the_callers_own(town: Town, hanako: Voice, cast: Cast) -> None:
    wrong = {"user_code": "0000-0000-0000"}
    with later(town, timedelta(days=1)):
        answers = [await sent(cast.e, "redemptions", wrong) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [404] * 10 + [429]
        code = await code_of(hanako)
        outcome(await sent(cast.e, "redemptions", {"user_code": code["user_code"]}), 429, "throttled")
        await done(cast.a, "redemptions", {"user_code": code["user_code"]})
    with later(town, timedelta(days=1, minutes=2)):
        outcome(await sent(cast.e, "redemptions", wrong), 404)


async def test_who_redeems_acts_for_an_organization(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    code = {"user_code": (await code_of(hanako))["user_code"]}
    for voice in (taro, town.operator, town.as_(cast.dr_a)):
        outcome(await sent(voice, "redemptions", code), 403)
    redeemed = await done(town.as_(cast.pharmacy), "redemptions", code)
    assert redeemed["organization"] == cast.pharmacy


async def test_who_made_a_code_and_left_shares_nothing(town: Town, hanako: Voice, cast: Cast) -> None:
    code = {"user_code": (await code_of(hanako))["user_code"]}
    tree = await hanako.read(hanako.reference)
    await town.operator.replace(hanako.reference, {**tree, "deceasedDateTime": "2026-01-01"})
    outcome(await sent(cast.a, "redemptions", code), 404)


async def test_a_proxy_shares_within_their_scope_and_no_further(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    proxy = town.as_(await hanako.create(made.related_person(hanako.reference)))
    said = {**await shown(town), "patient": hanako.reference}
    outcome(await sent(proxy, "codes", {"kind": "share", **said}), 403)
    (scope,) = await hanako.grant(
        permit(proxy.reference, purposes=["FAMRQT"], types=["Consent"], actions=["access"]),
    )
    outcome(await sent(proxy, "codes", {"kind": "share", **said}), 403)
    await hanako.grant(
        permit(proxy.reference, purposes=["FAMRQT"], types=["Consent"], actions=["collect", "correct"])
    )
    outcome(await sent(proxy, "codes", {"kind": "share", **await shown(town)}), 403)
    code = await done(proxy, "codes", {"kind": "share", **said})
    redeemed = await done(cast.a, "redemptions", {"user_code": code["user_code"]})
    assert redeemed["patient"] == hanako.reference
    request = await requested(hanako, cast.b)
    assert request in {one["id"] for one in await told(proxy, "requests")}
    granted = await done(proxy, f"requests/{request}/grant", await shown(town))
    assert granted["state"] == "active"
    assert "performer" not in await hanako.read(f"Consent/{request}")
    assert (await done(proxy, f"grants/{request}/withdraw"))["state"] == "withdrawn"
    given = await done(proxy, "grants", {**said, "recipient": cast.clinic})
    assert given["patient"] == hanako.reference
    assert scope.partition("/")[2] in {one["id"] for one in await told(proxy, "grants")}


async def test_a_proxy_whose_scope_ended_meanwhile_shares_nothing(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    proxy = town.as_(await hanako.create(made.related_person(hanako.reference)))
    (scope,) = await hanako.grant(
        permit(proxy.reference, purposes=["FAMRQT"], types=["Consent"], actions=["collect", "correct"])
    )
    said = {**await shown(town), "kind": "share", "patient": hanako.reference}
    code = {"user_code": (await done(proxy, "codes", said))["user_code"]}
    await hanako.remove(scope)
    outcome(await sent(cast.a, "redemptions", code), 404)


async def test_sharing_unasked_and_withdrawing_take_one_step_each(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    pressure = await hanako.create(made.pressure(hanako.reference))
    offer = {**await shown(town, "ongoing"), "recipient": cast.clinic, "categories": ["vital-signs"]}
    given = await done(hanako, "grants", offer)
    assert given["ends"] == {"ja": "やめるまで", "en": "until you stop it"}
    assert await cast.a_at_k.sees(pressure)
    for _ in range(2):
        assert (await done(hanako, f"grants/{given['id']}/withdraw"))["state"] == "withdrawn"
        assert not await cast.a_at_k.sees(pressure)


async def test_what_takes_the_place_of_a_grant_ends_it_in_the_same_moment(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    pressure, weight = [
        await hanako.create(tree) for tree in (made.pressure(hanako.reference), made.weight(hanako.reference))
    ]
    offer = {**await shown(town, "ongoing"), "recipient": cast.clinic}
    first = await done(hanako, "grants", offer)
    narrowed = {**offer, "categories": ["Observation"], "codes": ["http://loinc.org|29463-7"]}
    second = await done(hanako, "grants", {**narrowed, "replaces": first["consent"]})
    assert (await cast.a_at_k.sees(pressure), await cast.a_at_k.sees(weight)) == (False, True)
    states = dict(members(await told(hanako, "grants"), "id", "state"))
    assert states == {first["id"]: "withdrawn", second["id"]: "active"}
    request = await requested(hanako, cast.a_at_k)
    grant = {**await shown(town), "replaces": second["consent"]}
    await done(hanako, f"requests/{request}/grant", grant)
    assert (await cast.a_at_k.sees(pressure), await cast.a_at_k.sees(weight)) == (True, False)


async def test_a_grant_that_cannot_replace_what_it_names_is_not_given(
    town: Town, hanako: Voice, taro: Voice, cast: Cast
) -> None:
    offer = {**await shown(town), "recipient": cast.clinic}
    others = await done(taro, "grants", offer)
    for replaced in (others["consent"], "Consent/never"):
        (issue,) = outcome(await sent(hanako, "grants", {**offer, "replaces": replaced}), 404)["issue"]
        assert issue["expression"] == ["replaces"]
    outcome(await sent(hanako, "grants", {**offer, "replaces": "Observation/1"}), 400)
    assert await told(hanako, "grants") == []
    assert members(await told(taro, "grants"), "state") == [("active",)]


@pytest.mark.parametrize(
    ("recipient", "status"), [("Organization/never", 422), ("Patient/x", 400), ("Group/x", 400), (None, 400)]
)
async def test_whom_the_directory_does_not_know_nothing_is_shared_with(
    town: Town, hanako: Voice, recipient: str | None, status: int
) -> None:
    outcome(await sent(hanako, "grants", {**await shown(town), "recipient": recipient}), status)


async def test_whoever_is_no_owner_shares_and_reads_no_grants(town: Town, hanako: Voice, cast: Cast) -> None:
    offer = {**await shown(town), "recipient": cast.hospital}
    for voice in (cast.a, town.operator, town.as_("auditor")):
        outcome(await sent(voice, "grants", {**offer, "patient": hanako.reference}), 403)
        outcome(await sent(voice, "grants", method="GET"), 403)
        outcome(await sent(voice, "codes", {"kind": "request", "patient": hanako.reference}), 403)
    outcome(await sent(hanako, "grants?state=lost", method="GET"), 400)


async def test_nobody_shares_anothers_passport(town: Town, hanako: Voice, taro: Voice, cast: Cast) -> None:
    offer = {**await shown(town), "recipient": cast.hospital, "patient": taro.reference}
    for patient in (taro.reference, "Patient/unknown"):
        refused = await sent(hanako, "grants", {**offer, "patient": patient})
        outcome(refused, 403)
        outcome(await sent(hanako, "codes", {"kind": "request", "patient": patient}), 403)


async def test_a_list_tells_of_every_consent_in_words(town: Town, hanako: Voice, cast: Cast) -> None:
    device = await hanako.create(made.device(hanako.reference))
    await hanako.grant(
        permit(cast.role_a, period={"start": "2099-01-01"}, codes=[made.BODY_WEIGHT]),
        permit(device, purposes=["PATRQT"], types=["Observation"], actions=["collect"]),
        deny(types=["Condition"]),
        deny(cast.dr_b, period={"end": "2099-12-31"}, but=[]),
    )
    listed = {one["text"]["en"]: one for one in await told(hanako, "grants")}
    assert [one["state"] for one in listed.values()].count("upcoming") == 1
    assert set(listed) == {
        "Nobody may see, add or correct diagnoses, until you stop it.",
        "架空 二郎（架空） may not see, add or correct all records (except consents, family and care teams), "
        "until 31 December 2099.",
        "An enrolled device may add Observation for your own request, until you stop it.",
        "ひな形病院 内科（架空） 架空 一郎（架空） may see all records (except consents, family and care teams) "
        "(of these only the items that are named) for treatment, until you stop it.",
    }


async def test_a_session_with_narrow_scopes_shares_nothing(town: Town, hanako: Voice, cast: Cast) -> None:
    narrow = town.as_(hanako.reference, scope="patient/Observation.cruds")
    said = await shown(town)
    code = await code_of(hanako)
    for path, tree in (("codes", {"kind": "share", **said}), ("grants", {**said, "recipient": cast.clinic})):
        outcome(await sent(narrow, path, tree), 403)
    outcome(await sent(narrow, "grants", method="GET"), 403)
    clinician = town.as_(cast.role_a, scope="user/Observation.rs")
    outcome(await sent(clinician, "redemptions", {"user_code": code["user_code"]}), 403)
    outcome(await sent(clinician, "requests", asking(user_code=code["user_code"])), 403)
    outcome(await sent(clinician, "requests", method="GET"), 403)
