"""Emergencies: seen at once, ended and barred by the patient, and reviewed once by somebody who did not open them."""

from asyncio import gather
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.http.test_two_people import person
from tests.identities import sent
from tests.town import AUDITOR, CLERK, Town, Voice, outcome
from tests.unit.consent.words import Json, consent_json, permit

pytestmark = pytest.mark.anyio

REASON: Final = "意識がなく、アレルギーを確かめる必要がある（架空）"
COMMENT: Final = "搬送記録と照らし合わせた（架空）"
OPENING: Final = timedelta(hours=4)
DUE: Final = timedelta(days=7)
MOMENT: Final = timedelta(seconds=1)


@pytest.fixture(scope="module", autouse=True)
async def emergency_policy(town: Town, cast: Cast) -> None:
    """The emergency department may open a passport: all of it, what has to be named as well."""
    for root in (
        permit(cast.emergency, purposes=["BTG"]),
        permit(cast.emergency, purposes=["BTG"], types=["RelatedPerson", "Consent"]),
    ):
        await town.policy(consent_json(root, None))


@pytest.fixture
async def rescuer(town: Town, cast: Cast) -> Voice:
    """A physician of the emergency department in this test alone: an hour's openings of one are few."""
    practitioner = await town.operator.create(made.practitioner("架空 救子"))
    return town.as_(await town.operator.create(made.role(practitioner, cast.emergency)))


async def opened(rescuer: Voice, patient: Voice) -> Voice:
    """Break the glass; whoever did, with the token of the opening."""
    asked = {"patient": patient.reference, "reason": REASON}
    answer = await sent(rescuer, "/auth/break-glass", asked)
    assert answer.status_code == 200, answer.text
    return replace(rescuer, purpose="BTG", bearer=answer.json()["access_token"])


async def openings(voice: Voice) -> list[Json]:
    answer = await voice.get("/emergencies")
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()
    return found


async def waiting(voice: Voice, patient: Voice, state: str = "waiting") -> list[Json]:
    answer = await voice.get("/emergencies/reviews", ("state", state))
    assert answer.status_code == 200, answer.text
    return [one for one in answer.json() if one["patient"] == patient.reference]


async def reviewed(
    voice: Voice, opening: str, verdict: str = "justified", comment: str = COMMENT
) -> Response:
    return await sent(voice, f"/emergencies/reviews/{opening}", {"verdict": verdict, "comment": comment})


async def told(patient: Voice) -> list[str]:
    return [notice["kind"] for notice in (await patient.get("/notifications")).json()]


@pytest.fixture
def auditor(town: Town) -> Voice:
    return town.as_(AUDITOR)


