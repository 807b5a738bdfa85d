"""Whoever is signed in sees where, and what acts for them; ends any of it at once, and nothing of anybody else.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

from typing import Any
from uuid import uuid4

import pytest

from tests.http.apps import JSON, App, Browser, app, ended, handed, seen, signed_in
from tests.http.identity_town import City

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture
async def phone(town: City) -> App:
    return await app(town, await town.organization("見本アプリ工房（架空）"))


@pytest.fixture
async def browser(town: City, aoi: str) -> Browser:
    found = await signed_in(town, aoi)
    town.vouch_for(aoi)
    return found


async def tokens_of(phone: App, browser: Browser) -> tuple[str, str]:
    answer = await phone.redeem(await phone.code(browser))
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"], answer.json()["refresh_token"]


async def test_browsers_are_told_apart_by_their_kind_and_by_nothing_of_their_own_words(
    town: City, aoi: str
) -> None:
    code = await handed(town, aoi, "PATRQT")
    town.vouch_for(aoi)
    said = ("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0", "<script>alert(1)</script>", "")
    for words in said:
        answer = await Browser(town).post(
            "/auth/login", {"login": code["login"], "code": code["code"]}, **{"User-Agent": words}
        )
        assert answer.status_code == 200, answer.text
    told = (await seen(await signed_in(town, aoi)))["browsers"]
    assert sorted(one["browser"] or "" for one in told) == ["", "", "", "Firefox, Windows"]
    kept = town.rows("SELECT browser FROM login_session WHERE subject = %s", aoi)
    assert {row["browser"] for row in kept} == {None, "Firefox, Windows"}


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
