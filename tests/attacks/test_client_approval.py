"""Two operators for each client: what counts is what another one has read and approved."""

from asyncio import gather
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from passport.identity.registrations.approving import GOOD_FOR
from tests.http.apps import ASSERTION_TYPE
from tests.http.identity_town import City
from tests.unit.passport.identity.assertions import Signer, es384

pytestmark = pytest.mark.anyio

FIRST, SECOND, THIRD = "operator/first", "operator/second", "operator/third"


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def clinic(town: City) -> str:
    return await town.organization()


class Registration:
    """What operators do about one client."""

    def __init__(self, town: City, subject: str) -> None:
        self.town, self.subject, self.client_id = town, subject, f"c-{uuid4().hex}"
        self.path = f"/auth/clients/{self.client_id}"

    async def put(self, who: str, signer: Signer, **members: Any) -> Response:
        body = {"name": "遠隔診療（架空）", "subject": self.subject, "purposes": ["TREAT"], **members}
        keys = {"keys": [signer.jwk]}
        return await self.town.call(who, "PUT", self.path, json={**body, "jwks": keys})

    async def proposed(self, who: str, signer: Signer, **members: Any) -> str:
        answer = await self.put(who, signer, **members)
        assert answer.status_code == 202, answer.text
        named: str = answer.json()["proposed"]["proposal"]
        return named

    async def approve(self, who: str, named: str) -> Response:
        return await self.town.call(who, "POST", f"{self.path}/approve", json={"proposal": named})

    async def end(self, who: str) -> Response:
        return await self.town.call(who, "PUT", self.path, json={"active": False})

    async def read(self) -> dict[str, Any]:
        answer: dict[str, Any] = (await self.town.call(FIRST, "GET", self.path)).json()
        return answer

    async def token(self, signer: Signer) -> int:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": signer.assertion(self.client_id, self.town.clock()),
        }
        return (await self.town.http.post("/auth/token", data=form)).status_code


@pytest.fixture
def one(town: City, clinic: str) -> Registration:
    return Registration(town, clinic)


@pytest.fixture
async def active(one: Registration) -> tuple[Registration, Signer]:
    signer = es384()
    assert (await one.approve(SECOND, await one.proposed(FIRST, signer))).status_code == 200
    return one, signer


async def test_what_one_operator_registers_is_nobody_until_another_approves(one: Registration) -> None:
    signer = es384()
    answer = await one.put(FIRST, signer)
    told = answer.json()
    assert (answer.status_code, told["state"], told["active"]) == (202, "waiting", False)
    assert told["proposed"]["by"] == FIRST
    assert told["proposed"]["proposal"] in told["next"]
    assert FIRST in told["next"]
    assert "jwks" not in told
    assert await one.token(signer) == 401
    approved = await one.approve(SECOND, told["proposed"]["proposal"])
    assert (approved.status_code, approved.json()["state"]) == (200, "active")
    assert (approved.json()["proposed"], approved.json()["next"]) == (None, None)
    assert await one.token(signer) == 200


async def test_an_active_client_goes_on_as_it_was_until_its_change_is_approved(
    active: tuple[Registration, Signer],
) -> None:
    one, signer = active
    other = es384()
    answer = (await one.put(THIRD, other, purposes=["CAREMGT"])).json()
    assert (answer["state"], answer["purposes"], answer["proposed"]["purposes"]) == (
        "active",
        ["TREAT"],
        ["CAREMGT"],
    )
    assert [await one.token(each) for each in (signer, other)] == [200, 401]
    waiting = (await one.town.call(FIRST, "GET", "/auth/clients")).json()["clients"]
    assert one.client_id in {each["client_id"] for each in waiting}
    assert (await one.approve(FIRST, answer["proposed"]["proposal"])).status_code == 200
    assert [await one.token(each) for each in (signer, other)] == [401, 200]


async def test_nobody_approves_what_they_proposed(one: Registration) -> None:
    named = await one.proposed(FIRST, es384())
    assert (await one.approve(FIRST, named)).status_code == 403
    assert (await one.read())["state"] == "waiting"


async def test_an_approval_says_what_it_approves(one: Registration) -> None:
    former = await one.proposed(FIRST, es384())
    later = await one.proposed(FIRST, es384())
    bare = await one.town.call(SECOND, "POST", f"{one.path}/approve")
    assert (bare.status_code, "GET /auth/clients/" in bare.text) == (400, True)
    for named in (former, later[:-1], ["x"]):
        answer = await one.town.call(SECOND, "POST", f"{one.path}/approve", json={"proposal": named})
        assert answer.status_code == 409
    assert (await one.read())["state"] == "waiting"
    assert (await one.approve(SECOND, later)).status_code == 200


async def test_of_two_approvals_at_one_instant_one_counts(one: Registration) -> None:
    named = await one.proposed(FIRST, es384())
    answers = await gather(one.approve(SECOND, named), one.approve(THIRD, named))
    assert sorted(answer.status_code for answer in answers) == [200, 404]


