"""An emergency opening ends with whatever it came from: nobody keeps it who lost the sign-in, the app or the client.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.http.apps import App, Browser, app, ended, seen, signed_in
from tests.http.identity_town import City

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture(scope="module")
async def department(town: City) -> str:
    """Whoever works there may break the glass, by a policy."""
    organization = await town.organization("架空救命救急センター")
    await town.policy(organization, "BTG")
    return organization


@pytest.fixture
async def rescuer(town: City, department: str) -> str:
    return await town.role(await town.practitioner(), department)


async def opened(town: City, token: str, patient: str) -> str:
    """The token of an opening that was made by another one."""
    body = {"patient": patient, "reason": "意識障害で救急搬送、既往と内服の確認"}
    answer = await town.call(token, "POST", "/auth/break-glass", json=body)
    assert answer.status_code == 200, answer.text
    told: str = answer.json()["access_token"]
    assert (await town.call(told, "GET", f"/fhir/{patient}")).status_code == 200
    return told


@dataclass
class Emergency:
    """An opening, the browser and the app from whose token it follows, and what the app got."""

    town: City
    browser: Browser
    app: App
    access: str
    refresh: str
    opening: str

    async def ends_app(self) -> None:
        (allowed,) = (await seen(self.browser))["apps"]
        assert await ended(self.browser, allowed["id"]) == 204

    async def ends_client(self) -> None:
        answer = await self.town.call(
            "operator", "PUT", f"/auth/clients/{self.app.client_id}", json={"active": False}
        )
        assert answer.status_code == 200, answer.text

    async def replays(self) -> None:
        assert (await self.app.refresh(self.refresh)).status_code == 200
        assert (await self.app.refresh(self.refresh)).status_code == 400

    async def revokes(self) -> None:
        sent = {**self.app.proof(), "token": self.refresh}
        assert (await self.town.http.post("/auth/revoke", data=sent)).status_code == 200

    async def revokes_access(self) -> None:
        sent = {**self.app.proof(), "token": self.access}
        assert (await self.town.http.post("/auth/revoke", data=sent)).status_code == 200

    async def ends_opening(self) -> None:
        (session,) = [one for one in (await seen(self.browser))["sessions"] if one.get("emergency")]
        assert await ended(self.browser, session["id"]) == 204


@pytest.mark.parametrize(
    "how", ["ends_app", "ends_client", "replays", "revokes", "revokes_access", "ends_opening"]
)
async def test_an_opening_ends_with_the_app_from_whose_token_it_follows(
    town: City, department: str, rescuer: str, aoi: str, how: str
) -> None:
    browser = await signed_in(town, rescuer, "ETREAT")
    phone = await app(town, department, purposes=["ETREAT"])
    query = phone.query(scope="user/*.rs offline_access")
    answer = (await phone.redeem(await phone.code(browser, query=query, purpose="ETREAT"))).json()
    opening = await opened(town, answer["access_token"], aoi)
    made = Emergency(town, browser, phone, answer["access_token"], answer["refresh_token"], opening)
    await getattr(made, how)()
    assert (await town.call(opening, "GET", f"/fhir/{aoi}")).status_code == 401


async def test_an_opening_of_ones_own_ends_with_the_browser(town: City, rescuer: str, aoi: str) -> None:
    for leave in ("/auth/logout", "session", "sign-out"):
        browser = await signed_in(town, rescuer, "ETREAT")
        wanted = {"csrf": await browser.csrf(), "purpose": "ETREAT"}
        token = (await browser.post("/auth/login/token", wanted)).json()["access_token"]
        opening = await opened(town, token, aoi)
        if leave == "sign-out":
            assert (await town.call(token, "POST", "/auth/sign-out")).status_code == 204
        elif leave == "session":
            (this,) = [one["id"] for one in (await seen(browser))["browsers"] if one["this_one"]]
            assert await ended(browser, this) == 204
        else:
            assert (await browser.post(leave, {"csrf": await browser.csrf()})).status_code == 204
        assert (await town.call(opening, "GET", f"/fhir/{aoi}")).status_code == 401


async def test_an_opening_goes_on_when_the_token_that_made_it_is_too_old(
    town: City, rescuer: str, aoi: str
) -> None:
    short = await town.token(rescuer, "ETREAT", lifetime=timedelta(minutes=5))
    opening = await opened(town, short, aoi)
    town.clock.ahead = timedelta(hours=3)
    try:
        assert (await town.call(opening, "GET", f"/fhir/{aoi}")).status_code == 200
        assert (await town.call(short, "GET", f"/fhir/{aoi}")).status_code == 401
    finally:
        town.clock.ahead = timedelta()
