"""A device asks, its person enters the code that it shows, and decides; a service exchanges a clinician's token."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response

from passport.identity.attempts import FAILURES_MAX
from tests.http.apps import App, Browser, app, hidden, signed_in
from tests.http.identity_town import City
from tests.unit.passport.identity.assertions import es384

pytestmark = pytest.mark.anyio

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TYPE = "urn:ietf:params:oauth:token-type:access_token"


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def maker(town: City) -> str:
    return await town.organization("見本計器（架空）")


@pytest.fixture(scope="module")
async def cuff(town: City, maker: str) -> App:
    return await app(town, maker, redirect_uris=[], grant_types=[DEVICE, "refresh_token"])


@pytest.fixture(scope="module")
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture
async def browser(town: City, aoi: str) -> Browser:
    return await signed_in(town, aoi)


async def begun(
    cuff: App, scope: str = "patient/Observation.cu offline_access", **fields: Any
) -> dict[str, Any]:
    answer = await cuff.town.http.post("/auth/device", data={**cuff.proof(), "scope": scope, **fields})
    assert answer.status_code == 200, answer.text
    codes: dict[str, Any] = answer.json()
    return codes


async def decided(browser: Browser, user_code: str, decision: str = "allow", **choice: Any) -> Response:
    body = {
        "request": user_code,
        "csrf": await browser.csrf(),
        "decision": decision,
        "purpose": "PATRQT",
        **choice,
    }
    return await browser.post("/auth/device/decision", body)


async def polled(cuff: App, codes: dict[str, Any]) -> Response:
    return await cuff.ask(grant_type=DEVICE, device_code=codes["device_code"])


async def test_a_device_gets_what_its_person_allowed(
    town: City, cuff: App, browser: Browser, aoi: str, maker: str
) -> None:
    codes = await begun(cuff)
    assert codes["verification_uri"].endswith("/auth/device")
    assert "verification_uri_complete" not in codes
    assert (await polled(cuff, codes)).json()["error"] == "authorization_pending"
    told = await browser.post(
        "/auth/device/asked", {"user_code": codes["user_code"].lower(), "csrf": await browser.csrf()}
    )
    assert [each["scope"] for each in told.json()["scopes"]] == ["patient/Observation.cu"]
    assert (await decided(browser, codes["user_code"])).status_code == 204
    body = (await polled(cuff, codes)).json()
    assert body["scope"] == "offline_access patient/Observation.cu"
    (row,) = town.rows("SELECT subject, client, kind FROM session ORDER BY issued_at DESC LIMIT 1")
    assert (row["subject"], row["client"], row["kind"]) == (aoi, maker, "patient")
    assert (await town.call(body["access_token"], "GET", f"/fhir/{aoi}")).status_code == 403
    assert (await cuff.refresh(body["refresh_token"])).status_code == 200


async def test_a_device_gets_no_more_than_was_chosen(cuff: App, browser: Browser) -> None:
    codes = await begun(cuff, "patient/Observation.cu patient/Patient.r")
    await decided(browser, codes["user_code"], scopes=["patient/Patient.r"])
    assert (await polled(cuff, codes)).json()["scope"] == "patient/Patient.r"


@pytest.mark.parametrize("between", ["", " ", "-", "ー", "−"])
@pytest.mark.parametrize("wide", [False, True])
async def test_a_code_is_taken_as_people_type_it_at_both_steps(
    cuff: App, browser: Browser, between: str, wide: bool
) -> None:
    codes = await begun(cuff)
    letters = codes["user_code"].replace("-", between).lower()
    shown = "".join(
        chr(ord(one) + 0xFEE0) if wide and one.isascii() and one.isalnum() else one for one in letters
    )
    asking = {"user_code": shown, "csrf": await browser.csrf()}
    assert (await browser.post("/auth/device/asked", asking)).status_code == 200
    page = await browser.post("/auth/device/asked", asking, Accept="text/html")
    assert hidden(page.text, "request") == codes["user_code"].replace("-", "")
    assert "'self';" in page.headers["content-security-policy"].partition("form-action")[2]
    assert (await decided(browser, shown)).status_code == 204
    assert (await polled(cuff, codes)).status_code == 200


@pytest.mark.parametrize(("tongue", "said"), [("ja", "機器はありません"), ("en", "No device shows")])
async def test_a_wrong_code_without_script_shows_the_form_once_more(
    town: City, browser: Browser, tongue: str, said: str
) -> None:
    sent = {
        "user_code": "BBBB-BBBB",
        "request": "BBBB-BBBB",
        "csrf": await browser.csrf(),
        "decision": "deny",
    }
    for path in ("/auth/device/asked", "/auth/device/decision"):
        answer = await browser.post(path, sent, Accept="text/html", **{"Accept-Language": tongue})
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert said in answer.text
        assert hidden(answer.text, "csrf") == sent["csrf"]


async def test_a_device_whose_person_denies_gets_nothing(cuff: App, browser: Browser) -> None:
    codes = await begun(cuff)
    assert (await decided(browser, codes["user_code"], "deny")).status_code == 204
    assert (await polled(cuff, codes)).json()["error"] == "access_denied"
    assert (await decided(browser, codes["user_code"])).status_code == 404


async def test_a_device_code_is_spent_once_by_twenty_and_reuse_ends_what_it_began(
    town: City, cuff: App, browser: Browser
) -> None:
    codes = await begun(cuff)
    await decided(browser, codes["user_code"])
    answers = await asyncio.gather(*(polled(cuff, codes) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 19]
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await cuff.refresh(won["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_device_that_asks_too_often_is_slowed_down(town: City, cuff: App) -> None:
    codes = await begun(cuff)
    errors = []
    try:
        for seconds in (0, 1, 9, 16):
            town.clock.ahead += timedelta(seconds=seconds)
            errors.append((await polled(cuff, codes)).json()["error"])
    finally:
        town.clock.ahead = timedelta()
    assert errors == ["authorization_pending", "slow_down", "slow_down", "authorization_pending"]


async def test_codes_end_after_ten_minutes(town: City, cuff: App, browser: Browser) -> None:
    codes = await begun(cuff)
    town.clock.ahead = timedelta(minutes=10, seconds=1)
    try:
        assert (await decided(browser, codes["user_code"])).status_code == 404
        assert (await polled(cuff, codes)).json()["error"] == "expired_token"
    finally:
        town.clock.ahead = timedelta()


async def test_a_device_code_is_for_its_client(town: City, maker: str, cuff: App, browser: Browser) -> None:
    other = await app(town, maker, redirect_uris=[], grant_types=[DEVICE])
    codes = await begun(cuff)
    await decided(browser, codes["user_code"])
    assert (await polled(other, codes)).json()["error"] == "invalid_grant"
    assert (await polled(cuff, codes)).status_code == 200


async def test_who_guesses_codes_is_stopped_by_their_own_failures(
    town: City, cuff: App, browser: Browser
) -> None:
    town.clock.ahead = timedelta(minutes=20)
    try:
        statuses = [(await decided(browser, f"AAAA-AA{at:02}")).status_code for at in range(FAILURES_MAX + 1)]
        assert statuses == [*[404] * FAILURES_MAX, 429]
    finally:
        town.clock.ahead = timedelta()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"purpose_of_use": "BTG"}, "invalid_request"),
        ({"client_id": "nobody"}, "invalid_client"),
    ],
)
async def test_a_device_that_asks_wrongly_is_told(cuff: App, fields: dict[str, str], error: str) -> None:
    answer = await cuff.town.http.post(
        "/auth/device", data={**cuff.proof(), "scope": "patient/*.rs", **fields}
    )
    assert answer.json()["error"] == error


async def test_user_codes_are_kept_as_keyed_hashes(town: City, cuff: App) -> None:
    codes = await begun(cuff)
    assert codes["user_code"] not in str(town.rows("SELECT * FROM device_authorization"))


# Token exchange


@pytest.fixture(scope="module")
async def doctor(town: City, maker: str) -> str:
    return await town.role(await town.practitioner(), maker)


@pytest.fixture(scope="module")
async def service(town: City, maker: str) -> App:
    return await app(
        town,
        maker,
        es384(),
        redirect_uris=[],
        grant_types=[EXCHANGE],
        scopes=["user/*.rs"],
        purposes=["TREAT"],
    )


async def exchanged(service: App, token: str, **fields: Any) -> Response:
    return await service.ask(
        **{"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TYPE, **fields}
    )


async def test_a_service_acts_for_a_clinician_with_what_both_have(
    town: City, service: App, doctor: str, maker: str, aoi: str
) -> None:
    await town.blood_pressure(aoi)
    await town.share(aoi, doctor)
    own = await town.token(doctor, scope="user/Observation.crs user/Condition.rs")
    answer = await exchanged(service, own)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["issued_token_type"] == ACCESS_TYPE
    assert body["scope"] == "user/Condition.rs user/Observation.rs"
    assert "refresh_token" not in body
    found = await town.call(body["access_token"], "GET", f"/fhir/Observation?patient={aoi}")
    assert len(found.json()["entry"]) == 1
    (row,) = town.rows("SELECT role, client, kind FROM session WHERE derived_from IS NOT NULL")
    assert (row["role"], row["client"], row["kind"]) == (doctor, maker, "practitioner")


async def test_what_was_exchanged_ends_with_what_it_was_exchanged_for(
    town: City, service: App, doctor: str
) -> None:
    own = await town.token(doctor, scope="user/*.rs")
    token = (await exchanged(service, own)).json()["access_token"]
    assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 200
    assert (await town.call(own, "POST", "/auth/sign-out")).status_code == 204
    assert (await town.call(token, "GET", "/fhir/Organization")).status_code == 401


async def test_what_was_exchanged_lasts_no_longer(town: City, service: App, doctor: str) -> None:
    own = await town.token(doctor, scope="user/*.rs", lifetime=timedelta(seconds=60))
    assert (await exchanged(service, own)).json()["expires_in"] <= 60


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"scope": "user/*.cruds"}, "invalid_scope"),
        ({"scope": "user/Observation.c"}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"purpose_of_use": "TREAT"}, "invalid_request"),
        ({"subject_token": "unknown"}, "invalid_grant"),
    ],
)
async def test_an_exchange_is_never_wider(
    town: City, service: App, doctor: str, fields: dict[str, str], error: str
) -> None:
    answer = await exchanged(service, await town.token(doctor), **fields)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_only_a_clinicians_own_token_is_exchanged(
    town: City, service: App, doctor: str, aoi: str, maker: str
) -> None:
    once = (await exchanged(service, await town.token(doctor))).json()["access_token"]
    for token in (once, await town.token(aoi), await town.token(maker), await town.token("operator")):
        assert (await exchanged(service, token)).json()["error"] == "invalid_grant"


async def test_a_purpose_that_the_service_was_not_allowed_is_not_exchanged(
    town: City, service: App, doctor: str
) -> None:
    answer = await exchanged(service, await town.token(doctor, "HRESCH"))
    assert answer.json()["error"] == "unauthorized_client"


async def test_a_client_without_this_grant_exchanges_nothing(town: City, maker: str, doctor: str) -> None:
    other = await app(town, maker, es384(), redirect_uris=[], grant_types=["client_credentials"])
    answer = await exchanged(other, await town.token(doctor))
    assert answer.json()["error"] == "unauthorized_client"