class TestPatients:
    async def test_a_patient_sees_an_opening_at_once(self, hanako: Voice, rescuer: Voice) -> None:
        await opened(rescuer, hanako)
        (one,) = await openings(hanako)
        assert (one["who"], one["role"], one["reason"]) == (
            rescuer.town.rows("SELECT subject FROM opening ORDER BY opened_at DESC LIMIT 1")[0][0],
            rescuer.reference,
            REASON,
        )
        assert (one["open"], one["verdict"], one["comment"], one["reviewed"]) == (True, None, None, None)
        assert await told(hanako) == ["emergency-opened"]

    async def test_an_opening_that_its_patient_ends_shows_nothing_from_then_on(
        self, hanako: Voice, rescuer: Voice
    ) -> None:
        record = await hanako.create(made.allergy(hanako.reference))
        physician = await opened(rescuer, hanako)
        assert await physician.sees(record)
        further = await physician.get("AllergyIntolerance", ("patient", hanako.reference), ("_count", "1"))
        assert further.status_code == 200
        (one,) = await openings(hanako)
        answer = await sent(hanako, f"/emergencies/{one['id']}/end")
        assert answer.status_code == 200, answer.text
        for path in (record, "AllergyIntolerance", f"{hanako.reference}/$everything"):
            outcome(await physician.get(path), 401)
        (one,) = await openings(hanako)
        assert (one["open"], one["until"]) == (False, answer.json()["until"])
        outcome(await sent(hanako, f"/emergencies/{one['id']}/end"), 409, "conflict")
        # A new emergency is a new opening, with a reason of its own.
        assert await (await opened(rescuer, hanako)).sees(record)
        assert len(await openings(hanako)) == 2

    async def test_nobody_ends_or_sees_the_openings_of_others(
        self, town: Town, hanako: Voice, taro: Voice, auditor: Voice, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await openings(hanako)
        unknown = await sent(taro, f"/emergencies/{uuid4()}/end")
        for voice in (taro, rescuer, auditor, town.operator, town.as_(CLERK)):
            answer = await sent(voice, f"/emergencies/{one['id']}/end")
            assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
        assert unknown.status_code == 404
        assert await openings(taro) == []
        for voice in (rescuer, auditor, town.operator, town.as_(CLERK)):
            outcome(await voice.get("/emergencies"), 403, "forbidden")
        assert (await openings(hanako))[0]["open"]


class TestBars:
    async def test_a_whole_passport_is_barred(self, hanako: Voice, rescuer: Voice) -> None:
        records = [
            await hanako.create(tree)
            for tree in (
                made.allergy(hanako.reference),
                made.weight(hanako.reference),
                made.related_person(hanako.reference),
            )
        ]
        physician = await opened(rescuer, hanako)
        assert [await physician.sees(record) for record in records] == [True, True, True]
        answer = await sent(hanako, "/emergencies/bars", {})
        assert answer.status_code == 201, answer.text
        assert [await physician.sees(record) for record in records] == [False, False, False]
        assert not await physician.sees(hanako.reference)
        assert await physician.found("Consent", ("patient", hanako.reference)) == []
        for consent in answer.json()["consents"]:
            await hanako.replace(consent, {**await hanako.read(consent), "status": "inactive"})
        assert [await physician.sees(record) for record in records] == [True, True, True]

    async def test_an_opening_of_a_barred_passport_looks_like_that_of_an_empty_one(
        self, hanako: Voice, taro: Voice, rescuer: Voice
    ) -> None:
        await hanako.create(made.allergy(hanako.reference))
        await hanako.create(made.weight(hanako.reference))
        await sent(hanako, "/emergencies/bars", {})
        await sent(taro, "/emergencies/bars", {})
        answers = []
        for patient in (hanako, taro):
            physician = await opened(rescuer, patient)
            asked = [
                await physician.get(path)
                for path in (
                    f"AllergyIntolerance?patient={patient.reference}&_total=accurate",
                    f"Observation?patient={patient.reference}",
                    f"{patient.reference}/$everything",
                    patient.reference,
                )
            ]
            answers.append([_masked(answer, patient) for answer in asked])
        assert answers[0] == answers[1]

    async def test_the_rest_stays_open_where_a_part_is_barred(self, hanako: Voice, rescuer: Voice) -> None:
        weight = await hanako.create(made.weight(hanako.reference))
        medicine = await hanako.create(made.prescription(hanako.reference, made.CANDESARTAN))
        answer = await sent(hanako, "/emergencies/bars", {"categories": ["medicines"]})
        assert len(answer.json()["consents"]) == 1
        physician = await opened(rescuer, hanako)
        assert (await physician.sees(weight), await physician.sees(medicine)) == (True, False)

    async def test_a_bar_denies_emergencies_and_nothing_else(self, hanako: Voice, cast: Cast) -> None:
        weight = await hanako.create(made.weight(hanako.reference))
        await hanako.grant(permit(cast.hospital))
        await sent(hanako, "/emergencies/bars", {})
        assert await cast.a.sees(weight)

    async def test_a_bar_is_written_by_whoever_it_protects(
        self, town: Town, hanako: Voice, cast: Cast, auditor: Voice
    ) -> None:
        for voice in (cast.a, auditor, town.operator, town.as_(CLERK)):
            outcome(await sent(voice, "/emergencies/bars", {}), 403, "forbidden")
        reading = town.as_(hanako.reference, scope="patient/*.rs")
        outcome(await sent(reading, "/emergencies/bars", {}), 403, "forbidden")
        for unfit in ({"categories": ["nothing"]}, {"categories": "medicines"}, {"class": ["medicines"]}):
            outcome(await sent(hanako, "/emergencies/bars", unfit), 400)


class TestReviews:
    async def test_an_auditor_reviews_an_opening_that_is_over_and_the_patient_is_told(
        self, town: Town, hanako: Voice, auditor: Voice, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await waiting(auditor, hanako)
        outcome(await reviewed(auditor, one["id"]), 409, "conflict")
        with town.later(OPENING):
            answer = await reviewed(auditor, one["id"])
            assert answer.status_code == 201, answer.text
            assert await waiting(auditor, hanako) == []
            (found,) = await waiting(auditor, hanako, "reviewed")
            assert (found["verdict"], found["comment"], found["reviewed_by"]) == (
                "justified",
                COMMENT,
                AUDITOR,
            )
            (own,) = await openings(hanako)
            assert (own["verdict"], own["comment"]) == ("justified", COMMENT)
            assert await told(hanako) == ["emergency-justified", "emergency-opened"]

    async def test_an_opening_is_reviewed_once(
        self, town: Town, hanako: Voice, auditor: Voice, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await openings(hanako)
        await sent(hanako, f"/emergencies/{one['id']}/end")
        assert (await reviewed(auditor, one["id"], "not-justified")).status_code == 201
        other = town.as_("auditor/second")
        for voice in (auditor, other):
            outcome(await reviewed(voice, one["id"]), 409, "conflict")
        (own,) = await openings(hanako)
        assert own["verdict"] == "not-justified"
        assert (await told(hanako)).count("emergency-not-justified") == 1

    async def test_of_several_reviews_at_once_one_counts(
        self, town: Town, hanako: Voice, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await openings(hanako)
        await sent(hanako, f"/emergencies/{one['id']}/end")
        auditors = [town.as_(f"auditor/other-{at}") for at in range(4)]
        for auditor in auditors:
            await auditor.get("metadata")
        answers = await gather(*(reviewed(auditor, one["id"]) for auditor in auditors))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert (await told(hanako)).count("emergency-justified") == 1

    async def test_whoever_opened_does_not_review(
        self, town: Town, hanako: Voice, cast: Cast, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await openings(hanako)
        await sent(hanako, f"/emergencies/{one['id']}/end")
        themselves = await person(town, "auditor", person=one["who"])
        outcome(await reviewed(themselves, one["id"]), 403, "forbidden")
        assert len(await waiting(themselves, hanako)) == 1
        colleague = await person(town, "auditor", person=cast.dr_b)
        assert (await reviewed(colleague, one["id"])).status_code == 201

    async def test_an_auditor_sees_what_was_asked_for_and_not_what_it_showed(
        self, town: Town, hanako: Voice, auditor: Voice, rescuer: Voice
    ) -> None:
        record = await hanako.create(made.weight(hanako.reference, 77.25))
        await rescuer.get("Observation", ("patient", hanako.reference))
        physician = await opened(rescuer, hanako)
        await physician.read(record)
        await physician.found("AllergyIntolerance", ("patient", hanako.reference))
        (one,) = await waiting(auditor, hanako)
        answer = await auditor.get(f"/emergencies/reviews/{one['id']}")
        found = answer.json()
        assert (found["reason"], found["patient"], found["who"]) == (REASON, hanako.reference, one["who"])
        looks = found["looks"]
        assert [(look["action"], look["records"]) for look in looks] == [("read", [record]), ("search", [])]
        assert "77.25" not in answer.text
        assert all(look.keys() == {"time", "action", "query", "records", "outcome"} for look in looks)

    async def test_an_opening_that_nobody_reviews_becomes_overdue(
        self, town: Town, hanako: Voice, auditor: Voice, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        with town.much_later(OPENING + DUE - MOMENT):
            assert [one["overdue"] for one in await waiting(auditor, hanako)] == [False]
            assert await waiting(auditor, hanako, "overdue") == []
        with town.much_later(OPENING + DUE + MOMENT):
            (one,) = await waiting(auditor, hanako, "overdue")
            assert one["overdue"]
            assert (await reviewed(auditor, one["id"])).status_code == 201
            assert await waiting(auditor, hanako, "overdue") == []

    async def test_reviews_are_the_auditors(
        self, town: Town, hanako: Voice, auditor: Voice, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await waiting(auditor, hanako)
        for voice in (hanako, rescuer, town.operator, town.as_(CLERK)):
            outcome(await voice.get("/emergencies/reviews"), 403, "forbidden")
            outcome(await voice.get(f"/emergencies/reviews/{one['id']}"), 403, "forbidden")
            outcome(await reviewed(voice, one["id"]), 403, "forbidden")
        outcome(await auditor.get(f"/emergencies/reviews/{uuid4()}"), 404, "not-found")
        outcome(await reviewed(auditor, str(uuid4())), 404, "not-found")
        narrow = town.as_(AUDITOR, scope="user/Organization.rs")
        outcome(await narrow.get("/emergencies/reviews"), 403, "forbidden")

    @pytest.mark.parametrize(
        "tree",
        [
            {"verdict": "perhaps", "comment": COMMENT},
            {"verdict": "justified"},
            {"verdict": "justified", "comment": "   x   "},
            {"verdict": "justified", "comment": "x" * 1_001},
            {"comment": COMMENT},
        ],
    )
    async def test_a_review_that_says_nothing_is_refused(
        self, hanako: Voice, auditor: Voice, tree: Json, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await waiting(auditor, hanako)
        outcome(await sent(auditor, f"/emergencies/reviews/{one['id']}", tree), 400)

    async def test_everything_about_an_opening_is_in_the_patients_log(
        self, town: Town, hanako: Voice, auditor: Voice, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await openings(hanako)
        await sent(hanako, f"/emergencies/{one['id']}/end")
        await auditor.get(f"/emergencies/reviews/{one['id']}")
        await reviewed(auditor, one["id"])
        looks = (await hanako.get("/audit/accesses", ("patient", hanako.reference))).json()
        by_auditor = [look["query"] for look in looks if look["who"] == AUDITOR]
        address = f"emergencies/reviews/{one['id']}"
        assert by_auditor == [f"POST {address}", f"GET {address}"]

    async def test_what_was_found_is_stored_sealed_and_never_changed(
        self, town: Town, hanako: Voice, auditor: Voice, rescuer: Voice
    ) -> None:
        await opened(rescuer, hanako)
        (one,) = await openings(hanako)
        await sent(hanako, f"/emergencies/{one['id']}/end")
        await reviewed(auditor, one["id"])
        ((comment,),) = town.rows("SELECT comment FROM opening_review WHERE opening_id = %s", one["id"])
        assert COMMENT.encode() not in comment
        rights = town.rows(
            "SELECT privilege_type FROM information_schema.role_table_grants "
            "WHERE table_name = 'opening_review' AND grantee = 'passport_service'"
        )
        assert set(rights) == {("SELECT",), ("INSERT",)}


def _masked(answer: Response, patient: Voice) -> tuple[int, str]:
    """An answer without what differs between any two: whom it is about, and when."""
    tree: Any = answer.json()
    for name in ("id", "meta"):
        tree.pop(name, None)
    return answer.status_code, str(tree).replace(patient.reference.partition("/")[2], "*")
