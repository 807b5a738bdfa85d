"""Family: a proxy is invited with a scope and ended in one step; what they did is in the log, for the patient."""

from asyncio import gather
from datetime import timedelta
from typing import Any, Final

import orjson
import pytest
from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.identities import sent
from tests.sharing import shown
from tests.town import AUDITOR, CLERK, Town, Voice, outcome
from tests.unit.consent.words import Json, deny, permit

pytestmark = pytest.mark.anyio

DAUGHTER: Final = {"name": "見本 春子（架空）", "relationship": "child"}


async def invited(patient: Voice, **scope: Any) -> Json:
    answer = await sent(patient, "/family/proxies", {**DAUGHTER, **scope})
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def signed_in(town: Town, begun: Json) -> Response:
    tree = {"login": begun["login"], "code": begun["code"], "purpose": "FAMRQT"}
    headers = {"Content-Type": "application/json"}
    return await town.stranger.call("POST", "/auth/sign-in", content=orjson.dumps(tree), headers=headers)


async def proxy_of(patient: Voice, **scope: Any) -> Voice:
    """Somebody whom the patient invited, signed in by the code that the patient gave them."""
    begun = await invited(patient, **scope)
    token = (await signed_in(patient.town, begun)).json()["access_token"]
    return Voice(patient.town, begun["proxy"], "FAMRQT", "", bearer=token)


async def end(patient: Voice, proxy: str) -> Response:
    return await sent(patient, f"/family/proxies/{proxy.partition('/')[2]}/end")


async def family(patient: Voice) -> list[Json]:
    found: list[Json] = (await patient.get("/family")).json()
    return found


@pytest.fixture
async def records(hanako: Voice) -> dict[str, str]:
    trees = {
        "weight": made.weight(hanako.reference),
        "pressure": made.pressure(hanako.reference),
        "medicine": made.prescription(hanako.reference, made.CANDESARTAN),
    }
    return {name: await hanako.create(tree) for name, tree in trees.items()}


class TestInviting:
    async def test_a_proxy_without_a_scope_sees_everything(
        self, hanako: Voice, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako)
        assert [await proxy.sees(record) for record in records.values()] == [True] * 3
        assert await proxy.sees(hanako.reference)
        assert len(await proxy.found("Consent", ("patient", hanako.reference))) == 2

    async def test_a_scope_is_what_it_names(self, hanako: Voice, records: dict[str, str]) -> None:
        proxy = await proxy_of(hanako, categories=["medicines"])
        seen = {name: await proxy.sees(record) for name, record in records.items()}
        assert seen == {"weight": False, "pressure": False, "medicine": True}
        assert await proxy.found("Consent") == []

    async def test_a_scope_of_a_category_and_a_type(self, hanako: Voice) -> None:
        condition = await hanako.create(made.condition(hanako.reference))
        vital = await hanako.create(made.pressure(hanako.reference))
        medicine = await hanako.create(made.prescription(hanako.reference))
        proxy = await proxy_of(hanako, categories=["vital-signs", "Condition"])
        seen = [await proxy.sees(record) for record in (condition, vital, medicine)]
        assert seen == [True, True, False]

    async def test_a_scope_has_a_period(self, town: Town, hanako: Voice, records: dict[str, str]) -> None:
        last = (town.clock() + timedelta(days=30)).date()
        begun = await invited(hanako, until=last.isoformat())
        proxy = town.as_(begun["proxy"])
        assert await proxy.sees(records["weight"])
        with town.much_later(timedelta(days=32)):
            assert not await town.as_(begun["proxy"]).sees(records["weight"])

    async def test_whoever_may_decide_shares_with_a_clinician(
        self, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, decides=True)
        await proxy.create(hanako.consent(permit(cast.dr_a)))
        assert await cast.a.sees(records["weight"])

    async def test_whoever_may_not_decide_shares_with_nobody(self, hanako: Voice, cast: Cast) -> None:
        proxy = await proxy_of(hanako)
        outcome(await proxy.post(hanako.consent(permit(cast.dr_a))), 403, "forbidden")

    async def test_the_code_is_shown_once_and_the_patient_is_told(self, hanako: Voice) -> None:
        begun = await invited(hanako)
        notices = (await hanako.get("/notifications")).json()
        issued = [notice for notice in notices if notice["kind"] == "sign-in-code-issued"]
        assert [notice["about"] for notice in issued] == [{"for": begun["proxy"]}]
        (one,) = await family(hanako)
        assert (one["proxy"], one["login"], one["consents"]) == (
            begun["proxy"],
            begun["login"],
            begun["consents"],
        )
        assert begun["code"] not in str(await family(hanako))
        assert (await hanako.read(begun["proxy"]))["name"] == [{"text": DAUGHTER["name"]}]

    @pytest.mark.parametrize(
        "change",
        [
            {"name": ""},
            {"name": 5},
            {"relationship": "boss"},
            {"categories": ["nothing"]},
            {"decides": "yes"},
            {"until": "2020-01-01"},
            {"until": "soon"},
            {"classes": ["Observation"]},
        ],
    )
    async def test_an_invitation_that_cannot_be_is_refused(self, hanako: Voice, change: Json) -> None:
        outcome(await sent(hanako, "/family/proxies", {**DAUGHTER, **change}), 400)
        assert await family(hanako) == []

    async def test_a_person_invites_for_themselves_alone(self, town: Town, hanako: Voice, cast: Cast) -> None:
        proxy = await proxy_of(hanako, decides=True)
        for voice in (proxy, cast.a, town.operator, town.as_(AUDITOR), town.as_(CLERK)):
            outcome(await sent(voice, "/family/proxies", DAUGHTER), 403, "forbidden")
            outcome(await voice.get("/family"), 403, "forbidden")

    async def test_as_many_as_may_act_and_no_more(self, hanako: Voice) -> None:
        for _ in range(20):
            await invited(hanako, categories=["medicines"])
        outcome(await sent(hanako, "/family/proxies", DAUGHTER), 409, "conflict")
        await end(hanako, (await family(hanako))[0]["proxy"])
        await invited(hanako)

    async def test_as_many_as_may_act_and_no_more_at_once(self, town: Town, hanako: Voice) -> None:
        for _ in range(18):
            await invited(hanako, categories=["medicines"])
        ones = [sent(hanako, "/family/proxies", DAUGHTER) for _ in range(8)]
        assert sorted(answer.status_code for answer in await gather(*ones)) == [201] * 2 + [409] * 6
        assert len(await family(hanako)) == 20


