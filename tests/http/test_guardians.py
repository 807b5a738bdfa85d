"""Guardians of children: registered by two clerks, ended by the eighteenth birthday, and by nothing that they do."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import psycopg
import pytest
from httpx import Response

from passport.family.age import of_age
from tests import resources as made
from tests.cast import Cast
from tests.http.test_desk import SCAN, agreed, decide, entered
from tests.http.test_family import family, proxy_of, signed_in
from tests.identities import merged, sent
from tests.town import CLERK, SECOND_CLERK, Town, Voice, outcome
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio

ZONE: Final = ZoneInfo("Asia/Tokyo")
MOTHER: Final = {"name": "見本 母子（架空）", "relationship": "parent"}
MOMENT: Final = timedelta(seconds=2)
MONTH: Final = timedelta(days=30)


@pytest.fixture
def clerk(town: Town) -> Voice:
    return town.as_(CLERK)


@pytest.fixture
def second(town: Town) -> Voice:
    return town.as_(SECOND_CLERK)


def born(town: Town, of_age_in: timedelta) -> str:
    """The birth date of who is of age in so many days, as the passport's zone counts them."""
    day = (town.clock() + of_age_in).astimezone(ZONE).date()
    return date(day.year - 18, day.month, min(day.day, 28)).isoformat()


def comes_of_age(birth_date: str) -> datetime:
    instant = of_age(birth_date, ZONE)
    assert instant is not None
    return instant


def until(town: Town, birth_date: str) -> timedelta:
    """How far the clock has to go."""
    return comes_of_age(birth_date) - town.clock()


@pytest.fixture
async def child(town: Town) -> Voice:
    return await town.resident("見本 小春", birthDate=born(town, MONTH))


async def birth_date(child: Voice) -> str:
    found: str = (await child.read(child.reference))["birthDate"]
    return found


def registration(child: Voice, **more: Any) -> Json:
    return {"kind": "guardian", "patient": child.reference, **MOTHER, **more}


@pytest.fixture
async def begun(child: Voice, clerk: Voice, second: Voice) -> Json:
    done = await agreed(clerk, second, registration(child))
    return {**done, "proxy": done["results"][0]}


@pytest.fixture
async def guardian(town: Town, begun: Json) -> Voice:
    """The guardian, signed in by the code that the desk handed out."""
    token = (await signed_in(town, begun)).json()["access_token"]
    return Voice(town, begun["proxy"], "FAMRQT", "", bearer=token)


async def corrected(town: Town, child: Voice, birth: str, by: Voice | None = None) -> Response:
    tree = await child.read(child.reference)
    return await (by or town.operator).put(child.reference, {**tree, "birthDate": birth})


def awake(town: Town, guardian: Voice) -> None:
    """Let a session last as if nothing bounded it, so that the consents alone decide."""
    with psycopg.connect(town.database.superuser_url) as connection:
        connection.execute(
            "UPDATE session SET expires_at = 'infinity' WHERE subject = %s", (guardian.reference,)
        )


async def kinds(voice: Voice) -> list[str]:
    return [notice["kind"] for notice in (await voice.get("/notifications")).json()]


class TestRegistering:
    async def test_two_clerks_let_a_guardian_act(self, child: Voice, guardian: Voice, cast: Cast) -> None:
        weight = await child.create(made.weight(child.reference))
        assert await guardian.sees(weight)
        assert await guardian.sees(child.reference)
        assert sorted(await kinds(child)) == ["guardian-began", "sign-in-code-issued"]
        await guardian.create(child.consent(permit(cast.dr_a)))
        assert await cast.a.sees(weight)

    async def test_one_clerk_does_not(self, town: Town, child: Voice, clerk: Voice) -> None:
        matter = await entered(clerk, registration(child))
        outcome(await decide(clerk, matter), 403, "forbidden")
        assert await child.found("RelatedPerson") == []
        assert (
            town.rows(
                "SELECT FROM family_proxy AS f JOIN patient AS p USING (patient_key) WHERE p.patient_id = %s",
                child.reference.partition("/")[2],
            )
            == []
        )

    async def test_the_consents_end_with_the_eve_of_the_birthday(self, child: Voice, begun: Json) -> None:
        instant = comes_of_age(await birth_date(child))
        for reference in begun["results"][1:]:
            period = (await child.read(reference))["provision"]["period"]
            assert datetime.fromisoformat(period["end"]) == instant

    async def test_a_scope_and_a_scan_are_taken(
        self, town: Town, child: Voice, clerk: Voice, second: Voice
    ) -> None:
        done = await agreed(
            clerk, second, registration(child, categories=["medicines"], scan=SCAN, decides=False)
        )
        weight = await child.create(made.weight(child.reference))
        medicine = await child.create(made.prescription(child.reference))
        voice = town.as_(done["results"][0])
        assert (await voice.sees(weight), await voice.sees(medicine)) == (False, True)
        assert (await child.read(done["document"]))["docStatus"] == "final"

    async def test_who_is_of_age_gets_no_guardian(self, town: Town, clerk: Voice, hanako: Voice) -> None:
        adult = await town.resident("見本 成人", birthDate="1990-01-01")
        for patient in (adult, hanako):
            outcome(await sent(clerk, "/desk/matters", registration(patient)), 409, "conflict")

    async def test_who_comes_of_age_before_the_second_clerk_comes_gets_none(
        self, town: Town, child: Voice, clerk: Voice
    ) -> None:
        matter = await entered(clerk, registration(child))
        with town.much_later(until(town, await birth_date(child)) + MOMENT):
            outcome(await decide(town.as_(SECOND_CLERK), matter), 409, "conflict")


