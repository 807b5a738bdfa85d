"""What somebody may try on the way to a provider and back, or as a provider: nobody is signed in by any of it."""

import json
from asyncio import gather
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from passport.identity.federation import meeting, registry
from tests.http.apps import JSON, OWN_PAGE, handed
from tests.http.identity_town import BASE_URL, City
from tests.http.provider import RESIDENTS, Elsewhere, Jar, Liar, liar, registered, serving
from tests.unit.passport.identity.assertions import encoded, hmac_with

pytestmark = pytest.mark.anyio

MY_NUMBER: Final = "123456789018"
"""Twelve digits with their check digit, given to nobody."""

Lie = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def mock(town: City) -> AsyncIterator[Liar]:
    with liar(town) as running:
        yield running


@pytest.fixture(scope="module")
async def portal(town: City, mock: Liar) -> Elsewhere:
    """A provider where midori is linked to a resident."""
    provider = await registered(town, mock, RESIDENTS)
    resident = await town.resident()
    answer = await provider.linked(Jar(town), await handed(town, resident, "PATRQT"), "midori")
    assert answer.json() == {"signed_in": True}
    return provider


@pytest.fixture(autouse=True)
def anew(town: City, mock: Liar) -> None:
    """Each test meets an honest provider, and failures of before are long ago."""
    mock.lies.clear()
    town.clock.ahead += timedelta(minutes=2)


def changed(address: str, **changes: str | None) -> str:
    """An address with some of its parameters changed, or left out."""
    parts = urlsplit(address)
    fields = {**dict(parse_qsl(parts.query)), **changes}
    query = urlencode({name: value for name, value in fields.items() if value is not None})
    return parts._replace(query=query).geturl()


def by(key: ECKey, kid: str | None, claims: dict[str, Any]) -> str:
    """An ID token that a key signed under some name."""
    return jwt.encode({"alg": "ES256", "kid": kid, "typ": "JWT"}, claims, key)


def with_member(name: str, value: str, said: dict[str, Any]) -> dict[str, Any]:
    return {**said, name: value}


async def refused(provider: Elsewhere, browser: Jar, address: str, reason: str) -> None:
    """The browser is signed in by nothing, is told one text, and the log says why."""
    answer = await provider.returned(browser, address, **JSON)
    assert answer.status_code == 403, answer.text
    assert "does not belong to a sign-in that began here" in answer.text
    assert not (await browser.get("/auth/login", **JSON)).json()["signed_in"]
    assert (await browser.get("/auth/federation/waiting", **JSON)).status_code == 401
    row = provider.town.audited("sign-in")[-1]
    assert (row["outcome"], row["detail"]) == ("refused", reason)


async def lied(provider: Elsewhere, reason: str, **lies: Callable[[Any], Any]) -> None:
    """A provider that lies like that signs nobody in."""
    provider.mock.lies |= lies
    browser = Jar(provider.town)
    await refused(provider, browser, await provider.chosen(browser, "midori"), reason)


async def test_an_answer_counts_at_the_browser_that_asked_alone(portal: Elsewhere) -> None:
    victim, attacker = Jar(portal.town), Jar(portal.town)
    address = await portal.chosen(attacker, "midori")
    await refused(portal, victim, address, "state")
    await portal.went(victim)
    await refused(portal, victim, address, "state")
    # It was not spent by the wrong browser.
    answer = await portal.returned(attacker, address, **JSON)
    assert answer.json() == {"signed_in": True}


