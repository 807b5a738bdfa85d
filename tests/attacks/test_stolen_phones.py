"""Whoever took a phone keeps nothing once its passkey is removed: no browser, no app, and no app that was just allowed.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4.6
"""

import asyncio
from typing import Any

import pytest

from tests.authenticator import Authenticator
from tests.http.apps import JSON, App, Browser
from tests.http.identity_town import BASE_URL, City
from tests.http.passkeys import Person, person, signs_in, with_passkey

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


async def stolen(town: City) -> tuple[Person, Person, str]:
    """Somebody at home with a passkey of their own, the phone that was taken from them, and its passkey's id."""
    phone = await with_passkey(town, await town.resident())
    (lost,) = (await phone.listed())["passkeys"]
    home = Person(Browser(town), Authenticator.at(BASE_URL))
    assert (await phone.registers(home.device)).status_code == 201
    assert (await signs_in(home.browser, home.device)).status_code == 200
    return home, phone, lost["id"]


async def allowed(app: App, browser: Browser) -> dict[str, Any]:
    """The tokens of an app that goes on without its person."""
    tokens: dict[str, Any] = (await app.redeem(await app.code(browser))).json()
    assert "refresh_token" in tokens
    return tokens


async def test_an_app_that_a_thief_allowed_ends_with_the_passkey_though_they_signed_out(
    town: City, phone: App
) -> None:
    home, taken, lost = await stolen(town)
    ended, kept = await allowed(phone, taken.browser), await allowed(phone, home.browser)
    # The session is over, and the app would go on for 90 days.
    await taken.browser.post("/auth/logout", {"csrf": await taken.browser.csrf()})
    assert (await town.call(ended["access_token"], "GET", "/fhir/Observation")).status_code == 200
    assert (await home.removes(lost)).status_code == 204
    assert (await town.call(ended["access_token"], "GET", "/fhir/Observation")).status_code == 401
    assert (await phone.refresh(ended["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await phone.refresh(kept["refresh_token"])).status_code == 200


async def test_what_the_own_session_allowed_by_the_passkey_ends_too(town: City, phone: App) -> None:
    one = await with_passkey(town, await town.resident())
    tokens = await allowed(phone, one.browser)
    (own,) = (await one.listed())["passkeys"]
    assert (await one.removes(own["id"])).status_code == 204
    assert (await one.browser.get("/auth/login", **JSON)).json()["signed_in"] is True
    assert (await phone.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_code_that_a_thief_holds_back_is_redeemed_by_nobody(town: City, phone: App) -> None:
    home, taken, lost = await stolen(town)
    code = await phone.code(taken.browser)
    assert (await home.removes(lost)).status_code == 204
    assert (await phone.redeem(code)).json()["error"] == "invalid_grant"


async def test_a_thief_who_allows_while_the_passkey_is_removed_keeps_nothing(town: City, phone: App) -> None:
    home, taken, lost = await stolen(town)
    body = {
        "request": phone.query(),
        "csrf": await taken.browser.csrf(),
        "decision": "allow",
        "purpose": "PATRQT",
    }
    csrf = await home.browser.csrf()
    decisions = [taken.browser.post("/auth/authorize/decision", body) for _ in range(4)]
    removing = home.browser.post(f"/auth/passkeys/{lost}/remove", {"csrf": csrf})
    await asyncio.gather(*decisions[:2], removing, *decisions[2:])
    going = """
SELECT count(*) FROM grant_family AS family JOIN passkey USING (passkey_id)
WHERE passkey.passkey_id = %s::uuid AND family.ended_at IS NULL
"""
    assert town.rows(going, lost) == [{"count": 0}]
    assert (await taken.browser.get("/auth/login", **JSON)).json()["signed_in"] is False


async def test_a_copied_passkey_takes_what_it_allowed_along(town: City, phone: App) -> None:
    one = await with_passkey(town, await town.resident())
    tokens = await allowed(phone, one.browser)
    (key,) = one.device.credentials
    key.count = 7
    assert (await signs_in(Browser(town), one.device)).status_code == 200
    key.count = 3
    assert (await signs_in(Browser(town), one.device)).status_code == 401
    assert (await phone.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_what_another_way_of_signing_in_allowed_goes_on(town: City, phone: App) -> None:
    resident = await town.resident()
    by_code = await person(town, resident)
    town.vouch_for(resident)
    tokens = await allowed(phone, by_code.browser)
    one = await with_passkey(town, resident)
    (own,) = (await one.listed())["passkeys"]
    assert (await one.removes(own["id"])).status_code == 204
    assert (await phone.refresh(tokens["refresh_token"])).status_code == 200
