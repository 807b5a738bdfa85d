"""Attacks on the authorization server: who is registered, whose code it is, and whose answer is whose.

https://www.rfc-editor.org/rfc/rfc9700
"""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response

from tests.attacks.work import Work, work_of
from tests.http.apps import JSON, OWN_PAGE, REDIRECT, App, Browser, answer_of, app, handed, signed_in
from tests.http.identity_town import BASE_URL, City
from tests.town import Town
from tests.unit.passport.identity.assertions import Signer, encoded, es256, es384, hmac_with

pytestmark = pytest.mark.anyio

WARMING = 3
LATER = timedelta(minutes=3)

Asking = Callable[[], Awaitable[Response]]


@pytest.fixture
def city(town: Town) -> City:
    return City(town.runtime, town.http, town.database, town.clock)


async def compared(town: Town, tmp_path: Path, *asking: Asking) -> list[Work]:
    """The work of each, once a process has done it before."""
    for _ in range(WARMING):
        for ask in asking:
            await ask()
    return [await work_of(town, ask, tmp_path / f"trace-{at}") for at, ask in enumerate(asking)]


def alike(works: list[Work]) -> bool:
    first = works[0]
    return all(
        (work.statements, work.cryptography, work.answer.status_code, work.answer.content)
        == (first.statements, first.cryptography, first.answer.status_code, first.answer.content)
        for work in works
    )


async def test_an_unknown_client_costs_and_gets_what_a_forged_one_does(
    town: Town, city: City, tmp_path: Path
) -> None:
    maker = await city.organization()
    known = await app(city, maker, es384(), redirect_uris=[], grant_types=["client_credentials"])
    forger, stranger = es384(), es384()
    assert known.signer is not None
    forged = Signer("ES384", forger.key, kid=known.signer.kid)

    def asking(client_id: str, signer: Signer) -> Asking:
        one = App(city, client_id, signer)
        return lambda: one.ask(grant_type="client_credentials", purpose_of_use="TREAT")

    works = await compared(
        town, tmp_path, asking(known.client_id, forged), asking("nobody-knows-me", stranger)
    )
    assert works[0].answer.status_code == 401
    assert alike(works)


async def test_an_unknown_app_costs_and_gets_what_one_with_a_key_does_without_it(
    town: Town, city: City, tmp_path: Path
) -> None:
    known = await app(city, await city.organization(), es384())

    def asking(client_id: str) -> Asking:
        one = App(city, client_id)
        return lambda: one.redeem("nonsense")

    works = await compared(town, tmp_path, asking(known.client_id), asking("nobody-knows-me"))
    assert works[0].answer.status_code == 401
    assert alike(works)


async def test_a_code_of_somebody_else_costs_and_gets_what_an_unknown_one_does(
    town: Town, city: City, tmp_path: Path
) -> None:
    maker = await city.organization()
    mine, other = await app(city, maker), await app(city, maker)
    code = await other.code(await signed_in(city, await city.resident()))
    works = await compared(town, tmp_path, lambda: mine.redeem(code), lambda: mine.redeem("A" * 43))
    assert works[0].answer.json()["error"] == "invalid_grant"
    assert alike(works)


async def test_a_token_of_somebody_else_costs_and_gets_what_an_unknown_one_does(
    town: Town, city: City, tmp_path: Path
) -> None:
    maker = await city.organization()
    mine, other = await app(city, maker, es384()), await app(city, maker)
    body = (await other.redeem(await other.code(await signed_in(city, await city.resident())))).json()

    def asking(path: str, token: str) -> Asking:
        return lambda: city.http.post(path, data={**mine.proof(), "token": token})

    for path in ("/auth/introspect", "/auth/revoke"):
        asked = [asking(path, token) for token in (body["access_token"], "A" * 43)]
        works = await compared(town, tmp_path, *asked)
        assert works[0].answer.status_code == 200
        assert alike(works)


async def test_an_unknown_login_costs_and_gets_what_a_wrong_code_does(
    town: Town, city: City, tmp_path: Path
) -> None:
    code = await handed(city, await city.resident(), "PATRQT")

    def asking(login: str) -> Asking:
        body = {"login": login, "code": "AAAAA-AAAAA-AAAAA-AAAAA"}
        return lambda: city.http.post("/auth/login", json=body, headers={**OWN_PAGE, **JSON})

    for ask in (asking(code["login"]), asking("nobody-knows-me")):
        await ask()
    town.clock.ahead += LATER
    try:
        works = [
            await work_of(town, ask, tmp_path / f"login-{at}")
            for at, ask in enumerate((asking(code["login"]), asking("nobody-knows-me")))
        ]
    finally:
        town.clock.ahead -= LATER
    assert works[0].answer.status_code == 401
    assert works[0].answer.content == works[1].answer.content
    assert len(works[0].statements) == len(works[1].statements)


