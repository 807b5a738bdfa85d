"""A token is its client's alone: no other one learns of it or ends it, though both act as one Organization.

https://www.rfc-editor.org/rfc/rfc7009#section-2.1
https://www.rfc-editor.org/rfc/rfc7662#section-4
"""

from typing import Any
from uuid import uuid4

import pytest

from tests.http.apps import App, app, signed_in
from tests.http.identity_town import City
from tests.unit.passport.identity.assertions import es384

pytestmark = pytest.mark.anyio

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"
SERVICE: dict[str, Any] = {
    "redirect_uris": [],
    "grant_types": ["client_credentials", EXCHANGE],
    "purposes": ["TREAT", "ETREAT"],
    "scopes": ["system/*.rs", "user/*.rs"],
}


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def hospital(town: City) -> str:
    """Whoever works there, and its services, may break the glass."""
    organization = await town.organization()
    await town.policy(organization, "BTG")
    return organization


@pytest.fixture(scope="module")
async def siblings(town: City, hospital: str) -> tuple[App, App]:
    """Two services of one hospital, each with a key of its own."""
    return await app(town, hospital, es384(), **SERVICE), await app(town, hospital, es384(), **SERVICE)


@pytest.fixture(scope="module")
async def clinician(town: City, hospital: str) -> str:
    return await town.role(await town.practitioner(), hospital)


async def of_service(town: City, one: App, _: str) -> str:
    answer = await one.ask(grant_type="client_credentials", purpose_of_use="TREAT")
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


async def exchanged(town: City, one: App, clinician: str) -> str:
    fields: dict[str, Any] = {
        "subject_token": await town.token(clinician, "TREAT"),
        "subject_token_type": ACCESS,
    }
    answer = await one.ask(grant_type=EXCHANGE, **fields)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


async def opened_in_an_emergency(town: City, one: App, _: str) -> str:
    asked = await one.ask(grant_type="client_credentials", purpose_of_use="ETREAT")
    body = {"patient": await town.resident(), "reason": "意識障害で救急搬送、既往の確認"}
    answer = await town.call(asked.json()["access_token"], "POST", "/auth/break-glass", json=body)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


async def asked_about(one: App, token: str) -> dict[str, Any]:
    answer = await one.town.http.post("/auth/introspect", data={**one.proof(), "token": token})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def taken_back(one: App, token: str) -> tuple[int, bytes]:
    answer = await one.town.http.post("/auth/revoke", data={**one.proof(), "token": token})
    return answer.status_code, answer.content


@pytest.mark.parametrize("got", [of_service, exchanged, opened_in_an_emergency], ids=lambda got: got.__name__)
async def test_a_token_is_none_to_another_client_of_the_same_organization(
    town: City, siblings: tuple[App, App], clinician: str, got: Any
) -> None:
    owner, sibling = siblings
    token = await got(town, owner, clinician)
    assert await asked_about(sibling, token) == {"active": False}
    assert await taken_back(sibling, token) == await taken_back(sibling, "nonsense") == (200, b"{}")
    told = await asked_about(owner, token)
    assert (told["active"], told["client_id"]) == (True, owner.client_id)
    assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 200
    assert await taken_back(owner, token) == (200, b"{}")
    assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 401


async def test_a_token_that_a_person_got_themselves_is_no_clients(
    town: City, siblings: tuple[App, App], clinician: str
) -> None:
    token = await town.token(clinician, "TREAT")
    for one in siblings:
        assert await asked_about(one, token) == {"active": False}
        assert await taken_back(one, token) == (200, b"{}")
    assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 200


async def test_a_public_app_ends_no_token_of_a_service(
    town: City, hospital: str, siblings: tuple[App, App], clinician: str
) -> None:
    phone = await app(town, hospital)
    token = await of_service(town, siblings[0], clinician)
    for fields in (phone.proof(), {"client_id": siblings[0].client_id}):
        await town.http.post("/auth/revoke", data={**fields, "token": token})
    assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 200


async def test_an_ended_client_takes_its_own_tokens_along_and_no_others(
    town: City, hospital: str, clinician: str
) -> None:
    leaving, staying = [await app(town, hospital, es384(), **SERVICE) for _ in range(2)]
    gone = [await got(town, leaving, clinician) for got in (of_service, exchanged, opened_in_an_emergency)]
    left = [await got(town, staying, clinician) for got in (of_service, exchanged, opened_in_an_emergency)]
    ended = await town.call("operator", "PUT", f"/auth/clients/{leaving.client_id}", json={"active": False})
    assert ended.status_code == 200, ended.text
    assert {(await town.call(token, "GET", "/fhir/Organization")).status_code for token in gone} == {401}
    assert {(await town.call(token, "GET", "/fhir/Organization")).status_code for token in left} == {200}


async def test_what_a_sibling_guesses_of_a_refresh_token_ends_nothing(
    town: City, hospital: str, siblings: tuple[App, App]
) -> None:
    phone = await app(town, hospital)
    browser = await signed_in(town, await town.resident())
    body = (await phone.redeem(await phone.code(browser))).json()
    for one in siblings:
        assert await taken_back(one, body["refresh_token"]) == (200, b"{}")
        assert await taken_back(one, uuid4().hex) == (200, b"{}")
    assert (await phone.refresh(body["refresh_token"])).status_code == 200
