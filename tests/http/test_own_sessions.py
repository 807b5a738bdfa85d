"""Whoever is signed in sees where, and what acts for them; ends any of it at once, and nothing of anybody else.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from passport.identity import tokens
from passport.identity.principals import principal
from tests.databases import Database
from tests.http.apps import JSON, App, Browser, app, signed_in
from tests.http.identity_town import City, city

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with city(module_database, state) as running:
        yield running


@pytest.fixture
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture
async def phone(town: City) -> App:
    return await app(town, await town.organization("見本アプリ工房（架空）"))


@pytest.fixture
async def browser(town: City, aoi: str) -> Browser:
    return await signed_in(town, aoi)


async def seen(browser: Browser) -> Json:
    answer = await browser.get("/auth/sessions", **JSON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: Json = answer.json()
    return told


async def ended(browser: Browser, id_: str) -> int:
    answer = await browser.post(f"/auth/sessions/{id_}/end", {"csrf": await browser.csrf()})
    return answer.status_code


async def tokens_of(phone: App, browser: Browser) -> tuple[str, str]:
    answer = await phone.redeem(await phone.code(browser))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"], answer.json()["refresh_token"]


async def test_a_person_sees_their_browsers_apps_and_sessions_and_which_one_this_is(
    town: City, aoi: str, browser: Browser, phone: App
) -> None:
    another = await signed_in(town, aoi)
    await tokens_of(phone, browser)
    await town.token(aoi, "PATRQT")
    told = await seen(browser)
    assert [one["this_one"] for one in told["browsers"]].count(True) == 1
    assert len(told["browsers"]) == 2
    (allowed,) = told["apps"]
    assert (allowed["client_id"], allowed["name"], allowed["offline"]) == (
        phone.client_id,
        "見本アプリ（架空）",
        True,
    )
    assert {"ja": "すべての種類の記録の閲覧・検索", "en": "read, search: records of every kind"} in [
        one["means"] for one in allowed["may"]
    ]
    (session,) = told["sessions"]
    assert (session["purpose"], session["this_one"]) == ("PATRQT", False)
    by_token = (await town.call(aoi, "GET", "/auth/sessions", purpose="PATRQT")).json()
    assert by_token["sessions"] == [{**session, "this_one": True}]
    assert {one["id"] for one in by_token["browsers"]} == {
        one["id"] for one in (await seen(another))["browsers"]
    }


async def test_what_the_pages_themselves_hold_is_part_of_their_browser(
    town: City, aoi: str, browser: Browser
) -> None:
    wanted = {"csrf": await browser.csrf(), "purpose": "PATRQT"}
    token = (await browser.post("/auth/login/token", wanted)).json()["access_token"]
    told = await seen(browser)
    assert (len(told["browsers"]), told["sessions"]) == (1, [])
    assert await ended(browser, told["browsers"][0]["id"]) == 204
    assert (await town.call(token, "GET", f"/fhir/{aoi}")).status_code == 401


async def test_what_is_ended_is_over_at_once_with_all_that_follows_from_it(
    town: City, aoi: str, browser: Browser, phone: App
) -> None:
    another = await signed_in(town, aoi)
    access, refresh = await tokens_of(phone, browser)
    assert (await town.call(access, "GET", f"/fhir/{aoi}")).status_code == 200
    (allowed,) = (await seen(browser))["apps"]
    assert await ended(another, allowed["id"]) == 204
    assert (await town.call(access, "GET", f"/fhir/{aoi}")).status_code == 401
    assert (await phone.refresh(refresh)).status_code == 400
    (there,) = [one["id"] for one in (await seen(another))["browsers"] if not one["this_one"]]
    assert await ended(another, there) == 204
    assert (await browser.get("/auth/sessions", **JSON)).status_code == 401
    token = await town.token(aoi, "PATRQT")
    (session,) = (await seen(another))["sessions"]
    assert await ended(another, session["id"]) == 204
    assert (await town.call(token, "GET", f"/fhir/{aoi}")).status_code == 401
    assert await ended(another, session["id"]) == 404


async def test_nobody_sees_or_ends_what_is_somebody_elses(
    town: City, browser: Browser, phone: App, aoi: str
) -> None:
    stranger = await signed_in(town, await town.resident("別の 住民（架空）"))
    access, _ = await tokens_of(phone, browser)
    told = await seen(browser)
    assert (await seen(stranger))["apps"] == []
    for one in (*told["browsers"], *told["apps"], *told["sessions"]):
        assert await ended(stranger, one["id"]) == 404
    assert await ended(stranger, str(uuid4())) == 404
    assert (await town.call(access, "GET", f"/fhir/{aoi}")).status_code == 200


async def test_an_app_sees_and_ends_nothing_of_the_person_for_whom_it_acts(
    town: City, browser: Browser, phone: App
) -> None:
    access, _ = await tokens_of(phone, browser)
    (allowed,) = (await seen(browser))["apps"]
    for method, path in (("GET", "/auth/sessions"), ("POST", f"/auth/sessions/{allowed['id']}/end")):
        assert (await town.call(access, method, path)).status_code == 403
    assert len((await seen(browser))["apps"]) == 1


async def test_a_browser_ends_nothing_from_a_foreign_page_or_without_its_own_form(browser: Browser) -> None:
    (this,) = (await seen(browser))["browsers"]
    path = f"/auth/sessions/{this['id']}/end"
    foreign = await browser.post(path, {"csrf": await browser.csrf()}, Origin="https://evil.example")
    assert foreign.status_code == 403
    assert (await browser.post(path, {"csrf": "x"})).status_code == 403
    assert (await browser.post(path, {})).status_code == 403
    assert len((await seen(browser))["browsers"]) == 1


async def test_what_somebody_ended_is_on_the_record(town: City, aoi: str, browser: Browser) -> None:
    (this,) = (await seen(browser))["browsers"]
    assert await ended(browser, this["id"]) == 204
    rows = [row for row in town.audited("session-end") if row["subject"] == aoi]
    assert [row["detail"] for row in rows] == [this["id"]]


# Openings in an emergency


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


async def followed(town: City, token: str, patient: str) -> str:
    """The token of an opening that follows from that of an app."""
    (origin,) = town.rows("SELECT * FROM session WHERE token_hash = %s", tokens.token_hash(token))
    (key,) = town.rows("SELECT patient_key FROM patient WHERE patient_id = %s", patient.partition("/")[2])
    runtime, now = town.runtime, town.clock()
    async with runtime.pool.connection() as connection, connection.transaction():
        subject = await principal(
            runtime, connection, origin["role"], purpose="BTG", scopes=frozenset(origin["scopes"]), now=now
        )
        subject = replace(subject, client=origin["client"], opened_patient_key=key["patient_key"])
        bound = tokens.Bound(origin["family_id"], None, origin["session_id"])
        lasts = timedelta(hours=4)
        issued = await tokens.issue(
            runtime, connection, subject, now=now, lifetime=lasts, authenticated_at=None, bound=bound
        )
    assert (await town.call(issued.text, "GET", f"/fhir/{patient}")).status_code == 200
    return issued.text


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
    opening = await followed(town, answer["access_token"], aoi)
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
