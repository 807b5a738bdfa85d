"""What was overheard or planted is used again, or weakened: codes, refresh tokens, proofs, challenges and sessions.

https://www.rfc-editor.org/rfc/rfc9700#section-4
"""

import asyncio
from typing import Any

import pytest
from httpx import Response

from passport.identity.authorization.id_tokens import signed
from tests.http.apps import JSON, App, Browser, answer_of, app, handed, signed_in
from tests.http.identity_town import BASE_URL, City
from tests.town import Town
from tests.unit.passport.identity.assertions import es256, es384
from tests.unit.passport.identity.authorization.dpop import Prover

pytestmark = pytest.mark.anyio

TIMES = 50
TOKEN = f"{BASE_URL}/auth/token"
FHIR = f"{BASE_URL}/fhir/Organization"
FHIR_PATH = "/fhir/Organization"


@pytest.fixture
def city(town: Town) -> City:
    return City(town.runtime, town.http, town.database, town.clock)


@pytest.fixture
async def maker(city: City) -> str:
    return await city.organization("見本アプリ工房（架空）")


@pytest.fixture
async def phone(city: City, maker: str) -> App:
    return await app(city, maker)


@pytest.fixture
async def aoi(city: City) -> str:
    return await city.resident()


@pytest.fixture
async def browser(city: City, aoi: str) -> Browser:
    return await signed_in(city, aoi)


def the_one(answers: list[Response], refused: int) -> dict[str, Any]:
    """What the only answer said that refused nothing."""
    assert sorted(answer.status_code for answer in answers) == [200, *[refused] * (TIMES - 1)]
    (won,) = (answer for answer in answers if answer.status_code == 200)
    body: dict[str, Any] = won.json()
    return body


async def reads(city: City, token: str, patient: str) -> int:
    return (await city.call(token, "GET", f"/fhir/{patient}")).status_code


# Replays


async def test_a_code_is_spent_once_by_fifty_at_one_instant_and_reuse_ends_what_it_began(
    city: City, browser: Browser, phone: App, aoi: str
) -> None:
    code = await phone.code(browser)
    won = the_one(await asyncio.gather(*(phone.redeem(code) for _ in range(TIMES))), 400)
    assert await reads(city, won["access_token"], aoi) == 401
    assert (await phone.refresh(won["refresh_token"])).json()["error"] == "invalid_grant"


async def test_a_code_that_comes_again_ends_what_was_refreshed_since(
    city: City, browser: Browser, phone: App, aoi: str
) -> None:
    code = await phone.code(browser)
    later = (await phone.refresh((await phone.redeem(code)).json()["refresh_token"])).json()
    assert await reads(city, later["access_token"], aoi) == 200
    assert (await phone.redeem(code)).json()["error"] == "invalid_grant"
    assert await reads(city, later["access_token"], aoi) == 401
    assert (await phone.refresh(later["refresh_token"])).json()["error"] == "invalid_grant"


async def test_fifty_uses_of_a_refresh_token_give_one_token_and_end_the_family(
    city: City, browser: Browser, phone: App, aoi: str
) -> None:
    first = (await phone.redeem(await phone.code(browser))).json()
    won = the_one(await asyncio.gather(*(phone.refresh(first["refresh_token"]) for _ in range(TIMES))), 400)
    for token in (first["access_token"], won["access_token"]):
        assert await reads(city, token, aoi) == 401
    assert (await phone.refresh(won["refresh_token"])).json()["error"] == "invalid_grant"


async def test_an_assertion_is_taken_once_by_fifty_at_one_instant(city: City, maker: str) -> None:
    service = await app(city, maker, es384(), redirect_uris=[], grant_types=["client_credentials"])
    form = {"grant_type": "client_credentials", "purpose_of_use": "TREAT", **service.proof()}
    posted = (city.http.post("/auth/token", data=form) for _ in range(TIMES))
    the_one(await asyncio.gather(*posted), 401)


@pytest.fixture
async def bound(city: City, maker: str) -> tuple[Prover, str]:
    """A key, and a token that is bound to it."""
    service = await app(
        city, maker, es256(), profile="fapi2", redirect_uris=[], grant_types=["client_credentials"]
    )
    prover = Prover()
    first = {"DPoP": prover.proof("POST", TOKEN, city.clock())}
    prover.nonce = (await city.http.post("/auth/token", data={}, headers=first)).headers["dpop-nonce"]
    proof = {"DPoP": prover.proof("POST", TOKEN, city.clock())}
    answer = await service.ask(proof, grant_type="client_credentials", purpose_of_use="TREAT")
    assert answer.status_code == 200, answer.text
    return prover, answer.json()["access_token"]