async def test_another_sites_link_begins_no_sign_in(portal: Elsewhere) -> None:
    """A provider that knows somebody may ask nothing: they would be signed in by what they never wanted."""
    browser, path = Jar(portal.town), f"/auth/federation/{portal.provider_id}/start"
    sent = await browser.get(path, **{"Sec-Fetch-Site": "cross-site"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/auth/login")
    assert "set-cookie" not in sent.headers
    for site in ("same-origin", "none"):
        sent = await browser.get(path, **{"Sec-Fetch-Site": site})
        assert sent.headers["location"].startswith(portal.mock.issuer)


async def test_an_answer_counts_once(portal: Elsewhere) -> None:
    browser = Jar(portal.town)
    location, _ = await portal.went(browser)
    cookie = browser.cookie
    address = await portal.back_from(location, "midori")
    assert (await portal.returned(browser, address, **JSON)).json() == {"signed_in": True}
    again = Jar(portal.town, cookie)
    await refused(portal, again, address, "state")


async def test_of_many_answers_at_one_instant_one_counts(portal: Elsewhere) -> None:
    browser = Jar(portal.town)
    address = (await portal.chosen(browser, "midori")).removeprefix(BASE_URL)
    cookie = {"Cookie": browser.cookie, **JSON}
    answers = await gather(*(portal.town.http.get(address, headers=cookie) for _ in range(50)))
    assert [answer.status_code for answer in answers].count(200) == 1
    portal.town.http.cookies.clear()


async def test_a_code_of_another_sign_in_is_redeemed_by_nobody(portal: Elsewhere) -> None:
    """The verifier belongs to the state: an injected code fails at the provider already."""
    attacker, victim = Jar(portal.town), Jar(portal.town)
    stolen = dict(parse_qsl(urlsplit(await portal.chosen(attacker, "midori")).query))["code"]
    address = changed(await portal.chosen(victim, "hanako"), code=stolen)
    answer = await portal.returned(victim, address, **JSON)
    assert answer.status_code == 502
    assert not (await victim.get("/auth/login", **JSON)).json()["signed_in"]


async def test_an_answer_comes_within_ten_minutes(portal: Elsewhere) -> None:
    browser = Jar(portal.town)
    address = await portal.chosen(browser, "midori")
    portal.town.clock.ahead += timedelta(minutes=11)
    await refused(portal, browser, address, "state")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": None}, "state"),
        ({"state": "another"}, "state"),
        ({"iss": "https://other.example.jp"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"code": None}, "state"),
        ({"error": "server_error"}, "state"),
    ],
)
async def test_an_answer_is_whole_and_names_its_provider(
    portal: Elsewhere, changes: dict[str, str | None], reason: str
) -> None:
    browser = Jar(portal.town)
    address = await portal.chosen(browser, "midori")
    await refused(portal, browser, changed(address, **changes), reason)


async def test_what_stands_twice_in_an_answer_is_none(portal: Elsewhere) -> None:
    browser = Jar(portal.town)
    address = await portal.chosen(browser, "midori")
    await refused(portal, browser, f"{address}&state=another", "state")


async def test_an_answer_counts_at_the_address_of_its_own_provider(portal: Elsewhere, mock: Liar) -> None:
    other = await registered(portal.town, mock, RESIDENTS)
    browser = Jar(portal.town)
    address = (await portal.chosen(browser, "midori")).replace(portal.provider_id, other.provider_id)
    await refused(other, browser, address, "state")


async def test_who_gives_up_there_is_told_so_and_is_no_failure(portal: Elsewhere) -> None:
    browser = Jar(portal.town)
    answer = await portal.returned(browser, await portal.chosen(browser, "nobody"))
    assert answer.status_code == 403
    assert "given up at the provider" not in answer.text
    assert "本人確認を取りやめた" in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"iss": "https://other.example.jp"}, "issuer"),
        ({"aud": "another-client"}, "audience"),
        ({"aud": None}, "audience"),
        ({"azp": "another-client"}, "audience"),
        ({"exp": 1_000_000_000}, "time"),
        ({"exp": None}, "time"),
        ({"iat": 1_000_000_000}, "time"),
        ({"iat": 4_000_000_000}, "time"),
        ({"auth_time": 4_000_000_000}, "time"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "token-hash"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": MY_NUMBER}, "my-number"),
        ({"individual_number": "-"}, "my-number"),
        ({"address": {"マイナンバー": "-"}}, "my-number"),
    ],
)
async def test_an_id_token_that_says_otherwise_is_not_believed(
    portal: Elsewhere, claims: dict[str, Any], reason: str
) -> None:
    await lied(portal, reason, claims=lambda said: {**said, **claims})


async def test_an_id_token_for_others_as_well_is_not_believed(portal: Elsewhere) -> None:
    await lied(portal, "audience", claims=lambda said: {**said, "aud": [said["aud"], "another-client"]})


async def test_a_signature_by_none_or_by_what_is_public_is_none(portal: Elsewhere) -> None:
    def unsigned(claims: dict[str, Any]) -> str:
        head = encoded(json.dumps({"alg": "none", "typ": "JWT"}).encode())
        return f"{head}.{encoded(json.dumps(claims).encode())}."

    def by_public_key(claims: dict[str, Any]) -> str:
        key = portal.mock.key
        return hmac_with(key.as_dict(private=False), claims, key.kid or "")

    await lied(portal, "header", signed=unsigned)
    await lied(portal, "header", signed=by_public_key)