async def test_an_answer_names_its_server_so_that_none_is_taken_for_another(city: City) -> None:
    """RFC 9207: whoever mixes two servers up finds out before a code is sent to the wrong one."""
    phone = await app(city, await city.organization())
    browser = await signed_in(city, await city.resident())
    allowed = answer_of((await phone.allowed(browser)).json()["redirect_to"])
    denied = answer_of((await phone.allowed(browser, decision="deny")).json()["redirect_to"])
    wrong = await browser.get(f"/auth/authorize?{phone.query(code_challenge=None)}", **JSON)
    issuer = (await city.http.get("/.well-known/oauth-authorization-server")).json()["issuer"]
    assert {allowed["iss"], denied["iss"], answer_of(wrong.headers["location"])["iss"]} == {issuer}


async def test_no_form_of_an_assertion_but_the_registered_keys_own_is_believed(city: City) -> None:
    mine = es256()
    strict = await app(
        city,
        await city.organization(),
        mine,
        profile="fapi2",
        redirect_uris=[],
        grant_types=["client_credentials"],
    )
    claims = mine.claims(strict.client_id, city.clock(), aud=BASE_URL)
    stranger = es256()
    parts = ({"alg": "none", "kid": mine.kid}, claims)
    unsigned = "".join(f"{encoded(json.dumps(part).encode())}." for part in parts)
    forged = [
        unsigned,
        hmac_with(mine.jwk, claims, mine.kid),
        Signer("ES256", stranger.key, kid=mine.kid).sign(claims),
        stranger.sign(claims, jwk=stranger.jwk),
        mine.sign(claims, jwk=mine.jwk),
        mine.sign(claims, jku="https://evil.example/keys"),
        mine.sign(claims, x5u="https://evil.example/keys"),
        mine.sign(claims, kid="../../dev/null"),
        mine.sign(claims, kid="' OR 1=1 --"),
        mine.sign(claims, alg="ES384"),
        mine.sign({**claims, "aud": f"{BASE_URL}/auth/token"}),
        mine.sign({**claims, "aud": [BASE_URL]}),
        mine.sign({**claims, "exp": claims["exp"] + 600}),
        mine.sign({**claims, "iss": "another"}),
    ]
    answers = []
    for text in forged:
        form = {
            "grant_type": "client_credentials",
            "purpose_of_use": "TREAT",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": text,
        }
        answers.append(await city.http.post("/auth/token", data=form))
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}


async def test_a_session_cookie_opens_no_record(city: City) -> None:
    browser = await signed_in(city, patient := await city.resident())
    for headers in ({}, {"Authorization": f"Bearer {browser.cookie.partition('=')[2]}"}):
        assert (await browser.get(f"/fhir/{patient}", **headers)).status_code == 401


@pytest.mark.parametrize("kind", ["access_token", "refresh_token", "id_token", "code"])
async def test_no_secret_passes_for_one_of_another_kind(city: City, kind: str) -> None:
    phone = await app(city, await city.organization())
    browser = await signed_in(city, patient := await city.resident())
    code = await phone.code(browser)
    body = {**(await phone.redeem(code)).json(), "code": await phone.code(browser)}
    text = body[kind]
    if kind != "access_token":
        assert (await city.call(text, "GET", f"/fhir/{patient}")).status_code == 401
    if kind != "refresh_token":
        assert (await phone.refresh(text)).json()["error"] == "invalid_grant"
    if kind != "code":
        assert (await phone.redeem(text)).json()["error"] == "invalid_grant"
    seen = (await Browser(city, f"passport-plain-http={text}").get("/auth/login", **JSON)).json()
    assert seen["signed_in"] is False


async def test_where_an_answer_goes_cannot_be_talked_over(city: City) -> None:
    phone = await app(city, await city.organization())
    browser = await signed_in(city, await city.resident())
    tricks = [
        f"{REDIRECT}%0d%0aLocation:https://evil.example",
        f"{REDIRECT}\\@evil.example",
        f"{REDIRECT}/../evil",
        "https://app.example.jp@evil.example/callback",
        "https://app.example.jp.evil.example/callback",
        "//evil.example",
        "javascript:alert(1)",
    ]
    for trick in tricks:
        for changes in ({"redirect_uri": trick}, {"redirect_uri": trick, "response_type": "token"}):
            answer = await browser.get(f"/auth/authorize?{phone.query(**changes)}", **JSON)
            assert (answer.status_code, "location" in answer.headers) == (400, False)
    for request in ("//evil.example", "https://evil.example", "x\r\nSet-Cookie: a=b"):
        form = {
            **(await handed(city, await city.resident(), "PATRQT")),
            "to": "authorize",
            "request": request,
        }
        answer = await city.http.post("/auth/login", data=form, headers={**OWN_PAGE, "Accept": "text/html"})
        browser.keep(answer)
        assert answer.status_code == 400 or answer.headers["location"].startswith("/auth/authorize?")
