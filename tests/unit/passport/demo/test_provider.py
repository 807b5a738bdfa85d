"""The mock provider does what a provider does, says what it is, and is no part of a service."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import grimp
import pytest
from httpx import ASGITransport, AsyncClient
from joserfc import jwt
from joserfc.jwk import ECKey

from passport.demo.provider.app import provider
from passport.demo.provider.keeping import ASSERTION_TYPE, Client, Mock
from passport.identity.federation.providers import provider_of
from passport.outcomes import Invalid

ISSUER: Final = "http://127.0.0.1:9"
REDIRECT: Final = "https://passport.example.jp/back"
VERIFIER: Final = "v" * 43
NOW: Final = 1_800_000_000


@pytest.fixture
def key() -> ECKey:
    return ECKey.generate_key("P-256")


@pytest.fixture
async def there(key: ECKey) -> AsyncIterator[AsyncClient]:
    client = Client("passport", REDIRECT, key.as_dict(private=False))
    mock = Mock(ISSUER, clients={"passport": client}, clock=lambda: NOW)
    async with AsyncClient(transport=ASGITransport(provider(mock)), base_url=ISSUER) as http:
        yield http


def asked(**changes: str) -> dict[str, str]:
    challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    return {
        "response_type": "code",
        "client_id": "passport",
        "redirect_uri": REDIRECT,
        "scope": "openid name",
        "state": "s",
        "nonce": "n",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **changes,
    }


async def redeemed(there: AsyncClient, key: ECKey, code: str, jti: str, **changes: str) -> Any:
    claims = {"iss": "passport", "sub": "passport", "aud": f"{ISSUER}/token", "exp": NOW + 60, "jti": jti}
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        "client_id": "passport",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": jwt.encode({"alg": "ES256"}, claims, key),
        **changes,
    }
    return await there.post("/token", data=fields)


async def code_of(there: AsyncClient, **changes: str) -> str:
    answer = await there.get("/authorize", params=asked(person="hanako", **changes))
    assert answer.status_code == 303
    told = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (told["state"], told["iss"]) == (["s"], [ISSUER])
    return told["code"][0]


async def test_its_page_says_that_it_is_a_mock_and_its_people_are_made_up(there: AsyncClient) -> None:
    page = await there.get("/authorize", params=asked())
    assert "mock sign-in" in page.text
    assert page.text.count("（架空）") == 3
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"redirect_uri": f"{REDIRECT}/"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"nonce": ""},
        {"state": ""},
        {"scope": "name"},
    ],
)
async def test_a_request_that_lacks_something_is_refused(there: AsyncClient, changes: dict[str, str]) -> None:
    assert (await there.get("/authorize", params=asked(**changes))).status_code == 400


async def test_a_code_is_good_once_with_its_verifier_and_a_fresh_assertion(
    there: AsyncClient, key: ECKey
) -> None:
    code = await code_of(there)
    answer = await redeemed(there, key, code, "1")
    assert answer.status_code == 200
    (published,) = (await there.get("/jwks")).json()["keys"]
    claims = jwt.decode(answer.json()["id_token"], ECKey.import_key(published)).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, "passport", "n")
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    told = (await there.get("/userinfo", headers=bearer)).json()
    assert told == {"sub": claims["sub"], "name": "見本 花子（架空）"}
    assert (await redeemed(there, key, code, "2")).json() == {"error": "invalid_grant"}
    assert (await redeemed(there, key, await code_of(there), "1")).json() == {"error": "invalid_client"}
    wrong = await redeemed(there, key, await code_of(there), "3", code_verifier="w" * 43)
    assert wrong.json() == {"error": "invalid_grant"}
    other = await redeemed(there, ECKey.generate_key("P-256"), await code_of(there), "4")
    assert other.json() == {"error": "invalid_client"}
    assert (await there.get("/userinfo")).status_code == 401


def test_no_process_that_serves_holds_it() -> None:
    graph = grimp.build_graph("passport", "workers", cache_dir=None)
    for entry in ("passport.serving", "passport.main", "workers"):
        chain = graph.find_shortest_chain(importer=entry, imported="passport.demo.provider.app")
        assert chain is None


def test_a_production_passport_takes_no_provider_by_plain_http() -> None:
    tree = {
        "name": "x",
        "profile": "digital-agency",
        "issuer": ISSUER,
        "client_id": "x",
        "key_file": "x.pem",
    }
    assert provider_of("mock", tree, loopback=True).issuer == ISSUER
    with pytest.raises(Invalid):
        provider_of("mock", tree, loopback=False)