@pytest.mark.parametrize("brings", ["jwk", "jku", "x5u", "x5c", "crit"])
async def test_a_header_that_brings_its_key_along_is_refused(portal: Elsewhere, brings: str) -> None:
    own = ECKey.generate_key("P-256", auto_kid=True)
    brought: dict[str, Any] = {
        "jwk": own.as_dict(private=False),
        "jku": f"{portal.mock.issuer}/jwks",
        "x5u": f"{portal.mock.issuer}/chain",
        "x5c": ["MA=="],
        "crit": ["exp"],
    }

    def signed(claims: dict[str, Any]) -> str:
        text = jwt.encode({"alg": "ES256", "kid": own.kid, "typ": "JWT"}, claims, own)
        header = {"alg": "ES256", "kid": own.kid, "typ": "JWT", brings: brought[brings]}
        head = urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        return ".".join((head, *text.split(".")[1:]))

    await lied(portal, "header", signed=signed)


async def test_a_key_that_the_provider_does_not_publish_signs_nothing(portal: Elsewhere) -> None:
    own = ECKey.generate_key("P-256", auto_kid=True)
    genuine = portal.mock.key.kid
    for kid, reason in ((own.kid, "key"), (genuine, "signature"), (f"../{genuine}", "key")):
        await lied(portal, reason, signed=partial(by, own, kid))


async def test_unknown_keys_make_the_passport_ask_for_keys_once_in_a_while(portal: Elsewhere) -> None:
    own = ECKey.generate_key("P-256", auto_kid=True)
    before = portal.mock.keys_asked
    for _ in range(3):
        await lied(portal, "key", signed=partial(by, own, own.kid))
    assert portal.mock.keys_asked == before + 1


async def test_a_key_that_is_turned_over_is_found(portal: Elsewhere) -> None:
    portal.mock.key = ECKey.generate_key("P-256", auto_kid=True)
    assert (await portal.signed_in(Jar(portal.town), "midori")).json() == {"signed_in": True}


async def test_one_name_at_two_providers_is_two_people(portal: Elsewhere, mock: Liar) -> None:
    other = await registered(portal.town, mock, RESIDENTS)
    mock.lies["claims"] = lambda said: {**said, "sub": "the-same-name"}
    mock.lies["user_info"] = lambda said: {**said, "sub": "the-same-name"}
    resident = await portal.town.resident()
    await portal.linked(Jar(portal.town), await handed(portal.town, resident, "PATRQT"))
    assert (await portal.signed_in(Jar(portal.town))).json() == {"signed_in": True}
    assert (await other.signed_in(Jar(portal.town))).json() == {"signed_in": False}


async def test_a_provider_that_becomes_another_issuer_inherits_no_links(
    portal: Elsewhere, mock: Liar
) -> None:
    town = portal.town
    async with town.runtime.pool.connection() as connection:
        known = await registry.known(connection, portal.provider_id)
    before = meeting.sub_hash(town.runtime, known, "somebody")
    with liar(town) as another:
        answer = await town.call(
            "operator",
            "PUT",
            f"/auth/providers/{portal.provider_id}",
            json={
                "name": known.name,
                "profile": RESIDENTS,
                "issuer": another.issuer,
                "client_id": known.client_id,
                "key_file": known.key_file,
            },
        )
        assert answer.json()["state"] == "waiting"
    async with town.runtime.pool.connection() as connection:
        changed_to = await registry.known(connection, portal.provider_id)
    assert meeting.sub_hash(town.runtime, changed_to, "somebody") != before
    assert (await town.http.get(f"/auth/federation/{portal.provider_id}/start")).status_code == 404


async def test_user_info_about_somebody_else_signs_nobody_in(town: City, mock: Liar) -> None:
    provider = await registered(town, mock, RESIDENTS)
    await lied(provider, "user-info", user_info=lambda said: {**said, "sub": "somebody-else"})
    mock.lies.clear()
    await lied(provider, "my-number", user_info=lambda said: {**said, "my_number": MY_NUMBER})


async def test_a_way_that_began_before_the_provider_changed_leads_nowhere(town: City, mock: Liar) -> None:
    provider = await registered(town, mock, RESIDENTS)
    browser = Jar(town)
    address = await provider.chosen(browser, "midori")
    ended = await town.call("operator", "POST", f"/auth/providers/{provider.provider_id}/end")
    assert ended.status_code == 200
    assert (await provider.returned(browser, address, **JSON)).status_code == 404


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.jp",
        "https://127.0.0.1",
        "https://169.254.169.254/latest",
        "https://[::1]",
        "https://localhost",
        "https://login.example.jp#part",
        "https://login.example.jp?x=1",
        "https://user@login.example.jp",
        "https://login.example.jp\\@other.example.jp",
        "file:///etc/passwd",
        "",
    ],
)
async def test_no_provider_is_at_an_address_by_number_or_without_tls(town: City, issuer: str) -> None:
    body = {
        "name": "見本（架空）",
        "profile": RESIDENTS,
        "issuer": issuer,
        "client_id": "x",
        "key_file": "x.pem",
    }
    answer = await town.call("operator", "PUT", "/auth/providers/elsewhere", json=body)
    assert answer.status_code == 400
    assert "issuer" in answer.text


