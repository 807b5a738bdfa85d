"""Before a consent is saved: what somebody would see, what it changes for whom, and rules that do nothing."""

from datetime import timedelta
from typing import Any

import pytest

from consent.systems import ACT_CODE, ATC
from tests import resources as made
from tests.cast import Cast
from tests.explaining import changed, edit, everything, previewed, sent, shown, warned
from tests.hospital import records_of
from tests.identities import merged
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, allow, consent_json, deny, permit

pytestmark = pytest.mark.anyio

ROOT = "Consent.provision"
VITALS = {"system": made.OBSERVATION_CATEGORY, "code": "vital-signs"}


@pytest.fixture
async def records(hanako: Voice) -> dict[str, str]:
    """A few records of one resident, by name."""
    label = made.labelled("N")
    trees = {
        "pressure": made.pressure(hanako.reference, meta=label),
        "weight": made.weight(hanako.reference, meta=label),
        "secret": made.weight(hanako.reference, meta=made.labelled("R")),
        "tablet": made.prescription(hanako.reference, made.AMLODIPINE, meta=label),
        "allergy": made.allergy(hanako.reference, meta=label),
    }
    return {name: await hanako.create(tree) for name, tree in trees.items()}


async def saved(voice: Voice, *roots: Json) -> None:
    await voice.grant(*roots)


async def test_a_preview_shows_what_would_be_seen(cast: Cast, hanako: Voice, records: dict[str, str]) -> None:
    root = permit(cast.hospital, types=["Observation"], labels=["N"])
    told = await previewed(hanako, cast.role_a, root)
    assert sorted(shown(told)) == sorted([records["pressure"], records["weight"]])
    assert (told["total"], told["now"]) == (2, 0)
    assert told["as"]["reference"] == cast.role_a
    assert "架空 一郎" in told["as"]["name"]
    assert [one["because"] for one in told["records"]] == [["drafts[0]"]] * 2
    assert {one["resource"]["subject"]["reference"] for one in told["records"]} == {hanako.reference}
    assert await everything(cast.a, hanako.reference) == []
    await saved(hanako, root)
    assert await everything(cast.a, hanako.reference) == shown(told)