class TestComingOfAge:
    async def test_from_the_birthday_on_a_guardian_sees_nothing(
        self, town: Town, child: Voice, begun: Json, guardian: Voice
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        ahead = until(town, await birth_date(child))
        with town.much_later(ahead - MOMENT):
            assert await town.as_(guardian.reference).sees(weight)
        with town.much_later(ahead + MOMENT):
            outcome(await guardian.get(weight), 401)
            fresh = (await signed_in(town, begun)).json()
            assert fresh["scope"] == ""
            voice = Voice(town, guardian.reference, "FAMRQT", "", bearer=fresh["access_token"])
            for path in (
                weight,
                child.reference,
                "Observation",
                f"{child.reference}/$everything",
                "/audit/accesses",
            ):
                outcome(await voice.get(path), 403, "forbidden")
            assert await town.as_(child.reference).sees(weight)

    async def test_the_consents_alone_decide_so_whatever_the_session(
        self, town: Town, child: Voice, guardian: Voice
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        awake(town, guardian)
        ahead = until(town, await birth_date(child))
        with town.later(ahead - MOMENT):
            assert await guardian.sees(weight)
        with town.later(ahead + MOMENT):
            assert not await guardian.sees(weight)
            assert await guardian.found("Consent") == []
            outcome(await guardian.post(child.consent(permit("Practitioner/x"))), 403, "forbidden")

    async def test_no_session_outlives_the_birthday(self, town: Town, child: Voice, begun: Json) -> None:
        ahead = until(town, await birth_date(child))
        with town.much_later(ahead - timedelta(seconds=30)):
            answer = (await signed_in(town, begun)).json()
        assert datetime.fromisoformat(answer["expires_at"]) == comes_of_age(await birth_date(child))
        assert answer["expires_in"] <= 30

    async def test_a_team_that_lists_the_guardian_changes_nothing(
        self, town: Town, child: Voice, begun: Json
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        team = await child.create(made.care_team(child.reference, begun["proxy"]))
        await child.grant(permit(team, purposes=["FAMRQT"]), permit(begun["proxy"], purposes=["FAMRQT"]))
        with town.much_later(until(town, await birth_date(child)) + MOMENT):
            outcome(await town.as_(begun["proxy"]).get(weight), 403, "forbidden")

    async def test_both_are_told_when_it_comes_and_not_before(
        self, town: Town, child: Voice, begun: Json
    ) -> None:
        assert "came-of-age" not in await kinds(child)
        assert await kinds(town.as_(begun["proxy"])) == []
        with town.much_later(until(town, await birth_date(child)) + MOMENT):
            assert (await kinds(town.as_(child.reference)))[0] == "came-of-age"
            assert await kinds(town.as_(begun["proxy"])) == ["guardianship-ended"]

    async def test_the_young_adult_gets_a_sign_in_of_their_own(
        self, town: Town, child: Voice, cast: Cast, guardian: Voice, clerk: Voice
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        shared = await guardian.create(child.consent(permit(cast.dr_a)))
        wanted = {"kind": "sign-in", "patient": child.reference, "login": f"koharu-{weight[-8:]}"}
        outcome(await sent(clerk, "/desk/matters", wanted), 409, "conflict")
        with town.much_later(until(town, await birth_date(child)) + MOMENT):
            matter = await entered(town.as_(CLERK), wanted)
            outcome(await decide(town.as_(CLERK), matter), 403, "forbidden")
            done = (await decide(town.as_(SECOND_CLERK), matter)).json()
            tree = {"login": done["login"], "code": done["code"], "purpose": "PATRQT"}
            headers = {"Content-Type": "application/json"}
            answer = await town.stranger.call(
                "POST", "/auth/sign-in", content=orjson.dumps(tree), headers=headers
            )
            adult = Voice(town, child.reference, "PATRQT", "", bearer=answer.json()["access_token"])
            # What the guardian shared goes on until the young adult ends it.
            assert await cast.a.sees(weight)
            await adult.replace(shared, {**await adult.read(shared), "status": "inactive"})
            assert not await cast.a.sees(weight)

    async def test_a_child_gets_no_code_by_another_registration_of_theirs(
        self, town: Town, child: Voice, guardian: Voice, clerk: Voice, second: Voice
    ) -> None:
        twin = await town.resident("見本 小春の別の登録", birthDate="1990-01-01")
        wanted = {"kind": "sign-in", "patient": twin.reference, "login": f"twin-{twin.reference[-8:]}"}
        before = await entered(clerk, wanted)
        await merged(child, twin)
        outcome(await sent(clerk, "/desk/matters", wanted), 409, "conflict")
        outcome(await decide(second, before), 409, "conflict")


class TestBirthDates:
    async def test_a_corrected_birth_date_ends_it_earlier_in_the_same_moment(
        self, town: Town, child: Voice, guardian: Voice, begun: Json
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        assert await guardian.sees(weight)
        awake(town, guardian)
        assert (await corrected(town, child, "2000-01-01")).status_code == 200
        outcome(await guardian.get(weight), 401)
        assert (await signed_in(town, begun)).json()["scope"] == ""
        assert (await kinds(child))[0] == "came-of-age" or "came-of-age" in await kinds(child)

    async def test_a_corrected_birth_date_moves_the_consents(
        self, town: Town, child: Voice, begun: Json
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        later = born(town, MONTH * 3)
        first = await birth_date(child)
        assert (await corrected(town, child, later)).status_code == 200
        for reference in begun["results"][1:]:
            consent = await child.read(reference)
            assert datetime.fromisoformat(consent["provision"]["period"]["end"]) == comes_of_age(later)
            assert consent["meta"]["versionId"] == "2"
        with town.much_later(until(town, first) + MOMENT):
            assert await town.as_(begun["proxy"]).sees(weight)
            assert "came-of-age" not in await kinds(town.as_(child.reference))
        with town.much_later(until(town, later) + MOMENT):
            outcome(await town.as_(begun["proxy"]).get(weight), 403)
            assert "came-of-age" in await kinds(town.as_(child.reference))

    async def test_another_correction_moves_nothing(self, town: Town, child: Voice, begun: Json) -> None:
        tree = await child.read(child.reference)
        await town.operator.replace(child.reference, {**tree, "gender": "female"})
        for reference in begun["results"][1:]:
            assert (await child.read(reference))["meta"]["versionId"] == "1"

    async def test_a_birth_date_that_is_taken_away_leaves_the_end(
        self, town: Town, child: Voice, begun: Json
    ) -> None:
        first = comes_of_age(await birth_date(child))
        tree = {
            name: value for name, value in (await child.read(child.reference)).items() if name != "birthDate"
        }
        await town.operator.replace(child.reference, tree)
        (one,) = await family(child)
        assert datetime.fromisoformat(one["until"]) == first

    async def test_a_clinic_that_may_correct_makes_nobody_younger(
        self, town: Town, child: Voice, guardian: Voice, cast: Cast
    ) -> None:
        # The guardian lets a friendly clinic correct the child's registration.
        every = ["access", "collect", "correct"]
        await guardian.create(child.consent(permit(cast.role_a, types=["Patient"], actions=every)))
        first = await birth_date(child)
        assert (await corrected(town, child, born(town, MONTH * 20), cast.a)).status_code == 200
        (one,) = await family(child)
        assert datetime.fromisoformat(one["until"]) == comes_of_age(first)
        earlier = born(town, timedelta(days=3))
        assert (await corrected(town, child, earlier, cast.a)).status_code == 200
        (one,) = await family(child)
        assert datetime.fromisoformat(one["until"]) == comes_of_age(earlier)

    async def test_an_office_that_is_over_is_not_begun_again_by_a_birth_date(
        self, town: Town, child: Voice, begun: Json, guardian: Voice
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        assert (await corrected(town, child, "2000-01-01")).status_code == 200
        over = [await child.read(reference) for reference in begun["results"][1:]]
        for by in (town.operator, town.second_operator):
            assert (await corrected(town, child, born(town, MONTH * 100), by)).status_code == 200
        again = (await signed_in(town, begun)).json()
        assert again["scope"] == ""
        voice = Voice(town, begun["proxy"], "FAMRQT", "", bearer=again["access_token"])
        outcome(await voice.get(weight), 403, "forbidden")
        assert [await child.read(reference) for reference in begun["results"][1:]] == over
        (one,) = await family(child)
        assert datetime.fromisoformat(one["until"]) == comes_of_age("2000-01-01")

    async def test_an_office_that_ended_with_the_birthday_is_not_begun_again(
        self, town: Town, child: Voice, begun: Json, clerk: Voice, second: Voice
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        with town.much_later(until(town, await birth_date(child)) + MOMENT):
            adult = town.as_(child.reference)
            assert (await corrected(town, adult, born(town, MONTH * 100))).status_code == 200
            outcome(await town.as_(begun["proxy"]).get(weight), 403, "forbidden")
            # Where the child was younger indeed, two clerks begin it anew.
            done = await agreed(town.as_(CLERK), town.as_(SECOND_CLERK), registration(adult))
            assert await town.as_(done["results"][0]).sees(weight)

    async def test_a_child_is_told_that_a_guardian_acts_longer(
        self, town: Town, child: Voice, begun: Json
    ) -> None:
        before = await kinds(child)
        assert (await corrected(town, child, born(town, timedelta(days=20)))).status_code == 200
        assert await kinds(child) == before
        assert (await corrected(town, child, born(town, MONTH * 100))).status_code == 200
        assert await kinds(child) == ["guardian-stays-longer", *before]

    async def test_a_patch_and_a_transaction_move_it_too(
        self, town: Town, child: Voice, begun: Json, cast: Cast
    ) -> None:
        await child.grant(permit(cast.role_a, types=["Patient"], actions=["access", "correct"]))
        for at, days in enumerate((20, 90)):
            day = born(town, timedelta(days=days))
            patch = orjson.dumps([{"op": "replace", "path": "/birthDate", "value": day}])
            headers = {"Content-Type": "application/json-patch+json"}
            if at == 0:
                answer = await cast.a.call("PATCH", child.reference, content=patch, headers=headers)
            else:
                tree = {**await child.read(child.reference), "birthDate": day}
                entry = {"resource": tree, "request": {"method": "PUT", "url": child.reference}}
                bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
                answer = await town.operator.call("POST", "/fhir", content=orjson.dumps(bundle))
            assert answer.status_code == 200, answer.text
            end = (await child.read(begun["results"][1]))["provision"]["period"]["end"]
            assert datetime.fromisoformat(end) == comes_of_age(day)


class TestEnding:
    async def test_the_desk_ends_a_guardian_before_the_birthday(
        self, town: Town, child: Voice, guardian: Voice, begun: Json, clerk: Voice
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        assert await guardian.sees(weight)
        path = f"/desk/guardianships/{begun['proxy'].partition('/')[2]}/end"
        for voice in (child, guardian, town.operator):
            outcome(await sent(voice, path), 403, "forbidden")
        assert (await sent(clerk, path)).status_code == 200
        outcome(await guardian.get(weight), 401)
        assert (await signed_in(town, begun)).status_code == 401
        assert (await kinds(child))[0] in ("guardian-ended", "access-withdrawn")
        assert "guardian-ended" in await kinds(child)
        outcome(await sent(clerk, path), 409, "conflict")
        with town.much_later(until(town, await birth_date(child)) + MOMENT):
            assert "came-of-age" not in await kinds(town.as_(child.reference))

    async def test_the_desk_ends_no_proxy_whom_a_person_invited(self, hanako: Voice, clerk: Voice) -> None:
        invited = (await sent(hanako, "/family/proxies", {"name": "見本", "relationship": "friend"})).json()
        path = f"/desk/guardianships/{invited['proxy'].partition('/')[2]}/end"
        outcome(await sent(clerk, path), 404, "not-found")

    async def test_a_child_does_not_end_a_guardian_and_an_adult_may(
        self, town: Town, child: Voice, begun: Json
    ) -> None:
        path = f"/family/proxies/{begun['proxy'].partition('/')[2]}/end"
        outcome(await sent(child, path), 403, "forbidden")
        with town.much_later(until(town, await birth_date(child)) + MOMENT):
            assert (await sent(town.as_(child.reference), path)).status_code == 200

    async def test_a_childs_session_does_not_take_away_that_by_which_a_guardian_acts(
        self, town: Town, child: Voice, guardian: Voice, begun: Json
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        consent = begun["results"][1]
        tree = await child.read(consent)
        outcome(await child.put(consent, {**tree, "status": "inactive"}), 403, "forbidden")
        outcome(await child.put(consent, child.consent(permit("Practitioner/x"))), 403, "forbidden")
        for reference in begun["results"]:
            outcome(await child.delete(reference), 403, "forbidden")
        withdrawal = f"/sharing/grants/{consent.partition('/')[2]}/withdraw"
        outcome(await sent(child, withdrawal), 403, "forbidden")
        assert await guardian.sees(weight)
        with town.much_later(until(town, await birth_date(child)) + MOMENT):
            await town.as_(child.reference).remove(consent)

    @pytest.mark.parametrize("who", ["friend", "other guardian"])
    async def test_nobody_who_acts_for_the_child_takes_away_that_by_which_a_guardian_acts(
        self, child: Voice, guardian: Voice, begun: Json, clerk: Voice, second: Voice, who: str
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        if who == "friend":
            other = await proxy_of(child, decides=True)
        else:
            theirs = await agreed(clerk, second, registration(child, relationship="guardian"))
            other = child.town.as_(theirs["results"][0])
        for reference in begun["results"][1:]:
            withdrawal = f"/sharing/grants/{reference.partition('/')[2]}/withdraw"
            outcome(await sent(other, withdrawal), 403, "forbidden")
            outcome(await other.delete(reference), 403, "forbidden")
            ended = {**await child.read(reference), "status": "inactive"}
            outcome(await other.put(reference, ended), 403, "forbidden")
        assert await guardian.sees(weight)

    async def test_no_clinic_takes_the_registration_of_a_guardian_away(
        self, child: Voice, guardian: Voice, begun: Json, cast: Cast
    ) -> None:
        every = ["access", "collect", "correct"]
        await child.grant(permit(cast.role_a, types=["RelatedPerson"], actions=every))
        tree = await cast.a.read(begun["proxy"])
        outcome(await cast.a.put(begun["proxy"], {**tree, "active": False}), 403, "forbidden")
        outcome(await cast.a.delete(begun["proxy"]), 403, "forbidden")
        assert await guardian.sees(child.reference)

    async def test_what_a_child_keeps_from_its_guardian_no_guardian_takes_back(
        self, town: Town, child: Voice, guardian: Voice, clerk: Voice, second: Voice
    ) -> None:
        weight = await child.create(made.weight(child.reference))
        theirs = await agreed(clerk, second, registration(child, relationship="guardian"))
        other = town.as_(theirs["results"][0])
        roots = [deny(guardian.reference, types=["Observation"]), deny(types=["Observation"])]
        for hidden in await child.grant(*roots):
            for voice in (guardian, other):
                withdrawal = f"/sharing/grants/{hidden.partition('/')[2]}/withdraw"
                outcome(await sent(voice, withdrawal), 403, "forbidden")
                outcome(await voice.delete(hidden), 403, "forbidden")
            assert not await guardian.sees(weight)

    async def test_a_child_keeps_something_from_its_guardian(self, child: Voice, guardian: Voice) -> None:
        weight = await child.create(made.weight(child.reference))
        (hidden,) = await child.grant(deny(guardian.reference, types=["Observation"]))
        assert not await guardian.sees(weight)
        outcome(await guardian.delete(hidden), 403, "forbidden")

    async def test_a_guardian_does_not_prolong_the_own_office(
        self, child: Voice, guardian: Voice, begun: Json
    ) -> None:
        for reference in begun["results"][1:]:
            tree = await guardian.read(reference)
            tree["provision"]["period"]["end"] = "2099-12-31"
            outcome(await guardian.put(reference, tree), 403, "forbidden")
        root = permit(begun["proxy"], purposes=["FAMRQT"])
        outcome(await guardian.post(child.consent(root)), 403, "forbidden")
        outcome(await guardian.post(child.consent(deny(begun["proxy"]))), 403, "forbidden")