class TestEnding:
    async def test_one_step_takes_everything_back(
        self, town: Town, hanako: Voice, records: dict[str, str]
    ) -> None:
        begun = await invited(hanako, decides=True)
        token = (await signed_in(town, begun)).json()["access_token"]
        proxy = Voice(town, begun["proxy"], "FAMRQT", "", bearer=token)
        assert await proxy.sees(records["weight"])
        answer = await end(hanako, begun["proxy"])
        assert answer.status_code == 200, answer.text
        outcome(await proxy.get(records["weight"]), 401)
        assert (await signed_in(town, begun)).status_code == 401
        states = {(await hanako.read(consent))["status"] for consent in begun["consents"]}
        assert states == {"inactive"}
        assert (await hanako.read(begun["proxy"]))["active"] is False
        (one,) = await family(hanako)
        assert one["ended"] == answer.json()["ended"]
        outcome(await end(hanako, begun["proxy"]), 409, "conflict")

    async def test_what_was_granted_by_other_consents_ends_with_it(
        self, town: Town, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        begun = await invited(hanako, categories=["medicines"])
        proxy = begun["proxy"]
        both = {**permit(cast.dr_a, proxy, purposes=["TREAT", "FAMRQT"])}
        alone = permit(proxy, purposes=["FAMRQT"], types=["Observation"])
        shared, theirs = await hanako.grant(both, alone)
        voice = town.as_(proxy)
        assert await voice.sees(records["weight"])
        await end(hanako, proxy)
        # A session that was opened before, and one that the operator's own code would open.
        outcome(await voice.get(records["weight"]), 401)
        assert (await hanako.read(theirs))["status"] == "inactive"
        kept = await hanako.read(shared)
        assert kept["status"] == "active"
        assert proxy not in str(kept["provision"])
        assert await cast.a.sees(records["weight"])

    async def test_nobody_is_handed_a_code_to_act_again(self, town: Town, hanako: Voice) -> None:
        begun = await invited(hanako)
        await end(hanako, begun["proxy"])
        tree = {"login": "family-again", "subject": begun["proxy"], "purposes": ["FAMRQT"]}
        outcome(await sent(town.operator, "/auth/sign-in-codes", tree), 400)

    async def test_a_code_that_the_operator_handed_out_ends_too(self, town: Town, hanako: Voice) -> None:
        begun = await invited(hanako)
        tree = {"login": "family-by-operator", "subject": begun["proxy"], "purposes": ["FAMRQT"]}
        other = (await sent(town.operator, "/auth/sign-in-codes", tree)).json()
        agreed = {"proposal": other["proposal"]}
        confirmed = await sent(town.second_operator, f"/auth/sign-in-codes/{tree['login']}/confirm", agreed)
        assert confirmed.status_code == 200, confirmed.text
        await end(hanako, begun["proxy"])
        assert (await signed_in(town, other)).status_code == 401

    async def test_nobody_else_ends_it(self, town: Town, hanako: Voice, taro: Voice, cast: Cast) -> None:
        begun = await invited(hanako)
        proxy = town.as_(begun["proxy"])
        unknown = await end(taro, "RelatedPerson/unknown")
        for voice in (taro, proxy, cast.a, town.operator, town.as_(CLERK), town.as_(AUDITOR)):
            answer = await end(voice, begun["proxy"])
            assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
        assert unknown.status_code == 404
        assert (await family(hanako))[0]["ended"] is None


class TestActing:
    async def test_what_a_proxy_did_is_in_the_log_as_theirs_for_the_patient(
        self, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, decides=True)
        await proxy.read(records["weight"])
        await proxy.found("Observation", ("patient", hanako.reference))
        consent = await proxy.create(hanako.consent(permit(cast.dr_a)))
        await proxy.replace(consent, hanako.consent(permit(cast.dr_a), status="inactive"))
        outcome(await proxy.post(made.weight(hanako.reference)), 403)
        looks = (await hanako.get("/audit/accesses", ("patient", hanako.reference))).json()
        theirs = [look for look in looks if look["who"] == proxy.reference and "sign-in" not in look["query"]]
        assert len(theirs) == 5
        assert {look["for"] for look in theirs} == {hanako.reference}
        assert {look["outcome"] for look in theirs} == {"success", "refused"}

    async def test_a_proxy_does_not_widen_the_own_grant(
        self, town: Town, hanako: Voice, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, categories=["medicines"], decides=True)
        (own,) = [one for one in await family(hanako) if one["proxy"] == proxy.reference]
        wider = hanako.consent(permit(proxy.reference, purposes=["FAMRQT"]))
        outcome(await proxy.post(wider), 403, "forbidden")
        for consent in own["consents"]:
            assert (await proxy.put(consent, wider)).status_code in (403, 405)
            patch = orjson.dumps([{"op": "remove", "path": "/provision/class"}])
            headers = {"Content-Type": "application/json-patch+json"}
            answer = await proxy.call("PATCH", consent, content=patch, headers=headers)
            assert answer.status_code in (403, 404)
        assert not await proxy.sees(records["weight"])

    async def test_a_proxy_shares_nothing_beyond_their_scope(
        self, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, categories=["medicines"], decides=True)
        mine, beyond = permit(cast.dr_a, types=["MedicationRequest"]), permit(cast.dr_a)
        outcome(await proxy.post(hanako.consent(beyond)), 403, "forbidden")
        outcome(await proxy.post(hanako.consent(deny(but=[beyond]))), 403, "forbidden")
        (granted,) = await hanako.grant(permit(cast.dr_b))
        outcome(await proxy.put(granted, hanako.consent(beyond)), 403, "forbidden")
        proposed = await cast.a.create(hanako.consent(beyond, status="proposed"))
        id_ = proposed.partition("/")[2]
        answer = await sent(proxy, f"/sharing/requests/{id_}/grant", await shown(hanako.town))
        outcome(answer, 403, "forbidden")
        assert not await cast.a.sees(records["weight"])
        await proxy.create(hanako.consent(mine))
        assert await cast.a.sees(records["medicine"])
        # To deny, and to end what somebody else sees, shows nobody anything.
        await proxy.create(hanako.consent(deny(cast.dr_b)))
        await proxy.replace(granted, {**await proxy.read(granted), "status": "inactive"})

    async def test_a_share_code_of_a_proxy_shares_nothing_beyond_their_scope(
        self, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, categories=["medicines"], decides=True)
        opened = []
        for categories in (["medicines"], ["medicines", "vital-signs"]):
            offer = {**await shown(hanako.town), "patient": hanako.reference, "categories": categories}
            code = await sent(proxy, "/sharing/codes", {"kind": "share", **offer})
            redeemed = {"user_code": code.json()["user_code"]}
            opened.append(await sent(cast.a, "/sharing/redemptions", redeemed))
        assert opened[0].status_code == 201, opened[0].text
        outcome(opened[1], 404, "not-found")
        assert await cast.a.sees(records["medicine"])
        assert not await cast.a.sees(records["pressure"])

    async def test_a_denial_for_a_proxy_binds_what_they_share_where_they_may_read_it(
        self, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, decides=True)
        root = permit(cast.dr_a)
        (denial,) = await hanako.grant(deny(proxy.reference, types=["Observation"]))
        outcome(await proxy.post(hanako.consent(root)), 403, "forbidden")
        spared = permit(cast.dr_a, but=[deny(types=["Observation"])])
        await proxy.create(hanako.consent(spared))
        # A refusal would tell of what is kept from them.
        (kept,) = await hanako.grant(deny(proxy.reference, data=[("instance", denial)], types=["Consent"]))
        await hanako.grant(deny(proxy.reference, data=[("instance", kept)], types=["Consent"]))
        assert not await proxy.sees(denial)

    async def test_a_denial_for_everybody_leaves_a_proxy_what_they_share(
        self, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, decides=True)
        await hanako.grant(deny(types=["Observation"]))
        await proxy.create(hanako.consent(permit(cast.dr_a)))
        assert await cast.a.sees(records["medicine"])
        assert not await cast.a.sees(records["weight"])
        # An emergency it does not bind.
        outcome(await proxy.post(hanako.consent(permit(cast.dr_a, purposes=["TREAT", "BTG"]))), 403)

    async def test_a_proxy_lets_nobody_act_who_could_be_the_proxy(
        self, town: Town, hanako: Voice, taro: Voice
    ) -> None:
        proxy = await proxy_of(hanako, decides=True)
        other = (await invited(hanako, categories=["medicines"]))["proxy"]
        for actor in (taro.reference, other):
            root = permit(actor, purposes=["FAMRQT", "PATRQT"])
            outcome(await proxy.post(hanako.consent(root)), 403, "forbidden")
        outcome(await proxy.post(made.related_person(hanako.reference)), 403, "forbidden")

    async def test_a_proxy_undoes_nothing_that_the_person_denied(
        self, town: Town, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, decides=True)
        (bar,) = (await sent(hanako, "/emergencies/bars", {"categories": ["medicines"]})).json()["consents"]
        denials = [bar, *await hanako.grant(deny(cast.dr_a), deny(types=["Observation"]))]
        for denial in denials:
            id_ = denial.partition("/")[2]
            outcome(await sent(proxy, f"/sharing/grants/{id_}/withdraw"), 403, "forbidden")
            outcome(await proxy.delete(denial), 403, "forbidden")
            ended = {**await hanako.read(denial), "status": "inactive"}
            outcome(await proxy.put(denial, ended), 403, "forbidden")
            tag = {"name": "meta", "valueMeta": {"tag": [{"system": "urn:a", "code": "b"}]}}
            change = orjson.dumps({"resourceType": "Parameters", "parameter": [tag]})
            outcome(await proxy.call("POST", f"{denial}/$meta-add", content=change), 403, "forbidden")
            assert (await hanako.read(denial))["status"] == "active"

    async def test_a_proxy_ends_a_denial_of_their_own_and_what_the_person_permitted(
        self, hanako: Voice, cast: Cast, records: dict[str, str]
    ) -> None:
        proxy = await proxy_of(hanako, decides=True)
        (granted,) = await hanako.grant(permit(cast.dr_a))
        own = await proxy.create(hanako.consent(deny(cast.dr_b)))
        for consent in (granted, own):
            ended = {**await proxy.read(consent), "status": "inactive"}
            assert (await proxy.put(consent, ended)).status_code == 200
        assert not await cast.a.sees(records["weight"])

    async def test_a_proxy_reads_no_notices_but_their_own(self, hanako: Voice) -> None:
        proxy = await proxy_of(hanako)
        assert (await hanako.get("/notifications")).json() != []
        assert (await proxy.get("/notifications")).json() == []