async def test_a_preview_counts_by_type_and_category(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    await hanako.grant(permit(cast.hospital, types=["MedicationRequest"]))
    told = await previewed(
        hanako, cast.role_a, permit(cast.hospital, types=["Observation", "AllergyIntolerance"])
    )
    assert (told["total"], told["now"]) == (5, 1)
    counts = {one.pop("type"): one for one in told["counts"]}
    assert counts == {
        "AllergyIntolerance": {"total": 1, "now": 0, "categories": []},
        "MedicationRequest": {"total": 1, "now": 1, "categories": []},
        "Observation": {"total": 3, "now": 0, "categories": [{**VITALS, "total": 1, "now": 0}]},
    }


async def test_a_preview_without_a_consent_that_is_replaced_or_withdrawn(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    before, other = await hanako.grant(
        permit(cast.hospital, types=["Observation"]), permit(cast.hospital, types=["AllergyIntolerance"])
    )
    narrower = permit(cast.hospital, types=["MedicationRequest"])
    told = await previewed(hanako, cast.role_a, narrower, replaces=[before])
    assert sorted(shown(told)) == sorted([records["allergy"], records["tablet"]])
    assert (told["total"], told["now"]) == (2, 4)
    told = await previewed(hanako, cast.role_a, replaces=[before, other])
    assert (shown(told), told["total"], told["now"]) == ([], 0, 4)
    assert sorted(one["type"] for one in told["counts"]) == ["AllergyIntolerance", "Observation"]
    assert told["warnings"] == []


async def test_a_preview_names_the_consents_that_show_each_record(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    (kept,) = await hanako.grant(permit(cast.hospital, types=["AllergyIntolerance"]))
    told = await previewed(hanako, cast.role_a, permit(cast.dr_a, types=["AllergyIntolerance", "Patient"]))
    assert {one["reference"]: one["because"] for one in told["records"]} == {
        hanako.reference: ["drafts[0]"],
        records["allergy"]: [f"{kept}/_history/1", "drafts[0]"],
    }


async def test_a_preview_comes_in_pages(cast: Cast, hanako: Voice, records: dict[str, str]) -> None:
    whole = await previewed(hanako, cast.role_a, permit(cast.hospital))
    asked = edit(hanako, permit(cast.hospital), actor=cast.role_a, purpose="TREAT", count=2)
    found: list[str] = []
    told: Json = {"next": None}
    while "next" in told:
        cursor = {} if told["next"] is None else {"cursor": told["next"]}
        answer = await sent(hanako, "/sharing/preview", {**asked, **cursor})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert len(told["records"]) <= 2
        assert ("counts" in told) is not bool(cursor)
        found += shown(told)
    assert found == shown(whole)
    assert len(found) == 6


async def test_a_preview_may_count_and_show_nothing(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    asked = edit(hanako, permit(cast.hospital), actor=cast.role_a, purpose="TREAT", count=0)
    told = (await sent(hanako, "/sharing/preview", asked)).json()
    assert (told["total"], told["records"], "next" in told) == (6, [], False)


async def test_a_page_belongs_to_its_question(cast: Cast, hanako: Voice, records: dict[str, str]) -> None:
    asked = edit(hanako, permit(cast.hospital), actor=cast.role_a, purpose="TREAT", count=2)
    cursor = (await sent(hanako, "/sharing/preview", asked)).json()["next"]
    others: list[Json] = [
        {"actor": cast.role_b},
        {"purpose": "ETREAT"},
        {"drafts": []},
        {"cursor": cursor[:-2]},
    ]
    for other in others:
        answer = await sent(hanako, "/sharing/preview", {**asked, "cursor": cursor, **other})
        (issue,) = outcome(answer, 400)["issue"]
        assert issue["expression"] == ["cursor"]


async def test_a_preview_is_for_the_role_that_is_named(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    root = permit(cast.ward, types=["AllergyIntolerance"])
    for actor, sees in (
        (cast.role_a, 1),
        (cast.role_a_at_k, 0),
        (cast.dr_a, 0),
        (cast.ward, 1),
        (cast.clinic, 0),
    ):
        assert (await previewed(hanako, actor, root))["total"] == sees


@pytest.mark.parametrize(("purpose", "action", "sees"), [
    ("TREAT", "access", 1), ("ETREAT", "access", 0), ("TREAT", "correct", 0), ("TREAT", "collect", 0),
])  # fmt: skip
async def test_a_preview_is_for_one_purpose_and_action(
    cast: Cast, hanako: Voice, records: dict[str, str], purpose: str, action: str, sees: int
) -> None:
    root = permit(cast.hospital, types=["AllergyIntolerance"])
    assert (await previewed(hanako, cast.role_a, root, purpose=purpose, action=action))["total"] == sees


async def test_an_application_may_narrow_what_its_user_sees(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    app = await cast.town.operator.create({"resourceType": "Device", "status": "active"})
    roots = (permit(cast.hospital), deny(app))
    assert (await previewed(hanako, cast.role_a, *roots))["total"] == 6
    assert (await previewed(hanako, cast.role_a, *roots, client=app))["total"] == 0


async def test_an_emergency_is_previewed_as_if_it_were_open(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    root = permit(cast.emergency, purposes=["BTG"], types=["AllergyIntolerance"])
    told = await previewed(hanako, cast.role_e, root, purpose="BTG")
    assert shown(told) == [records["allergy"]]


async def test_a_request_is_previewed_before_it_is_granted(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    asked = await cast.a.create(
        hanako.consent(permit(cast.role_a, types=["AllergyIntolerance"]), status="proposed")
    )
    tree = await hanako.read(asked)
    answer = await sent(
        hanako, "/sharing/preview", {"drafts": [tree], "actor": cast.role_a, "purpose": "TREAT"}
    )
    # The request itself is its requester's to see.
    assert sorted(shown(answer.json())) == sorted([records["allergy"], asked])


async def test_a_record_that_names_somebody_else_is_left_out_whatever_they_decide(
    cast: Cast, hanako: Voice, taro: Voice
) -> None:
    of_both = [{"actor": made.reference(who.reference), "status": "accepted"} for who in (hanako, taro)]
    both = {**records_of(hanako.reference)["Appointment"], "participant": of_both}
    for who in (hanako, taro):
        await who.grant(permit(cast.pharmacy, types=["Appointment"], actions=["collect"]))
    appointment = await cast.town.as_(cast.pharmacy).create(both)
    root = permit(cast.hospital, types=["Appointment"])
    assert shown(await previewed(hanako, cast.role_a, root)) == []
    await taro.grant(permit(cast.hospital, types=["Appointment"]))
    # The physician would see it, and the resident does not.
    assert shown(await previewed(hanako, cast.role_a, root)) == []
    await taro.grant(permit(hanako.reference, purposes=["PATRQT"], types=["Appointment"]))
    told = await previewed(hanako, cast.role_a, root)
    assert (shown(told), told["total"], told["leftOut"]["total"]) == ([], 0, 1)
    await hanako.grant(root)
    assert await cast.a.sees(appointment)


async def test_a_resident_who_is_registered_twice_previews_each_with_its_own_consents(
    cast: Cast, hanako: Voice, town: Town
) -> None:
    double = await town.resident("見本 花子")
    first, second = [await who.create(made.allergy(who.reference)) for who in (hanako, double)]
    await merged(hanako, double)
    root = permit(cast.hospital, types=["AllergyIntolerance"])
    assert shown(await previewed(hanako, cast.role_a, root)) == [first]
    drafts = [hanako.consent(root), consent_json(root, double.reference)]
    answer = await sent(
        hanako,
        "/sharing/preview",
        {"patient": hanako.reference, "drafts": drafts[:1], "actor": cast.role_a, "purpose": "TREAT"},
    )
    assert answer.status_code == 200
    await double.grant(root)
    assert sorted(shown(await previewed(hanako, cast.role_a, root))) == sorted([first, second])


async def test_what_changes_is_told_for_everybody_who_is_named(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    (before,) = await hanako.grant(permit(cast.hospital, types=["Observation"]))
    told = await changed(
        hanako, permit(cast.clinic, types=["AllergyIntolerance"]), deny(cast.dr_b), replaces=[]
    )
    people = {one["reference"]: one for one in told["people"]}
    numbers = {
        name: tuple(people[name][way] for way in ("before", "after", "gained", "lost"))
        for name in (cast.clinic, cast.role_b, cast.hospital)
    }
    assert numbers == {cast.clinic: (0, 1, 1, 0), cast.role_b: (3, 0, 0, 3), cast.hospital: (3, 3, 0, 0)}
    assert [one["type"] for one in people[cast.role_b]["types"]] == ["Observation"]
    assert people[cast.role_b]["types"][0]["categories"] == [
        {**VITALS, "before": 1, "after": 0, "gained": 0, "lost": 1}
    ]
    # Whoever gains or loses something comes first.
    assert [one["reference"] for one in told["people"]][-1] == cast.hospital
    assert people[cast.clinic]["name"].startswith("見本診療所")
    assert told["more"] is False
    lost = await changed(hanako, replaces=[before])
    assert [(one["reference"], one["lost"]) for one in lost["people"]] == [(cast.hospital, 3)]


async def test_members_of_a_care_team_are_told_one_by_one(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    team = await hanako.create(made.care_team(hanako.reference, cast.dr_b, cast.clinic))
    told = await changed(hanako, permit(team, types=["AllergyIntolerance"]))
    gained = {one["reference"]: one["gained"] for one in told["people"]}
    assert gained == {cast.dr_b: 1, cast.role_b: 1, cast.clinic: 1}


@pytest.mark.parametrize("in_force", [False, True], ids=["drafted", "in force"])
async def test_whom_the_care_team_of_somebody_else_lists_shows_in_no_preview(
    cast: Cast, hanako: Voice, taro: Voice, records: dict[str, str], in_force: bool
) -> None:
    await taro.create(made.allergy(taro.reference))
    team, own = [await whose.create(made.care_team(whose.reference, cast.dr_b)) for whose in (hanako, taro)]
    totals = []
    for one in (team, own):
        root = permit(one, types=["AllergyIntolerance"])
        kept = await taro.grant(root) if in_force else []
        told = await previewed(taro, cast.role_b, *([] if in_force else [root]))
        totals.append(told["total"])
        for reference in kept:
            await taro.replace(reference, {**await taro.read(reference), "status": "inactive"})
    assert totals == [0, 1]


async def test_who_may_come_in_an_emergency_is_told_apart(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    told = await changed(hanako, permit(cast.emergency, purposes=["TREAT", "BTG"], types=["Patient"]))
    opening = {one["purpose"]: one.get("opening", False) for one in told["people"]}
    assert opening == {"TREAT": False, "BTG": True}


async def test_a_bare_deny_is_warned_of_with_what_it_blocks(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    await hanako.grant(deny())
    told = await previewed(hanako, cast.role_a, permit(cast.hospital))
    assert (told["total"], shown(told)) == (0, [])
    (warning,) = [one for one in told["warnings"] if one["why"] == "always-blocked"]
    assert (warning["consent"], warning["path"], warning["always"]) == ("drafts[0]", ROOT, True)
    assert warning["by"]["path"] == ROOT
    assert warning["by"]["consent"].startswith("Consent/")
    assert "拒否" in warning["text"]["ja"]
    assert "blocks" in warning["text"]["en"]


HIV = (ACT_CODE, "HIV")
PAST = {"start": "2020", "end": "2021"}
NEEDLESS: list[tuple[dict[str, Any], str, str]] = [
    ({"period": PAST}, ROOT, "period-over"),
    ({"types": ["Observation"], "codes": [(ATC, "C09")]}, ROOT, "class-without-code"),
    ({"but": [deny(purposes=["HRESCH"])]}, f"{ROOT}.provision[0]", "exception-without-effect"),
    (
        {"but": [deny(types=["Condition"]), deny(labels=["V"])]},
        f"{ROOT}.provision[1]",
        "label-reaches-nothing",
    ),
    ({"types": ["Observation"], "labels": [HIV]}, ROOT, "label-reaches-nothing"),
    ({"types": ["Immunization"]}, ROOT, "reaches-nothing-now"),
    ({"purposes": ["HMARKT"]}, ROOT, "purpose-nobody-holds"),
]


@pytest.mark.parametrize(("attributes", "path", "why"), NEEDLESS)
async def test_a_rule_that_does_nothing_is_warned_of(
    cast: Cast, hanako: Voice, records: dict[str, str], attributes: dict[str, Any], path: str, why: str
) -> None:
    await cast.a.get("Observation")
    told = await changed(hanako, permit(cast.hospital, **attributes))
    assert ("drafts[0]", path, why) in warned(told)


async def test_a_rule_that_works_is_not_warned_of(cast: Cast, hanako: Voice, records: dict[str, str]) -> None:
    await cast.a.get("Observation")
    root = permit(cast.hospital, types=["Observation"], labels=["R"], but=[deny(labels=["R"])])
    assert warned(await changed(hanako, root)) == []


async def test_a_permit_that_repeats_another_is_warned_of(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    await cast.a.get("Observation")
    (wider,) = await hanako.grant(permit(cast.hospital, types=["Observation", "MedicationRequest"]))
    told = await changed(hanako, permit(cast.ward, types=["Observation"]))
    (warning,) = told["warnings"]
    # The ward is part of the hospital, which the directory says.
    assert (warning["why"], warning["by"]) == ("repeats-another", {"consent": wider, "path": ROOT})


async def test_whoever_is_not_here_is_warned_of_and_nobody_learns_who_has_a_passport(
    cast: Cast, hanako: Voice, taro: Voice, records: dict[str, str]
) -> None:
    await cast.a.get("Observation")
    for actor, missing in (
        ("Organization/nobody", True),
        (cast.hospital, False),
        (taro.reference, False),
        ("Patient/nobody", False),
    ):
        found = warned(await changed(hanako, permit(actor)))
        assert (("drafts[0]", ROOT, "actor-not-here") in found) is missing


async def test_drafts_are_warned_of_together(cast: Cast, hanako: Voice, records: dict[str, str]) -> None:
    await cast.a.get("Observation")
    told = await changed(
        hanako, permit(cast.hospital), deny(but=[allow(cast.emergency, purposes=["ETREAT"])])
    )
    assert warned(told)[0] == ("drafts[0]", ROOT, "always-blocked")
    assert told["warnings"][0]["by"] == {"consent": "drafts[1]", "path": ROOT}


async def test_nobody_else_previews(cast: Cast, hanako: Voice, taro: Voice) -> None:
    tree = edit(hanako, permit(cast.hospital), actor=cast.role_a, purpose="TREAT")
    town = cast.town
    for voice in (taro, cast.a, town.as_(cast.pharmacy), town.operator, town.as_("auditor")):
        for path, body in (
            ("/sharing/preview", tree),
            ("/sharing/changes", edit(hanako, permit(cast.hospital))),
        ):
            outcome(await sent(voice, path, body), 403, "forbidden")
            unknown = {**body, "patient": "Patient/nobody", "drafts": []}
            assert (await sent(voice, path, unknown)).text == (await sent(voice, path, body)).text
    outcome(await sent(town.stranger, "/sharing/preview", tree), 401)


async def test_a_proxy_previews_what_a_proxy_may_write_and_sees(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    relative = await hanako.create(made.related_person(hanako.reference))
    proxy = cast.town.as_(relative)
    tree = {**edit(hanako, permit(cast.hospital)), "actor": cast.role_a, "purpose": "TREAT"}
    await hanako.grant(permit(relative, purposes=["FAMRQT"], types=["Observation", "Consent"]))
    outcome(await sent(proxy, "/sharing/preview", tree), 403)
    await hanako.grant(permit(relative, purposes=["FAMRQT"], types=["Consent"], actions=["collect"]))
    answer = await sent(proxy, "/sharing/preview", tree)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    seen = [records[name] for name in ("pressure", "weight", "secret")]
    assert (sorted(shown(told)), told["total"]) == (sorted(seen), 3)
    own = {**edit(hanako, permit(relative, purposes=["FAMRQT"])), "actor": cast.role_a, "purpose": "TREAT"}
    outcome(await sent(proxy, "/sharing/preview", own), 403)


async def test_a_session_of_few_scopes_previews_no_more(
    cast: Cast, hanako: Voice, records: dict[str, str]
) -> None:
    narrow = cast.town.as_(hanako.reference, scope="patient/Observation.rs patient/Consent.rs")
    told = await previewed(narrow, cast.role_a, permit(cast.hospital))
    assert sorted({one.partition("/")[0] for one in shown(told)}) == ["Observation"]
    assert told["total"] == 3
    blind = cast.town.as_(hanako.reference, scope="patient/Observation.rs")
    tree = edit(hanako, permit(cast.hospital), actor=cast.role_a, purpose="TREAT")
    outcome(await sent(blind, "/sharing/preview", tree), 403)


REFUSED: list[tuple[Json, int, str]] = [
    ({"actor": "CareTeam/t"}, 400, "invalid"),
    ({"actor": "Nobody"}, 400, "invalid"),
    ({"purpose": "FUN"}, 400, "invalid"),
    ({"action": "disclose"}, 400, "invalid"),
    ({"count": -1}, 400, "invalid"),
    ({"count": True}, 400, "invalid"),
    ({"count": 1_000}, 400, "invalid"),
    ({"client": "Patient/x"}, 400, "invalid"),
    ({"cursor": 1}, 400, "invalid"),
    ({"drafts": {}}, 400, "invalid"),
    ({"drafts": [{"resourceType": "Patient"}]}, 400, "invalid"),
    ({"replaces": ["Observation/1"]}, 400, "invalid"),
    ({"replaces": ["Consent/nobody"]}, 422, "business-rule"),
    ({"other": 1}, 400, "invalid"),
]


@pytest.mark.parametrize(("more", "status", "code"), REFUSED)
async def test_what_cannot_be_previewed_is_refused(
    cast: Cast, hanako: Voice, more: Json, status: int, code: str
) -> None:
    tree = edit(hanako, permit(cast.hospital), actor=cast.role_a, purpose="TREAT")
    outcome(await sent(hanako, "/sharing/preview", {**tree, **more}), status, code)


async def test_a_preview_as_oneself_is_refused(cast: Cast, hanako: Voice) -> None:
    tree = edit(hanako, permit(cast.hospital), actor=hanako.reference, purpose="TREAT")
    outcome(await sent(hanako, "/sharing/preview", tree), 400)


async def test_another_persons_consent_is_not_replaced(cast: Cast, hanako: Voice, taro: Voice) -> None:
    (others,) = await taro.grant(deny())
    policy = await cast.town.policy(consent_json(permit(cast.emergency, purposes=["BTG"]), None))
    for name in (others, policy):
        tree = edit(hanako, permit(cast.hospital), replaces=[name])
        outcome(await sent(hanako, "/sharing/changes", tree), 422, "business-rule")
    await cast.town.operator.remove(policy)


async def test_a_draft_that_cannot_be_enforced_is_refused_with_its_place(cast: Cast, hanako: Voice) -> None:
    wrong = permit(cast.hospital, but=[deny(labels=["N", HIV])])
    tree = edit(hanako, permit(cast.clinic), wrong)
    told = outcome(await sent(hanako, "/sharing/changes", tree), 422, "not-supported")
    assert [one["expression"] for one in told["issue"]] == [["drafts[1].provision.provision[0]"]]
    invalid = {**hanako.consent(permit(cast.hospital)), "status": "granted"}
    told = outcome(await sent(hanako, "/sharing/changes", {"drafts": [invalid]}), 422)
    assert told["issue"][0]["expression"][0].startswith("drafts[0]")


async def test_drafts_of_two_people_are_refused(cast: Cast, hanako: Voice, taro: Voice) -> None:
    drafts = [who.consent(permit(cast.hospital)) for who in (hanako, taro)]
    outcome(await sent(hanako, "/sharing/changes", {"drafts": drafts}), 400)
    outcome(await sent(hanako, "/sharing/changes", {}), 400)


async def test_a_draft_that_begins_later_shows_nothing_yet(
    cast: Cast, hanako: Voice, records: dict[str, str], town: Town
) -> None:
    begins = (town.clock() + timedelta(hours=1)).isoformat(timespec="seconds")
    root = permit(cast.hospital, period={"start": begins})
    assert (await previewed(hanako, cast.role_a, root))["total"] == 0
    with town.later(timedelta(hours=2)):
        assert (await previewed(hanako, cast.role_a, root))["total"] == 6
