"""Registering clients: what an operator may say of one, by the rules of its profile."""

from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from tests.http.identity_town import City
from tests.unit.passport.identity.assertions import eddsa, es256, es384, rs384

pytestmark = pytest.mark.anyio

REDIRECT = "https://app.example.jp/callback"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def hospital(town: City) -> str:
    return await town.organization()


async def registered(town: City, hospital: str, client_id: str = "", **members: Any) -> Response:
    body = {"name": "見本アプリ（架空）", "subject": hospital, "purposes": ["PATRQT"], **members}
    sent = {name: value for name, value in body.items() if value is not None}
    return await town.registered(client_id or f"c-{uuid4().hex}", sent)


async def test_an_app_without_a_key_is_registered_with_its_addresses(town: City, hospital: str) -> None:
    answer = await registered(town, hospital, redirect_uris=[REDIRECT], token_endpoint_auth_method="none")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["profile"], body["state"], body["active"]) == ("smart", "active", True)
    assert body["grant_types"] == ["authorization_code", "refresh_token"]
    assert body["redirect_uris"] == [REDIRECT]
    assert {"patient/*.cruds", "user/*.cruds", "openid"} < set(body["scopes"])


@pytest.mark.parametrize("make", [es256, eddsa, rs384])
async def test_a_client_of_the_strict_profile_signs_by_other_kinds_of_keys(
    town: City, hospital: str, make: Any
) -> None:
    members: dict[str, Any] = {
        "profile": "fapi2",
        "redirect_uris": [REDIRECT],
        "jwks": {"keys": [make().jwk]},
    }
    assert (await registered(town, hospital, **members)).status_code == 200


@pytest.mark.parametrize(
    "members",
    [
        {"profile": "fapi1", "jwks": {"keys": [es256().jwk]}},
        {"profile": ["smart"], "jwks": {"keys": [es256().jwk]}},
        {"profile": "fapi2", "jwks": {"keys": [es384().jwk]}},
        {"profile": "fapi2", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"},
        {"profile": "fapi2", "redirect_uris": ["http://127.0.0.1/cb"], "jwks": {"keys": [es256().jwk]}},
        {"profile": "fapi2", "grant_types": [DEVICE], "jwks": {"keys": [es256().jwk]}},
        {"redirect_uris": ["https://*.example.jp/cb"], "token_endpoint_auth_method": "none"},
        {"redirect_uris": [REDIRECT], "grant_types": ["client_credentials"], "jwks": {"keys": [es384().jwk]}},
        {"grant_types": ["authorization_code"], "jwks": {"keys": [es384().jwk]}},
        {"grant_types": ["refresh_token"], "jwks": {"keys": [es384().jwk]}},
        {"grant_types": ["password"], "jwks": {"keys": [es384().jwk]}},
        {"grant_types": ["implicit"], "jwks": {"keys": [es384().jwk]}},
        {"grant_types": [], "jwks": {"keys": [es384().jwk]}},
        {"grant_types": [{}], "jwks": {"keys": [es384().jwk]}},
        {"grant_types": [EXCHANGE], "token_endpoint_auth_method": "none"},
        {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "client_secret_basic", "redirect_uris": [REDIRECT]},
        {
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
            "jwks": {"keys": [es384().jwk]},
        },
        {"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none", "introspects": True},
        {"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none", "scopes": ["system/*.rs"]},
        {
            "redirect_uris": [REDIRECT],
            "token_endpoint_auth_method": "none",
            "scopes": ["patient/Observation.rs?date=ge2026-01-01"],
        },
        {"jwks": {"keys": [es384().jwk]}, "introspects": "yes"},
        {"jwks": {"keys": [es384().jwk]}, "id_token_signed_response_alg": "PS256"},
        {"jwks": {"keys": [es384().jwk]}, "id_token_signed_response_alg": "none"},
        {"jwks": {"keys": [es384().jwk]}, "id_token_signed_response_alg": ["RS256"]},
        {"profile": "fapi2", "jwks": {"keys": [es256().jwk]}, "id_token_signed_response_alg": "RS256"},
    ],
)
async def test_what_breaks_the_rules_of_a_profile_is_refused(
    town: City, hospital: str, members: dict[str, Any]
) -> None:
    answer = await registered(town, hospital, **members)
    assert answer.status_code == 400, answer.text


async def test_a_scope_that_is_refused_is_told_by_the_member_that_it_stands_in(
    town: City, hospital: str
) -> None:
    public: dict[str, Any] = {"redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"}
    answer = await registered(town, hospital, **public, scopes=["patient/Foo.rs"])
    assert answer.status_code == 400, answer.text
    (issue,) = answer.json()["issue"]
    assert issue["expression"] == ["scopes"]
    assert "patient/Foo.rs" in issue["diagnostics"]


async def test_a_client_keeps_its_profile(town: City, hospital: str) -> None:
    members: dict[str, Any] = {"redirect_uris": [REDIRECT], "jwks": {"keys": [es256().jwk]}}
    assert (await registered(town, hospital, "settled", **members)).status_code == 200
    answer = await registered(town, hospital, "settled", profile="fapi2", **members)
    assert answer.status_code == 409
