"""The city desk: consent on paper by two clerks, its withdrawal, and the receipt that is printed."""

import re
from asyncio import gather
from base64 import b64encode
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.http.test_two_people import person
from tests.identities import merged, sent, separated
from tests.town import AUDITOR, CLERK, SECOND_CLERK, Town, Voice, outcome
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio

PAGE: Final = b"\xff\xd8\xff\xe0" + b"a scan of a sheet of paper, plainly made up" * 40
SCAN: Final = {"contentType": "image/jpeg", "data": b64encode(PAGE).decode()}
CHROME: Final = re.compile(r"<script|javascript:|http://|https://|\son\w+=")


@pytest.fixture
def clerk(town: Town) -> Voice:
    return town.as_(CLERK)


@pytest.fixture
def second(town: Town) -> Voice:
    return town.as_(SECOND_CLERK)


@pytest.fixture
async def weight(hanako: Voice) -> str:
    return await hanako.create(made.weight(hanako.reference))


def on_paper(patient: Voice, recipient: str, **more: Any) -> Json:
    grant = {"recipient": recipient, "purpose": "TREAT", "preset": "three-months", **more}
    return {"kind": "consent", "patient": patient.reference, "scan": SCAN, "grant": grant}


async def entered(clerk: Voice, tree: Json) -> Json:
    answer = await sent(clerk, "/desk/matters", tree)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def decide(clerk: Voice, matter: Json, verb: str = "confirm") -> Response:
    return await sent(clerk, f"/desk/matters/{matter['id']}/{verb}")


async def agreed(clerk: Voice, second: Voice, tree: Json) -> Json:
    """What comes of a matter that one clerk entered and another one confirmed."""
    answer = await decide(second, await entered(clerk, tree))
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