@pytest.mark.parametrize(
    "member", ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
)
async def test_a_document_leads_to_no_host_that_nobody_named(town: City, mock: Liar, member: str) -> None:
    for address in ("https://other.example.jp/x", "http://127.0.0.1:9/x", "http://169.254.169.254/x"):
        mock.lies["document"] = partial(with_member, member, address)
        with pytest.raises(AssertionError, match="at a host that nobody named"):
            await registered(town, mock, RESIDENTS)


async def test_a_redirection_a_flood_and_another_kind_are_no_document(town: City) -> None:
    said: dict[str, Response] = {}

    def made(address: str) -> Starlette:
        async def document(_: Request) -> Response:
            return said["document"]

        return Starlette(routes=[Route("/.well-known/openid-configuration", document)])

    with serving(made) as address:
        for answer in (
            RedirectResponse(f"{BASE_URL}/.well-known/openid-configuration", 302),
            Response(b" " * 200_000 + b"{}", media_type="application/json"),
            Response(b"{}", media_type="text/html"),
            JSONResponse({"issuer": address}, headers={"Content-Encoding": "gzip"}),
            Response(b'{"a":' * 50 + b"1" + b"}" * 50, media_type="application/json"),
        ):
            said["document"] = answer
            with pytest.raises(AssertionError, match="cannot be reached, or its answer cannot be used"):
                await registered(town, Liar(issuer=address), RESIDENTS)


@pytest.mark.parametrize("provider_id", ["%00", "x%00", "x" * 3_000, "%F0%9F%98%80"])
async def test_what_is_no_name_of_a_provider_is_none(town: City, provider_id: str) -> None:
    # A NUL is refused in every address, before anybody looks for what it names.
    status = 400 if "%00" in provider_id else 404
    for path in ("start", "back?state=x&code=y"):
        assert (await town.http.get(f"/auth/federation/{provider_id}/{path}")).status_code == status
    for verb in ("approve", "end"):
        answer = await town.call("operator", "POST", f"/auth/providers/{provider_id}/{verb}")
        assert answer.status_code == status
    assert (await town.call("operator", "PUT", f"/auth/providers/{provider_id}", json={})).status_code == 400


async def test_a_login_that_no_database_takes_is_refused(town: City, mock: Liar) -> None:
    browser = Jar(town)
    await (await registered(town, mock, RESIDENTS)).signed_in(browser)
    sent = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": browser.cookie, **OWN_PAGE, **JSON}
    for path in ("/auth/login", "/auth/federation/link", "/auth/federation/role"):
        answer = await town.http.post(path, content=b"login=%00&code=x", headers=sent)
        assert answer.status_code == 400, path


async def test_failures_to_come_back_are_limited_by_the_callers_own(portal: Elsewhere, mock: Liar) -> None:
    provider = await registered(portal.town, mock, RESIDENTS)
    browser = Jar(portal.town)
    path = f"/auth/federation/{provider.provider_id}/back?state=x&code=y"
    told = [(await browser.get(path, **JSON)).status_code for _ in range(12)]
    assert told == [403] * 10 + [429] * 2


async def test_a_provider_that_is_silent_is_asked_once_in_a_while_and_believed_for_a_day(
    town: City, mock: Liar
) -> None:
    provider = await registered(town, mock, RESIDENTS)
    path = f"/auth/federation/{provider.provider_id}/start"
    town.clock.ahead += timedelta(hours=2)
    mock.lies["document"] = lambda said: {**said, "issuer": "https://other.example.jp"}
    before = mock.document_asked
    assert [(await town.http.get(path)).status_code for _ in range(4)] == [303] * 4
    assert mock.document_asked == before + 1
    town.clock.ahead += timedelta(hours=23)
    assert [(await town.http.get(path)).status_code for _ in range(4)] == [502] * 4
    assert mock.document_asked == before + 2
    mock.lies.clear()
    town.clock.ahead += timedelta(minutes=1)
    assert (await town.http.get(path)).status_code == 303
    town.tokens.clear()
