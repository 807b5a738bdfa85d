"""Who lost their passkeys comes back by a code of the city desk, for a new passkey and nothing else.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4.2
"""

from datetime import timedelta
from typing import Any

import pytest
from httpx import Response

from passport.identity.passkeys.recovery import LASTS, SESSION_LASTS
from tests.authenticator import Authenticator
from tests.http.apps import JSON, Browser, app, handed
from tests.http.identity_town import BASE_URL, City
from tests.http.passkeys import Person, person, signs_in, with_passkey
from tests.town import CLERK, SECOND_CLERK

pytestmark = pytest.mark.anyio

Json = dict[str, Any]


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture
async def resident(town: City) -> str:
    return await town.resident()


@pytest.fixture
async def aoi(town: City, resident: str) -> Person:
    one = await with_passkey(town, resident)
    town.vouch_for(resident)
    return one


async def entered(town: City, patient: str, **more: Any) -> Response:
    body = {"kind": "recovery", "patient": patient, **more}
    return await town.call(CLERK, "POST", "/desk/matters", purpose="HOPERAT", json=body)


async def confirmed(town: City, matter: str, by: str = SECOND_CLERK) -> Response:
    return await town.call(by, "POST", f"/desk/matters/{matter}/confirm", purpose="HOPERAT")


async def printed(town: City, patient: str, **more: Any) -> str:
    answer = await entered(town, patient, **more)
    assert answer.status_code == 201, answer.text
    answer = await confirmed(town, answer.json()["id"])
    assert answer.status_code == 200, answer.text
    code: str = answer.json()["code"]
    return code


async def comes_back(town: City, code: str, **more: Any) -> tuple[Browser, Response]:
    browser = Browser(town)
    return browser, await browser.post("/auth/recovery", {"code": code, **more})


async def notices(town: City, patient: str) -> list[str]:
    told = (await town.call(patient, "GET", "/notifications", purpose="PATRQT")).json()
    return [each["kind"] for each in told]


async def test_a_code_of_the_desk_registers_one_passkey(town: City, resident: str, aoi: Person) -> None:
    began = town.clock()
    code = await printed(town, resident)
    browser, answer = await comes_back(town, code.lower().replace("-", " "))
    assert answer.status_code == 200, answer.text
    assert answer.json()["limited_to"] == "passkey"
    told = (await browser.get("/auth/login", **JSON)).json()
    assert (told["signed_in"], told["limited_to"], told["csrf"]) == (False, "passkey", answer.json()["csrf"])
    back, left = Person(browser, Authenticator.at(BASE_URL)), browser.cookie
    assert (await back.registers()).status_code == 201
    assert browser.cookie != left
    again = Browser(town, left)
    assert (await again.post("/auth/passkeys/options", {"csrf": answer.json()["csrf"]})).status_code == 401
    assert (await signs_in(browser, back.device)).status_code == 200
    assert (await browser.get("/auth/login", **JSON)).json()["subject"] == resident
    # Nothing was said to be lost.
    assert (await signs_in(Browser(town), aoi.device)).status_code == 200
    assert {"recovery-code-issued", "recovery-code-used"} <= set(await notices(town, resident))
    (row,) = town.audited("recovery", began)
    assert (row["subject"], row["outcome"]) == (resident, "success")
    assert len(code.replace("-", "")) == 25
    assert code not in str(town.rows("SELECT * FROM recovery_code"))


async def test_whom_one_operator_let_in_is_out_whatever_was_lost(town: City, resident: str) -> None:
    stranger = await with_passkey(town, resident)
    browser, answer = await comes_back(town, await printed(town, resident))
    assert answer.status_code == 200
    assert (await stranger.browser.get("/auth/login", **JSON)).json()["signed_in"] is False
    assert (await signs_in(Browser(town), stranger.device)).status_code == 401
    assert "sign-in-code-withdrawn" in await notices(town, resident)
    back = Person(browser, Authenticator.at(BASE_URL))
    assert (await back.registers()).status_code == 201
    assert (await signs_in(Browser(town), back.device)).status_code == 200


async def test_what_began_by_a_code_of_the_desk_opens_nothing(town: City, resident: str, aoi: Person) -> None:
    phone = await app(town, await town.organization())
    browser, answer = await comes_back(town, await printed(town, resident))
    csrf = answer.json()["csrf"]
    assert (await browser.get("/auth/sessions", **JSON)).status_code == 401
    assert (await browser.get("/auth/passkeys")).status_code == 401
    assert (await browser.get(f"/auth/authorize?{phone.query()}", **JSON)).status_code == 401
    bodies: dict[str, Json] = {
        "/auth/login/token": {"csrf": csrf, "purpose": "PATRQT"},
        "/auth/authorize/decision": {
            "csrf": csrf,
            "request": phone.query(),
            "decision": "allow",
            "purpose": "PATRQT",
        },
        "/auth/device/asked": {"csrf": csrf, "user_code": "XXXX-XXXX"},
        "/auth/device/decision": {"csrf": csrf, "request": "XXXX-XXXX", "decision": "allow"},
    }
    for path, body in bodies.items():
        assert (await browser.post(path, body)).status_code == 401, path
    id_ = (await aoi.listed())["passkeys"][0]["id"]
    assert (await browser.post(f"/auth/passkeys/{id_}/remove", {"csrf": csrf})).status_code == 401
    page = (await browser.get("/auth/login")).text
    assert "csrf" not in page