class TestConsents:
    async def test_what_two_clerks_agree_on_is_a_consent_with_its_source(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice, weight: str
    ) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a))
        assert not await cast.a.sees(weight)
        done = (await decide(second, matter)).json()
        assert await cast.a.sees(weight)
        (reference,) = done["results"]
        consent = await hanako.read(reference)
        assert consent["status"] == "active"
        assert consent["sourceReference"] == {"reference": matter["document"]}
        (verified,) = consent["verification"]
        assert (verified["verified"], verified["verifiedWith"]) == (True, {"reference": hanako.reference})
        ((recorded,),) = [
            [tree["resource"] for tree in (await hanako.search("Provenance", ("target", reference)))["entry"]]
        ]
        assert [agent["who"]["display"] for agent in recorded["agent"]] == [CLERK, SECOND_CLERK]
        assert recorded["entity"][0]["what"] == {"reference": matter["document"]}
        kinds = [notice["kind"] for notice in (await hanako.get("/notifications")).json()]
        assert kinds == ["paper-consent-recorded"]

    async def test_the_patient_reads_the_paper_and_no_clerk_does(
        self, town: Town, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a))
        document = await hanako.read(matter["document"])
        assert document["docStatus"] == "preliminary"
        page = document["content"][0]["attachment"]["url"]
        assert (await hanako.read(page))["data"] == SCAN["data"]
        await decide(second, matter)
        assert (await hanako.read(matter["document"]))["docStatus"] == "final"
        await hanako.grant(permit(cast.hospital, types=["Observation"]))
        for voice in (clerk, second, cast.b, town.operator, town.as_(AUDITOR)):
            assert not await voice.sees(matter["document"])
            outcome(await voice.get(page), 404, "not-found")
            outcome(await voice.get(f"{page}/_history/1"), 404, "not-found")
            for path in ("Binary", "DocumentReference"):
                assert await voice.found(path) == []
        answer = await clerk.get(f"/desk/matters/{matter['id']}")
        assert SCAN["data"] not in answer.text

    async def test_a_scan_is_stored_sealed(self, town: Town, hanako: Voice, cast: Cast, clerk: Voice) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a))
        bodies = [bytes(body) for (body,) in town.rows("SELECT body FROM resource")]
        assert not any(PAGE[:20] in body or SCAN["data"][:20].encode() in body for body in bodies)
        ((content,),) = town.rows("SELECT content FROM desk_matter WHERE matter_id = %s", matter["id"])
        assert b"Consent" not in content
        assert cast.role_a.encode() not in content

    async def test_the_same_clerk_does_not_confirm(
        self, town: Town, hanako: Voice, cast: Cast, clerk: Voice, weight: str
    ) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a))
        outcome(await decide(clerk, matter), 403, "forbidden")
        again = town.as_(CLERK, scope="user/Organization.rs")
        outcome(await decide(again, matter), 403, "forbidden")
        assert not await cast.a.sees(weight)

    async def test_one_person_with_two_logins_does_not_confirm(
        self, town: Town, hanako: Voice, cast: Cast
    ) -> None:
        ones = [await person(town, "clerk", person=cast.dr_b) for _ in range(2)]
        matter = await entered(ones[0], on_paper(hanako, cast.role_a))
        outcome(await decide(ones[1], matter), 403, "forbidden")
        assert (await decide(await person(town, "clerk"), matter)).status_code == 200

    async def test_a_matter_is_decided_once(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a))
        assert (await decide(second, matter)).status_code == 200
        for verb in ("confirm", "decline"):
            outcome(await decide(second, matter, verb), 409, "conflict")
        assert len(await hanako.found("Consent")) == 1

    async def test_of_several_who_decide_at_once_one_does(
        self, town: Town, hanako: Voice, cast: Cast, clerk: Voice
    ) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a))
        others = [town.as_(f"clerk/other-{at}") for at in range(4)]
        for other in others:
            await other.get("metadata")
        answers = await gather(*(decide(other, matter) for other in others))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        assert len(await hanako.found("Consent")) == 1

    async def test_what_is_declined_leaves_no_consent_and_no_image(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice, weight: str
    ) -> None:
        for decider in (second, clerk):
            matter = await entered(clerk, on_paper(hanako, cast.role_a))
            page = (await hanako.read(matter["document"]))["content"][0]["attachment"]["url"]
            answer = await decide(decider, matter, "decline")
            assert answer.json()["outcome"] == "declined"
            assert (await hanako.read(matter["document"]))["status"] == "entered-in-error"
            assert (await hanako.get(page)).status_code == 410
            outcome(await decide(second, matter), 409, "conflict")
        assert await hanako.found("Consent") == []
        assert not await cast.a.sees(weight)

    async def test_a_second_clerk_sees_what_was_entered_until_it_is_decided(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a, categories=["medicines"]))
        listed = (await second.get("/desk/matters")).json()
        (one,) = [each for each in listed if each["id"] == matter["id"]]
        assert "content" not in one
        content = (await second.get(f"/desk/matters/{matter['id']}")).json()["content"]
        assert cast.role_a in str(content["consent"]["provision"])
        await decide(second, matter)
        after = (await second.get(f"/desk/matters/{matter['id']}")).json()
        assert "content" not in after
        assert after["decided_by"] == SECOND_CLERK
        assert matter["id"] not in str((await second.get("/desk/matters")).json())

    async def test_a_provision_is_taken_as_fhir_has_it(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice, weight: str
    ) -> None:
        await hanako.grant(permit(cast.hospital))
        assert await cast.b.sees(weight)
        tree = {"kind": "consent", "patient": hanako.reference, "scan": SCAN, "provision": deny(cast.dr_b)}
        await agreed(clerk, second, tree)
        assert (await cast.a.sees(weight), await cast.b.sees(weight)) == (True, False)

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"kind": "other"}, 400),
            ({"patient": "Patient/unknown"}, 404),
            ({"patient": "Practitioner/x"}, 400),
            ({"scan": None}, 400),
            ({"scan": {"contentType": "image/jpeg", "data": "!!!"}}, 400),
            ({"scan": {"contentType": "image/jpeg", "data": "紙"}}, 400),
            ({"scan": {"contentType": "text/html", "data": SCAN["data"]}}, 400),
            ({"scan": {"contentType": "application/pdf", "data": SCAN["data"]}}, 400),
            ({"grant": {"recipient": "Organization/unknown", "preset": "visit"}}, 400),
            ({"grant": {"recipient": "RelatedPerson/x", "preset": "visit"}}, 400),
            ({"grant": None}, 400),
            ({"provision": {"type": "deny"}}, 400),
            ({"grant": None, "provision": {"type": "permit"}}, 422),
            ({"extra": 1}, 400),
        ],
    )
    async def test_what_cannot_be_entered_is_refused(
        self, hanako: Voice, cast: Cast, clerk: Voice, change: Json, status: int
    ) -> None:
        tree = {**on_paper(hanako, cast.role_a), **change}
        answer = await sent(clerk, "/desk/matters", {k: v for k, v in tree.items() if v is not None})
        outcome(answer, status)
        assert await hanako.found("DocumentReference") == []

    async def test_the_desk_is_the_clerks(self, town: Town, hanako: Voice, cast: Cast, clerk: Voice) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a))
        for voice in (hanako, cast.a, town.operator, town.as_(AUDITOR)):
            outcome(await sent(voice, "/desk/matters", on_paper(hanako, cast.role_a)), 403, "forbidden")
            outcome(await voice.get("/desk/matters"), 403, "forbidden")
            outcome(await voice.get(f"/desk/matters/{matter['id']}"), 403, "forbidden")
            for verb in ("confirm", "decline"):
                outcome(await decide(voice, matter, verb), 403, "forbidden")
        outcome(await clerk.get(f"/desk/matters/{uuid4()}"), 404, "not-found")

    async def test_what_the_desk_did_is_in_the_patients_log(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        done = await agreed(clerk, second, on_paper(hanako, cast.role_a))
        looks = (await hanako.get("/audit/accesses", ("patient", hanako.reference))).json()
        by = {(look["who"], look["query"]) for look in looks}
        assert (CLERK, "POST desk/matters") in by
        assert (SECOND_CLERK, f"POST desk/matters/{done['id']}/confirm") in by


class TestWithdrawals:
    async def test_what_is_withdrawn_on_paper_is_seen_by_nobody(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice, weight: str
    ) -> None:
        done = await agreed(clerk, second, on_paper(hanako, cast.role_a))
        tree = {
            "kind": "withdrawal",
            "patient": hanako.reference,
            "scan": SCAN,
            "consents": done["results"],
        }
        matter = await entered(clerk, tree)
        outcome(await decide(clerk, matter), 403, "forbidden")
        assert await cast.a.sees(weight)
        ended = (await decide(second, matter)).json()
        assert ended["results"] == done["results"]
        assert not await cast.a.sees(weight)
        assert (await hanako.read(done["results"][0]))["status"] == "inactive"
        kinds = [notice["kind"] for notice in (await hanako.get("/notifications")).json()]
        assert "paper-withdrawal-recorded" in kinds

    async def test_a_withdrawal_of_everything_ends_what_shares_and_leaves_what_hides(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice, weight: str
    ) -> None:
        shared = await hanako.grant(permit(cast.hospital), permit(cast.pharmacy))
        (hidden,) = await hanako.grant(deny(cast.dr_b))
        done = await agreed(clerk, second, {"kind": "withdrawal", "patient": hanako.reference, "scan": SCAN})
        assert sorted(done["results"]) == sorted(shared)
        assert not await cast.a.sees(weight)
        assert (await hanako.read(hidden))["status"] == "active"

    @pytest.mark.parametrize("through", ["survivor", "duplicate"])
    async def test_a_withdrawal_covers_all_registrations_of_the_person(
        self,
        town: Town,
        hanako: Voice,
        taro: Voice,
        cast: Cast,
        clerk: Voice,
        second: Voice,
        through: str,
    ) -> None:
        """Also of a third one that is merged with the second alone, and not of what was separated again."""
        third, apart = await town.resident(), await town.resident()
        shared = [(await one.grant(permit(cast.hospital)))[0] for one in (hanako, taro, third)]
        (theirs,) = await apart.grant(permit(cast.hospital))
        records = [await one.create(made.weight(one.reference)) for one in (hanako, taro, third)]
        await separated(town, await merged(taro, apart))
        await merged(taro, third)
        person = {"survivor": hanako, "duplicate": third}[through]
        matter = await entered(clerk, {"kind": "withdrawal", "patient": person.reference, "scan": SCAN})
        # Those that are of one person when it is confirmed.
        await merged(hanako, taro)
        done = (await decide(second, matter)).json()
        assert done["results"] == sorted(shared)
        assert not any([await cast.a.sees(record) for record in records])
        assert (await apart.read(theirs))["status"] == "active"
        for one, consent in zip((hanako, taro, third), shared, strict=True):
            assert (await one.read(consent))["status"] == "inactive"
            (told,) = (await one.search("Provenance", ("target", consent), ("agent-type", "verifier")))[
                "entry"
            ]
            assert told["resource"]["target"] == [{"reference": consent}]
            kinds = [notice["kind"] for notice in (await one.get("/notifications")).json()]
            assert kinds.count("paper-withdrawal-recorded") == 1
            accesses = (await one.get("/audit/accesses", ("patient", one.reference))).json()
            assert f"POST desk/matters/{matter['id']}/confirm" in {access["query"] for access in accesses}

    async def test_a_consent_of_another_registration_is_withdrawn_by_name(
        self, hanako: Voice, taro: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        (kept,) = await hanako.grant(permit(cast.hospital))
        (named,) = await taro.grant(permit(cast.hospital))
        await merged(hanako, taro)
        tree = {"kind": "withdrawal", "patient": hanako.reference, "scan": SCAN, "consents": [named]}
        assert (await agreed(clerk, second, tree))["results"] == [named]
        assert (await hanako.read(kept))["status"] == "active"

    async def test_nobody_elses_consent_is_withdrawn(
        self, hanako: Voice, taro: Voice, cast: Cast, clerk: Voice
    ) -> None:
        (theirs,) = await taro.grant(permit(cast.hospital))
        tree = {"kind": "withdrawal", "patient": hanako.reference, "scan": SCAN}
        refusals = [
            await sent(clerk, "/desk/matters", {**tree, "consents": [named]})
            for named in (theirs, "Consent/unknown")
        ]
        assert [answer.status_code for answer in refusals] == [404, 404]
        assert refusals[0].content == refusals[1].content
        for unfit in ([], "Consent/1", ["Patient/1"], [5]):
            outcome(await sent(clerk, "/desk/matters", {**tree, "consents": unfit}), 400)

    async def test_what_was_withdrawn_meanwhile_is_a_conflict(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        (consent,) = await hanako.grant(permit(cast.hospital))
        tree = {"kind": "withdrawal", "patient": hanako.reference, "scan": SCAN, "consents": [consent]}
        matter = await entered(clerk, tree)
        await hanako.remove(consent)
        outcome(await decide(second, matter), 409, "conflict")


class TestReceipts:
    async def test_the_receipt_says_what_until_when_and_how_to_withdraw(
        self, town: Town, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        done = await agreed(clerk, second, on_paper(hanako, cast.hospital, categories=["medicines"]))
        answer = await clerk.get(f"/desk/matters/{done['id']}/receipt")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        page = answer.text
        ends = (town.clock() + timedelta(days=92)).year
        for part in ("お薬", "medicines", "ひな形病院", str(ends), "やめるには", done["results"][0], "<svg"):
            assert part in page
        assert not CHROME.search(page.replace("http://www.w3.org/2000/svg", ""))
        assert "見本" not in page

    async def test_what_was_agreed_on_paper_has_a_signed_receipt_too(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        done = await agreed(clerk, second, on_paper(hanako, cast.hospital))
        page = (await clerk.get(f"/desk/matters/{done['id']}/receipt")).text
        (address,) = re.findall(r"/sharing/receipts/[^<]+", page)
        answer = await hanako.get(address, Accept="application/json")
        assert answer.status_code == 200, answer.text
        assert answer.json()["jws"].count(".") == 2
        outcome(await clerk.get(address), 404, "not-found")

    async def test_what_the_directory_calls_somebody_is_no_markup(
        self, town: Town, hanako: Voice, clerk: Voice, second: Voice
    ) -> None:
        evil = await town.operator.create(made.organization("<script>alert(1)</script>&"))
        done = await agreed(clerk, second, on_paper(hanako, evil))
        page = (await clerk.get(f"/desk/matters/{done['id']}/receipt")).text
        assert "<script" not in page
        assert "&lt;script&gt;" in page

    async def test_the_desk_prints_within_the_hour_and_the_patient_at_any_time(
        self, town: Town, hanako: Voice, taro: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        done = await agreed(clerk, second, on_paper(hanako, cast.role_a))
        path = f"/desk/matters/{done['id']}/receipt"
        for voice in (taro, cast.a, town.operator, town.as_(AUDITOR)):
            outcome(await voice.get(path), 404, "not-found")
        with town.later(timedelta(minutes=61)):
            outcome(await clerk.get(path), 404, "not-found")
            assert (await hanako.get(path)).status_code == 200

    async def test_what_waits_or_was_declined_has_no_receipt(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        matter = await entered(clerk, on_paper(hanako, cast.role_a))
        path = f"/desk/matters/{matter['id']}/receipt"
        outcome(await clerk.get(path), 404, "not-found")
        await decide(second, matter, "decline")
        outcome(await clerk.get(path), 404, "not-found")

    async def test_a_withdrawal_has_a_receipt_too(
        self, hanako: Voice, cast: Cast, clerk: Voice, second: Voice
    ) -> None:
        (consent,) = await hanako.grant(permit(cast.hospital))
        done = await agreed(clerk, second, {"kind": "withdrawal", "patient": hanako.reference, "scan": SCAN})
        page = (await clerk.get(f"/desk/matters/{done['id']}/receipt")).text
        assert consent in page
        assert "同意撤回の控え" in page