async def test_what_is_put_during_an_approval_is_not_approved_by_it(one: Registration) -> None:
    read, unread = es384(), es384()
    named = await one.proposed(FIRST, read)
    approved, _ = await gather(one.approve(SECOND, named), one.put(FIRST, unread))
    assert approved.status_code in {200, 409}
    assert await one.token(unread) == 401
    assert (await one.token(read) == 200) == (approved.status_code == 200)
    assert (await one.read())["proposed"]["jwks"]["keys"][0]["kid"] == unread.jwk["kid"]


async def test_a_proposal_again_stays_that_of_who_made_it(one: Registration) -> None:
    signer = es384()
    named = await one.proposed(FIRST, signer)
    assert await one.proposed(SECOND, signer) == named
    assert (await one.approve(FIRST, named)).status_code == 403
    assert (await one.approve(SECOND, named)).status_code == 200


async def test_what_is_active_already_is_proposed_by_nobody(active: tuple[Registration, Signer]) -> None:
    one, signer = active
    named = await one.proposed(FIRST, es384())
    answer = await one.put(SECOND, signer)
    assert (answer.status_code, answer.json()["proposed"]) == (200, None)
    assert (await one.approve(THIRD, named)).status_code == 404


async def test_one_operator_ends_a_client_at_once_with_what_is_proposed_of_it(
    active: tuple[Registration, Signer],
) -> None:
    one, signer = active
    named = await one.proposed(FIRST, es384())
    answer = await one.end(FIRST)
    assert (answer.status_code, answer.json()["state"], answer.json()["proposed"]) == (200, "ended", None)
    assert await one.token(signer) == 401
    assert (await one.approve(SECOND, named)).status_code == 404
    # It comes back as it came: by two.
    again = await one.proposed(FIRST, signer)
    assert ((await one.read())["state"], await one.token(signer)) == ("ended", 401)
    assert (await one.approve(SECOND, again)).status_code == 200
    assert await one.token(signer) == 200


async def test_what_was_declined_comes_to_nothing_and_leaves_what_is_active(
    active: tuple[Registration, Signer],
) -> None:
    one, signer = active
    named = await one.proposed(FIRST, es384())
    answer = await one.town.call(FIRST, "POST", f"{one.path}/decline")
    assert (answer.status_code, answer.json()["state"], answer.json()["proposed"]) == (200, "active", None)
    assert (await one.approve(SECOND, named)).status_code == 404
    assert (await one.town.call(FIRST, "POST", f"{one.path}/decline")).status_code == 404
    assert await one.token(signer) == 200


async def test_of_a_client_that_was_never_approved_nothing_stays(one: Registration) -> None:
    for end in (one.end(FIRST), one.town.call(FIRST, "POST", f"{one.path}/decline")):
        await one.proposed(FIRST, es384())
        assert (await end).json()["state"] == "ended"
        assert (await one.town.call(FIRST, "GET", one.path)).status_code == 404
    assert (await one.end(FIRST)).status_code == 404
    assert (await one.town.call(FIRST, "GET", "/auth/clients/%00")).status_code == 400


async def test_a_proposal_waits_for_two_weeks(one: Registration, monkeypatch: pytest.MonkeyPatch) -> None:
    named = await one.proposed(FIRST, es384())
    monkeypatch.setattr(one.town.clock, "ahead", GOOD_FOR)
    monkeypatch.setattr(one.town, "tokens", {})
    assert (await one.approve(SECOND, named)).status_code == 404


async def test_a_client_that_acts_as_another_has_nothing_open(active: tuple[Registration, Signer]) -> None:
    one, signer = active
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signer.assertion(one.client_id, one.town.clock()),
    }
    token = (await one.town.http.post("/auth/token", data=form)).json()["access_token"]
    assert (await one.town.call(token, "GET", "/fhir/Organization")).status_code == 200
    elsewhere = await one.town.organization("よそ（架空）")
    named = await one.proposed(FIRST, signer, subject=elsewhere)
    assert (await one.town.call(token, "GET", "/fhir/Organization")).status_code == 200
    assert (await one.approve(SECOND, named)).status_code == 200
    assert (await one.town.call(token, "GET", "/fhir/Organization")).status_code == 401


async def test_the_log_names_who_proposed_what_and_who_approved_it(one: Registration) -> None:
    began = one.town.clock()
    named = await one.proposed(FIRST, es384())
    await one.approve(FIRST, named)
    await one.approve(SECOND, named)
    await one.end(THIRD)
    (proposed,) = one.town.audited("client-register", began)
    assert (proposed["subject"], proposed["detail"]) == (FIRST, f"{one.client_id} {named}")
    refused, approved = one.town.audited("client-approve", began)
    assert (refused["subject"], refused["outcome"]) == (FIRST, "refused")
    assert (approved["subject"], approved["detail"]) == (SECOND, f"{one.client_id} {named}")
    (ended,) = one.town.audited("client-end", began)
    assert (ended["subject"], ended["detail"]) == (THIRD, one.client_id)
