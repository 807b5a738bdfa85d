"""Passkeys are registered, used, listed and removed by whose they are, whoever that is.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from passport.identity.passkeys.challenges import LASTS
from passport.identity.passkeys.registering import MOST
from passport.settings import STEP_UP_MINUTES
from tests.authenticator import EDDSA, AlreadyRegistered, Authenticator
from tests.databases import Database
from tests.http.apps import JSON, Browser, app, handed, signed_in
from tests.http.identity_town import BASE_URL, City
from tests.http.passkeys import Person, challenge, person, signs_in, with_passkey
from tests.town import as_in_production, served

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[City]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as running:
        with as_in_production(running):
            yield City(running.runtime, running.http, running.database, running.clock)


@pytest.fixture
async def aoi(town: City) -> str:
    return await town.resident()


async def clinician(town: City) -> str:
    return await town.role(await town.practitioner(), await town.organization())


async def test_a_resident_registers_a_passkey_and_signs_in_by_it(town: City, aoi: str) -> None:
    one = await person(town, aoi)
    asked = (await one.options()).json()["publicKey"]
    assert (asked["rp"]["id"], asked["attestation"]) == ("passport.test", "none")
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert aoi.partition("/")[2] not in str(asked["user"])
    answer = await one.registers()
    assert answer.status_code == 201, answer.text
    kept = answer.json()
    assert (kept["name"], kept["used"], kept["doubted"]) == ("電話", None, None)

    another = Browser(town)
    assert (await signs_in(another, one.device)).json() == {"signed_in": True}
    told = (await another.get("/auth/login", **JSON)).json()
    assert (told["subject"], told["methods"], told["second_factor"]) == (aoi, ["passkey"], True)
    (shown,) = (await one.listed())["passkeys"]
    assert shown["id"] == kept["id"]
    assert shown["used"] is not None


@pytest.mark.parametrize("who", ["clinician", "relative", "operator"])
async def test_whoever_signs_in_may_have_a_passkey(town: City, aoi: str, who: str) -> None:
    if who == "operator":
        code = await handed(town, "operator", "HOPERAT")
        browser = Browser(town)
        await browser.sign_in(code)
        subject, kind = f"operator/{code['login']}", "operator"
    elif who == "relative":
        subject, kind = await town.relative(aoi), "proxy"
        browser = await signed_in(town, subject, "FAMRQT")
    else:
        subject, kind = await clinician(town), "practitioner"
        browser = await signed_in(town, subject, "TREAT")
    one = Person(browser)
    assert (await one.registers()).status_code == 201
    another = Browser(town)
    assert (await signs_in(another, one.device)).status_code == 200
    told = (await another.get("/auth/login", **JSON)).json()
    assert told["kind"] == kind
    assert subject in {told["subject"], told["role"]}


async def test_a_person_has_several_and_a_device_makes_no_second_one(town: City, aoi: str) -> None:
    one = await person(town, aoi)
    await one.registers(name="電話")
    with pytest.raises(AlreadyRegistered):
        await one.made()
    tablet = Authenticator.at(BASE_URL).but(algorithm=EDDSA)
    assert (await one.registers(tablet, name="タブレット")).status_code == 201
    key = Authenticator.at(BASE_URL).but(fmt="packed")
    assert (await one.registers(key, name=None)).status_code == 201
    assert [each["name"] for each in (await one.listed())["passkeys"]] == ["電話", "タブレット", "Passkey"]
    for device in (one.device, tablet, key):
        assert (await signs_in(Browser(town), device)).status_code == 200


async def test_a_name_is_short_and_can_be_shown(town: City, aoi: str) -> None:
    one = await person(town, aoi)
    credential = await one.made()
    for name in ("x" * 65, "a\nb", 7):
        assert (await one.send(credential, name=name)).status_code == 400
    assert (await one.send(credential, name="  ")).json()["name"] == "Passkey"


async def test_nobody_has_more_than_twenty(town: City, aoi: str) -> None:
    one = await person(town, aoi)
    for _ in range(MOST):
        assert (await one.registers(Authenticator.at(BASE_URL))).status_code == 201
    assert (await one.options()).status_code == 409


async def test_a_passkey_that_was_removed_signs_nobody_in(town: City, aoi: str) -> None:
    one = await person(town, aoi)
    id_ = (await one.registers()).json()["id"]
    assert (await one.removes(id_)).status_code == 204
    assert (await one.removes(id_)).status_code == 404
    assert (await signs_in(Browser(town), one.device)).status_code == 401
    assert (await one.listed())["passkeys"] == []


async def test_the_last_way_to_sign_in_is_not_removed_without_saying_so(town: City, aoi: str) -> None:
    code = await handed(town, aoi, "PATRQT")
    browser = Browser(town)
    await browser.sign_in(code)
    one = Person(browser)
    id_ = (await one.registers()).json()["id"]
    with town.looked_into() as connection:
        connection.execute("UPDATE sign_in_code SET active = false WHERE login = %s", [code["login"]])
    assert (await one.listed())["code"] is False
    answer = await one.removes(id_)
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (409, ["last"])
    assert (await one.removes(id_, last="yes")).status_code == 400
    assert (await one.removes(id_, last=True)).status_code == 204


async def test_registering_and_removing_ask_for_who_signed_in_lately(town: City, aoi: str) -> None:
    one = await person(town, aoi)
    id_ = (await one.registers()).json()["id"]
    town.clock.ahead += timedelta(minutes=STEP_UP_MINUTES, seconds=5)
    try:
        began = town.clock()
        for answer in (await one.options(), await one.removes(id_)):
            assert answer.status_code == 401
            told = answer.headers["www-authenticate"]
            assert 'error="insufficient_user_authentication"' in told
            assert 'max_age="300"' in told
        for action in ("passkey-register", "passkey-remove"):
            (row,) = town.audited(action, began)
            assert (row["subject"], row["outcome"]) == (aoi, "refused")
        assert (await signs_in(one.browser, one.device)).status_code == 200
        assert (await one.removes(id_)).status_code == 204
    finally:
        town.clock.ahead -= timedelta(minutes=STEP_UP_MINUTES, seconds=5)


async def test_a_challenge_is_good_for_two_minutes(town: City, aoi: str) -> None:
    one = await with_passkey(town, aoi)
    asked = await challenge(one.browser)
    made = await one.made(Authenticator.at(BASE_URL))
    town.clock.ahead += LASTS + timedelta(seconds=1)
    try:
        answer = await one.browser.post("/auth/passkeys/sign-in", {"credential": one.device.get(asked)})
        assert answer.status_code == 401
        assert (await one.send(made)).status_code == 400
    finally:
        town.clock.ahead -= LASTS + timedelta(seconds=1)


async def test_who_acts_no_more_signs_in_by_no_passkey(town: City, aoi: str) -> None:
    role = await clinician(town)
    one = await with_passkey(town, role, "TREAT")
    tree = (await town.call("operator", "GET", f"/fhir/{role}")).json()
    gone = {**tree, "active": False, "period": {"end": "2020-01-01"}}
    assert (await town.call("operator", "PUT", f"/fhir/{role}", json=gone)).status_code == 200
    assert (await signs_in(Browser(town), one.device)).status_code == 401


async def test_a_login_that_was_taken_back_has_no_passkeys(town: City, aoi: str) -> None:
    code = await handed(town, aoi, "PATRQT")
    browser = Browser(town)
    await browser.sign_in(code)
    one = Person(browser)
    await one.registers()
    assert (await signs_in(browser, one.device)).status_code == 200
    path = f"/auth/sign-in-codes/{code['login']}"
    assert (await town.call("operator", "DELETE", path)).status_code == 204
    assert (await browser.get("/auth/login", **JSON)).json()["signed_in"] is False
    assert (await signs_in(Browser(town), one.device)).status_code == 401
    assert (await town.call("operator", "DELETE", path)).status_code == 404


async def test_what_becomes_of_passkeys_is_told_and_audited(town: City, aoi: str) -> None:
    began = town.clock()
    one = await person(town, aoi)
    id_ = (await one.registers()).json()["id"]
    await signs_in(one.browser, one.device)
    await one.removes(id_)
    told = (await town.call(aoi, "GET", "/notifications", purpose="PATRQT")).json()
    assert [each["kind"] for each in told][:2] == ["passkey-removed", "passkey-registered"]
    (registered,) = town.audited("passkey-register", began)
    assert (registered["subject"], registered["outcome"], registered["detail"]) == (aoi, "success", id_)
    (removed,) = town.audited("passkey-remove", began)
    assert (removed["subject"], removed["detail"]) == (aoi, id_)
    signed = [row for row in town.audited("sign-in", began) if row["query"] == "POST auth/passkeys/sign-in"]
    assert [(row["subject"], row["outcome"]) for row in signed] == [(aoi, "success")]


async def test_a_token_of_the_passports_own_page_ends_with_its_browser(town: City, aoi: str) -> None:
    one = await with_passkey(town, aoi)
    body = {"csrf": await one.browser.csrf(), "purpose": "PATRQT"}
    answer = await one.browser.post("/auth/login/token", body)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    assert (await town.call(token, "GET", f"/fhir/{aoi}")).status_code == 200
    assert (await one.browser.post("/auth/login/token", {**body, "purpose": "HMARKT"})).status_code == 403
    assert (await one.browser.post("/auth/login/token", {**body, "csrf": "x"})).status_code == 403
    assert (await one.browser.post("/auth/logout", {"csrf": body["csrf"]})).status_code == 204
    assert (await town.call(token, "GET", f"/fhir/{aoi}")).status_code == 401


async def test_removing_a_passkey_ends_what_began_by_it_elsewhere(town: City, aoi: str) -> None:
    one = await with_passkey(town, aoi)
    (lost,) = (await one.listed())["passkeys"]
    thief, here = Browser(town), Person(Browser(town), Authenticator.at(BASE_URL))
    await signs_in(thief, one.device)
    token = (await thief.post("/auth/login/token", {"csrf": await thief.csrf(), "purpose": "PATRQT"})).json()[
        "access_token"
    ]
    await one.registers(here.device)
    await signs_in(here.browser, here.device)
    assert (await here.removes(lost["id"])).status_code == 204
    for browser in (thief, one.browser):
        assert (await browser.get("/auth/login", **JSON)).json()["signed_in"] is False
    assert (await town.call(token, "GET", f"/fhir/{aoi}")).status_code == 401
    (own,) = (await here.listed())["passkeys"]
    assert (await here.removes(own["id"])).status_code == 204
    assert (await here.browser.get("/auth/login", **JSON)).json()["signed_in"] is True


async def test_a_passkey_is_called_something_else_by_its_owner_alone(town: City, aoi: str) -> None:
    one, stranger = await with_passkey(town, aoi), await with_passkey(town, await town.resident())
    (own,) = (await one.listed())["passkeys"]
    began = town.clock()
    assert (await one.renames(own["id"], "  古い電話 ")).status_code == 204
    assert (await one.listed())["passkeys"][0]["name"] == "古い電話"
    for unfit in (None, "", "  ", 5, "x" * 65, "反\u202e転"):
        assert (await one.renames(own["id"], unfit)).status_code == 400, unfit
    assert (await stranger.renames(own["id"], "私の")).status_code == 404
    answer = await one.browser.post(f"/auth/passkeys/{own['id']}/rename", {"csrf": "x", "name": "y"})
    assert answer.status_code == 403
    assert (await one.listed())["passkeys"][0]["name"] == "古い電話"
    rows = town.audited("passkey-rename", began)
    assert [(row["subject"], row["outcome"], row["detail"]) for row in rows] == [
        (aoi, "success", own["id"]),
        (aoi, "refused", "forbidden"),
    ]
    assert "古い電話" not in str(rows)


async def test_what_apps_were_allowed_by_a_passkey_is_told_beside_it(town: City, aoi: str) -> None:
    one = await with_passkey(town, aoi)
    (shown,) = (await one.listed())["passkeys"]
    assert shown["apps"] == []
    phone = await app(town, await town.organization())
    await phone.redeem(await phone.code(one.browser))
    (shown,) = (await one.listed())["passkeys"]
    assert shown["apps"] == ["見本アプリ（架空）"]
