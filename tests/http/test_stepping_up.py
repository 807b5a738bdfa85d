"""What asks for more than a token: a sign-in of these minutes, or a second factor.

https://www.rfc-editor.org/rfc/rfc9470
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import Response

from passport.identity.login.factors import TWO_FACTORS, two_by
from passport.settings import STEP_UP_MINUTES
from tests.databases import Database
from tests.http.apps import JSON, Browser, app, ended, handed, hidden, seen
from tests.http.identity_town import City
from tests.http.passkeys import Person, signs_in
from tests.town import Town, as_in_production, served
from tests.unit.passport.identity.assertions import es384

pytestmark = pytest.mark.anyio

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TYPE = "urn:ietf:params:oauth:token-type:access_token"
LATE = timedelta(minutes=STEP_UP_MINUTES, seconds=5)


@pytest.fixture(scope="module")
async def running(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as town:
        with as_in_production(town):
            yield town


@pytest.fixture(scope="module")
async def town(running: Town) -> City:
    return City(running.runtime, running.http, running.database, running.clock)


@pytest.fixture(scope="module")
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture(scope="module")
async def rescuer(town: City) -> str:
    role = await town.role(await town.practitioner(), await town.organization())
    await town.policy(role, "BTG")
    await town.policy(role, "TREAT")
    return role


@contextmanager
def later(town: City, ahead: timedelta = LATE) -> Iterator[None]:
    town.clock.ahead += ahead
    try:
        yield
    finally:
        town.clock.ahead -= ahead


async def opens(town: City, token: str, patient: str) -> Response:
    body = {"patient": patient, "reason": "意識障害（架空）"}
    return await town.call(token, "POST", "/auth/break-glass", json=body)


def is_asked_anew(answer: Response) -> None:
    assert answer.status_code == 401
    told = answer.headers["www-authenticate"]
    assert told.startswith("Bearer ")
    assert 'error="insufficient_user_authentication"' in told
    assert 'max_age="300"' in told


async def test_a_fresh_token_opens_in_an_emergency_and_an_old_one_does_not(
    town: City, aoi: str, rescuer: str
) -> None:
    began = town.clock()
    token = await town.token(rescuer, lifetime=timedelta(hours=2))
    answer = await opens(town, token, aoi)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "expires_at"}
    with later(town):
        is_asked_anew(await opens(town, token, aoi))
        assert (await town.call(token, "GET", f"/fhir/{aoi}")).status_code == 200
        # What goes on is interrupted by nothing.
        opening = answer.json()["access_token"]
        assert (await town.call(opening, "GET", f"/fhir/Patient/{aoi[8:]}/$everything")).status_code == 200
        told = town.audited("break-glass", began)
    assert [row["outcome"] for row in told] == ["success", "refused"]


async def test_an_unknown_patient_and_an_old_token_get_what_a_known_one_gets(
    town: City, aoi: str, rescuer: str
) -> None:
    token = await town.token(rescuer, lifetime=timedelta(hours=2))
    with later(town):
        known, unknown = await opens(town, token, aoi), await opens(town, token, "Patient/unknown")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)


async def test_an_app_that_refreshed_sends_its_clinician_to_sign_in(
    town: City, aoi: str, rescuer: str
) -> None:
    phone = await app(town, await town.organization(), purposes=["TREAT"])
    browser = Browser(town)
    code = await handed(town, rescuer, "TREAT")
    await browser.sign_in(code)
    query = phone.query(scope="offline_access user/*.rs")
    tokens = (await phone.redeem(await phone.code(browser, query=query, purpose="TREAT"))).json()
    assert (await opens(town, tokens["access_token"], aoi)).status_code == 200
    with later(town):
        refreshed = (await phone.refresh(tokens["refresh_token"])).json()["access_token"]
        answer = await opens(town, refreshed, aoi)
        is_asked_anew(answer)
        stepping = phone.query(scope="user/*.rs", max_age="300")
        asked = await browser.get(f"/auth/authorize?{stepping}", **JSON)
        assert asked.json() == {"error": "login_required"}
        await browser.sign_in(code)
        fresh = (await phone.redeem(await phone.code(browser, query=stepping, purpose="TREAT"))).json()
        assert (await opens(town, fresh["access_token"], aoi)).status_code == 200


async def test_a_token_that_was_exchanged_is_as_old_as_the_sign_in(
    town: City, aoi: str, rescuer: str
) -> None:
    maker = await town.organization()
    service = await app(
        town,
        maker,
        es384(),
        redirect_uris=[],
        grant_types=[EXCHANGE],
        purposes=["TREAT"],
        scopes=["user/*.rs"],
    )
    token = await town.token(rescuer, lifetime=timedelta(hours=2))
    with later(town):
        answer = await service.ask(grant_type=EXCHANGE, subject_token=token, subject_token_type=ACCESS_TYPE)
        assert answer.status_code == 200, answer.text
        is_asked_anew(await opens(town, answer.json()["access_token"], aoi))


async def test_a_clinician_exports_only_after_a_fresh_sign_in(town: City, aoi: str, rescuer: str) -> None:
    token = await town.token(rescuer, lifetime=timedelta(hours=2))
    path = f"/fhir/{aoi}/$everything"
    for day in range(1, 4):
        await town.blood_pressure(aoi, day=day)
    answer = await town.call(token, "GET", f"{path}?_count=1")
    assert answer.status_code == 200, answer.text
    (further,) = [link["url"] for link in answer.json()["link"] if link["relation"] == "next"]
    with later(town):
        is_asked_anew(await town.call(token, "GET", path))
        is_asked_anew(await town.call(token, "POST", path, headers={"Content-Type": "application/fhir+json"}))
        unknown = await town.call(token, "GET", "/fhir/Patient/unknown/$everything")
        is_asked_anew(unknown)
        parts = urlsplit(further)
        assert parse_qs(parts.query)
        assert (await town.call(token, "GET", f"{parts.path}?{parts.query}")).status_code == 200
        own = await town.token(aoi, "PATRQT", lifetime=timedelta(hours=2))
    with later(town, 2 * LATE):
        assert (await town.call(own, "GET", path)).status_code == 200


async def test_one_factor_gets_a_clinician_nowhere_where_two_are_asked_for(
    running: Town, town: City, rescuer: str
) -> None:
    phone = await app(town, await town.organization(), purposes=["TREAT"])
    code = await handed(town, rescuer, "TREAT")
    browser = Browser(town)
    await browser.sign_in(code)
    query = phone.query(scope="user/*.rs")
    with as_in_production(running, "practitioner", "operator"):
        began = town.clock()
        sent = {"login": code["login"], "code": code["code"], "purpose": "TREAT"}
        answers = [
            await town.http.post("/auth/sign-in", json=sent),
            await browser.get(f"/auth/authorize?{query}", **JSON),
            await phone.allowed(browser, query=query, purpose="TREAT"),
            await browser.post("/auth/login/token", {"csrf": await browser.csrf(), "purpose": "TREAT"}),
        ]
        for answer in answers:
            assert answer.status_code == 401, answer.text
            assert f'acr_values="{TWO_FACTORS}"' in answer.headers["www-authenticate"]
        page = await browser.get(f"/auth/authorize?{query}")
        assert page.headers["content-type"].startswith("text/html")
        (row,) = [row for row in town.audited("sign-in", began) if row["query"] == "POST auth/sign-in"]
        assert (row["outcome"], row["detail"]) == ("refused", "forbidden")
        told = (await browser.get("/auth/login", **JSON)).json()
        assert (told["needs"], told["second_factor"]) == ("second-factor", False)

        doctor = Person(browser)
        assert (await doctor.registers()).status_code == 201
        assert (await signs_in(browser, doctor.device)).status_code == 200
        told = (await browser.get("/auth/login", **JSON)).json()
        assert (told["needs"], told["second_factor"]) == (None, True)
        assert await phone.code(browser, query=query, purpose="TREAT")
        answer = await browser.post("/auth/login/token", {"csrf": await browser.csrf(), "purpose": "TREAT"})
        assert answer.status_code == 200


async def test_ending_a_sign_in_elsewhere_wants_one_of_late(town: City) -> None:
    taro = await town.resident("住基 太郎（架空）")
    code = await handed(town, taro, "PATRQT")
    here, there, phone = Browser(town), Browser(town), await app(town, await town.organization())
    for one in (here, there):
        await one.sign_in(code)
    await phone.redeem(await phone.code(here))
    token = await town.token(taro, "PATRQT", lifetime=timedelta(hours=2))
    began, told = town.clock(), await seen(here)
    (other,) = [one["id"] for one in told["browsers"] if not one["this_one"]]
    (own,) = [one["id"] for one in told["browsers"] if one["this_one"]]
    (session,), (allowed,) = told["sessions"], told["apps"]
    with later(town):
        for id_ in (other, session["id"]):
            is_asked_anew(await here.post(f"/auth/sessions/{id_}/end", {"csrf": await here.csrf()}))
        is_asked_anew(await town.call(token, "POST", f"/auth/sessions/{other}/end"))
        refused = [row for row in town.audited("session-end", began) if row["outcome"] == "refused"]
        assert len(refused) == 3
        assert (await there.get("/auth/sessions", **JSON)).status_code == 200
        # What somebody allowed they end as easily, and where they are themselves they sign out.
        assert await ended(here, allowed["id"]) == 204
        await here.sign_in(code)
        (own,) = [one["id"] for one in (await seen(here))["browsers"] if one["this_one"]]
        for id_ in (other, session["id"]):
            assert await ended(here, id_) == 204
        assert (await there.get("/auth/sessions", **JSON)).status_code == 401
        with later(town):
            assert await ended(here, own) == 204


async def test_an_opening_is_ended_by_whoever_made_it_however_long_ago_they_signed_in(
    town: City, aoi: str
) -> None:
    rescuer = await town.role(await town.practitioner(), await town.organization())
    await town.policy(rescuer, "BTG")
    browser = Browser(town)
    await browser.sign_in(await handed(town, rescuer, "TREAT"))
    wanted = {"csrf": await browser.csrf(), "purpose": "TREAT"}
    own = (await browser.post("/auth/login/token", wanted)).json()["access_token"]
    opening = (await opens(town, own, aoi)).json()["access_token"]
    with later(town):
        (session,) = [one for one in (await seen(browser))["sessions"] if one.get("emergency")]
        assert await ended(browser, session["id"]) == 204
        assert (await town.call(opening, "GET", f"/fhir/{aoi}")).status_code == 401


async def test_a_wrong_code_does_not_tell_who_needs_a_second_factor(running: Town, town: City) -> None:
    with as_in_production(running, "practitioner"):
        wrong = {"login": "nobody-here", "code": "XXXXX-XXXXX-XXXXX-XXXXX", "purpose": "TREAT"}
        answer = await town.http.post("/auth/sign-in", json=wrong)
    assert answer.status_code == 401
    assert "insufficient" not in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("amr", "acr", "two"),
    [
        ((), None, False),
        (("pwd",), None, False),
        (("pwd", "kba"), None, False),
        (("hwk", "otp"), None, False),
        (("pwd", "otp"), None, True),
        (("hwk", "fpt"), None, True),
        (("mfa",), None, True),
        (("user", "unheard-of"), "urn:unheard-of", False),
        ((), TWO_FACTORS, True),
        (("pwd",), "phrh", True),
    ],
)
def test_a_provider_says_two_factors_by_kinds_and_not_by_number(
    amr: tuple[str, ...], acr: str | None, two: bool
) -> None:
    assert two_by(amr, acr) is two


async def test_a_person_of_the_city_gets_a_token_for_the_command_line(running: Town, town: City) -> None:
    code = await handed(town, "operator", "HOPERAT")
    browser = Browser(town)
    await browser.sign_in(code)
    operator = Person(browser)
    with as_in_production(running, "operator"):
        await operator.registers()
        await signs_in(browser, operator.device)
        csrf = hidden((await browser.get("/auth/login")).text, "csrf")
        page = await browser.post(
            "/auth/login/token", {"csrf": csrf, "purpose": "HOPERAT"}, Accept="text/html"
        )
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        (token,) = re.findall(r"<code>([\w-]{43})</code>", page.text)
        assert (await town.call(token, "GET", "/auth/clients")).status_code == 200
        await browser.post("/auth/logout", {"csrf": csrf})
        assert (await town.call(token, "GET", "/auth/clients")).status_code == 401
    resident = Browser(town)
    await resident.sign_in(await handed(town, await town.resident(), "PATRQT"))
    assert "/auth/login/token" not in (await resident.get("/auth/login")).text