async def test_what_was_lost_ends_with_whatever_was_opened_by_it(
    town: City, resident: str, aoi: Person
) -> None:
    phone = await app(town, await town.organization())
    token = (await phone.redeem(await phone.code(aoi.browser))).json()["access_token"]
    assert (await town.call(token, "GET", f"/fhir/{resident}")).status_code == 200
    _, answer = await comes_back(town, await printed(town, resident), lost=True)
    assert answer.status_code == 200
    assert (await town.call(token, "GET", f"/fhir/{resident}")).status_code == 401
    assert (await aoi.browser.get("/auth/login", **JSON)).json()["signed_in"] is False
    assert (await signs_in(Browser(town), aoi.device)).status_code == 401


async def test_a_code_is_good_once_for_a_day_and_until_the_next(
    town: City, resident: str, aoi: Person
) -> None:
    first, second = await printed(town, resident), await printed(town, resident)
    assert (await comes_back(town, first))[1].status_code == 401
    assert (await comes_back(town, second))[1].status_code == 200
    assert (await comes_back(town, second))[1].status_code == 401
    third = await printed(town, resident)
    town.clock.ahead += LASTS
    try:
        assert (await comes_back(town, third))[1].status_code == 401
    finally:
        town.clock.ahead -= LASTS
    assert (await comes_back(town, "nonsense"))[1].status_code == 401


async def test_the_session_of_a_code_lasts_a_quarter_of_an_hour(
    town: City, resident: str, aoi: Person
) -> None:
    browser, _ = await comes_back(town, await printed(town, resident))
    back = Person(browser, Authenticator.at(BASE_URL))
    town.clock.ahead += SESSION_LASTS - timedelta(minutes=1)
    try:
        assert (await back.options()).status_code == 200
        town.clock.ahead += timedelta(minutes=1)
        assert (await browser.get("/auth/login", **JSON)).json()["signed_in"] is False
        assert (await browser.post("/auth/passkeys/options", {"csrf": "x"})).status_code == 401
    finally:
        town.clock.ahead -= SESSION_LASTS


async def test_two_clerks_print_it_and_nobody_else(town: City, resident: str, aoi: Person) -> None:
    matter = (await entered(town, resident)).json()["id"]
    assert (await confirmed(town, matter, CLERK)).status_code == 403
    for who in ("operator", "auditor", resident):
        assert (await confirmed(town, matter, who)).status_code == 403
        body = {"kind": "recovery", "patient": resident}
        answer = await town.call(who, "POST", "/desk/matters", purpose="PATRQT", json=body)
        assert answer.status_code == 403
    shown = await town.call(SECOND_CLERK, "GET", f"/desk/matters/{matter}", purpose="HOPERAT")
    assert shown.json()["content"]["person"] == resident
    assert (await confirmed(town, matter)).status_code == 200
    assert (await confirmed(town, matter)).status_code == 409


async def test_who_never_had_a_passkey_gets_a_sign_in_code_instead(town: City, resident: str) -> None:
    assert (await entered(town, resident)).status_code == 409
    await person(town, resident)
    assert (await entered(town, resident)).status_code == 409
    assert (await entered(town, "Patient/unknown")).status_code == 404


async def test_who_has_several_logins_says_which(town: City, resident: str, aoi: Person) -> None:
    code = await handed(town, resident, "PATRQT")
    other = Person(Browser(town))
    await other.browser.sign_in(code)
    await other.registers()
    assert (await entered(town, resident)).status_code == 409
    assert (await entered(town, resident, login=code["login"])).status_code == 201
    assert (await entered(town, resident, login="nobody-here")).status_code == 409


async def test_who_acts_for_a_resident_comes_back_and_the_resident_is_told(town: City, resident: str) -> None:
    body = {"name": "見本 春子（架空）", "relationship": "child", "decides": False, "until": "2099-12-31"}
    invited = (await town.call(resident, "POST", "/family/proxies", purpose="PATRQT", json=body)).json()
    proxy = Person(Browser(town))
    await proxy.browser.sign_in(invited)
    assert (await proxy.registers()).status_code == 201
    stranger = await town.resident()
    assert (await entered(town, stranger, person=invited["proxy"])).status_code == 404
    assert (await entered(town, resident, person="Practitioner/x")).status_code == 400
    browser, answer = await comes_back(town, await printed(town, resident, person=invited["proxy"]))
    assert answer.status_code == 200
    back = Person(browser, Authenticator.at(BASE_URL))
    assert (await back.registers()).status_code == 201
    assert {"recovery-code-issued", "recovery-code-used", "passkey-registered"} <= set(
        await notices(town, resident)
    )
    waiting = await printed(town, resident, person=invited["proxy"])
    path = f"/family/proxies/{invited['proxy'].partition('/')[2]}/end"
    assert (await town.call(resident, "POST", path, purpose="PATRQT")).status_code == 200
    assert (await comes_back(town, waiting))[1].status_code == 401
    assert (await signs_in(Browser(town), back.device)).status_code == 401