async def test_a_proof_is_taken_once_by_fifty_at_one_instant(city: City, bound: tuple[Prover, str]) -> None:
    prover, token = bound
    proof = prover.proof("GET", FHIR, city.clock(), token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    the_one(await asyncio.gather(*(city.http.get(FHIR_PATH, headers=headers) for _ in range(TIMES))), 401)


async def test_a_stolen_token_is_none_with_another_key_or_a_proof_of_another_request(
    city: City, bound: tuple[Prover, str]
) -> None:
    prover, token = bound
    thief, now = Prover(nonce=prover.nonce), city.clock()
    stolen = [
        thief.proof("GET", FHIR, now, token),
        thief.sign(thief.claims("GET", FHIR, now, token), jwk=prover.jwk),
        thief.sign(thief.claims("GET", FHIR, now, token), jwk=None, kid="x", jku="https://evil.example/keys"),
        thief.sign(thief.claims("GET", FHIR, now, token), alg="none"),
        prover.proof("POST", FHIR, now, token),
        prover.proof("GET", TOKEN, now, token),
        prover.proof("GET", FHIR, now, "another"),
        prover.proof("GET", FHIR, now),
    ]
    for proof in stolen:
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        assert (await city.http.get(FHIR_PATH, headers=headers)).status_code == 401
    for scheme in ("DPoP", "Bearer"):
        answer = await city.http.get(FHIR_PATH, headers={"Authorization": f"{scheme} {token}"})
        assert answer.status_code == 401


# PKCE downgrade


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": ""},
    ],
)
async def test_a_request_without_its_challenge_gets_no_code(
    browser: Browser, phone: App, changes: dict[str, Any]
) -> None:
    answer = await phone.allowed(browser, query=phone.query(**changes))
    told = answer_of(answer.headers["location"])
    assert (told["error"], "code" in told) == ("invalid_request", False)


@pytest.mark.parametrize("verifier", [None, "", "challenge"])
async def test_a_code_with_a_challenge_is_redeemed_by_its_verifier_alone(
    browser: Browser, phone: App, verifier: str | None
) -> None:
    given = phone.challenge if verifier == "challenge" else verifier
    for method in ("plain", "S256", None):
        answer = await phone.redeem(
            await phone.code(browser), code_verifier=given, code_challenge_method=method
        )
        assert (answer.status_code, "access_token" in answer.json()) == (400, False)


async def test_a_code_of_another_persons_request_is_of_no_use_to_an_app(
    city: City, phone: App, browser: Browser
) -> None:
    """A thief injects a stolen code into their own exchange with the same app: its verifier is another one."""
    mallory = App(city, phone.client_id)
    stolen = await phone.code(browser)
    assert (await mallory.redeem(stolen)).json()["error"] == "invalid_grant"
    assert (await phone.redeem(stolen)).json()["error"] == "invalid_grant"


# Tokens of another audience


async def test_a_token_is_asked_for_this_service_alone(browser: Browser, phone: App) -> None:
    for changes in (
        {"aud": "https://other.example/fhir"},
        {"aud": BASE_URL},
        {"aud": None},
        {"resource": "https://other.example/fhir"},
    ):
        answer = await phone.allowed(browser, query=phone.query(**changes))
        assert answer_of(answer.headers["location"])["error"] == "invalid_target"


async def test_what_was_signed_for_another_audience_opens_nothing_here(
    city: City, phone: App, aoi: str, maker: str
) -> None:
    """Not even what the passport signed itself: it believes no token by its content."""
    now = int(city.clock().timestamp())
    claims = {"iss": BASE_URL, "sub": aoi, "iat": now, "exp": now + 300, "scope": "patient/*.cruds"}
    for audience in (f"{BASE_URL}/fhir", BASE_URL, phone.client_id, "https://other.example/fhir"):
        for kind in ("JWT", "at+jwt"):
            token = signed(city.runtime, {**claims, "aud": audience}, kind)
            assert await reads(city, token, aoi) == 401
    other = await app(city, maker, es384(), redirect_uris=[], grant_types=["client_credentials"])
    for audience in ("https://other.example/token", f"{BASE_URL}/auth/revoke", f"{BASE_URL}/fhir"):
        other.audience = audience
        answer = await other.ask(grant_type="client_credentials", purpose_of_use="TREAT")
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


# Session fixation


async def told(browser: Browser) -> Any:
    return (await browser.get("/auth/login", **JSON)).json()


async def test_whoever_plants_a_session_is_not_signed_in_by_its_victim(city: City, aoi: str) -> None:
    mallory = await signed_in(city, await city.resident())
    for planted in (mallory.cookie, "passport-plain-http=" + "A" * 43, "passport-plain-http=x"):
        victim = Browser(city, planted)
        assert (await victim.sign_in(await handed(city, aoi, "PATRQT"))).status_code == 200
        assert victim.cookie != planted
        assert (await told(victim))["subject"] == aoi
        assert (await told(Browser(city, planted)))["signed_in"] is False


async def test_nobody_is_signed_in_as_somebody_else_from_a_foreign_page(city: City, browser: Browser) -> None:
    before = await told(browser)
    code = await handed(city, await city.resident(), "PATRQT")
    body = {"login": code["login"], "code": code["code"]}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    ):
        answer = await browser.post("/auth/login", body, **headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert await told(browser) == before
