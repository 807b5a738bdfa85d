"""Apps in browsers call what asks for a token from any origin, and nothing that a cookie opens."""

from collections.abc import AsyncIterator

import pytest

from tests.databases import Database
from tests.town import Town, served

pytestmark = pytest.mark.anyio

ORIGIN = {"Origin": "https://app.example.jp"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "dpop"}
TAKEN = [
    "/fhir",
    "/fhir/Patient/1",
    "/fhir/.well-known/smart-configuration",
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/auth/token",
    "/auth/revoke",
    "/auth/par",
]
OWN = [
    "/auth/login",
    "/auth/logout",
    "/auth/authorize",
    "/auth/authorize/decision",
    "/auth/device/decision",
    "/fhirs",
]


@pytest.fixture(scope="module")
async def town(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with served(module_database, tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.mark.parametrize("path", TAKEN)
async def test_what_asks_for_a_token_is_open_to_every_origin_alike(town: Town, path: str) -> None:
    before = await town.http.options(path, headers=PREFLIGHT)
    assert (before.status_code, before.headers["access-control-allow-origin"]) == (204, "*")
    assert "DPoP" in before.headers["access-control-allow-headers"]
    answer = await town.http.get(path, headers=ORIGIN)
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert {"DPoP-Nonce", "ETag", "Link", "Retry-After"} <= exposed
    for each in (before, answer):
        assert "access-control-allow-credentials" not in each.headers


@pytest.mark.parametrize("path", OWN)
async def test_what_a_cookie_opens_is_open_to_no_other_origin(town: Town, path: str) -> None:
    for answer in (
        await town.http.options(path, headers=PREFLIGHT),
        await town.http.get(path, headers=ORIGIN),
        await town.http.post(path, headers=ORIGIN, json={}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_who_names_no_origin_is_answered_as_before(town: Town) -> None:
    answer = await town.http.get("/fhir/metadata")
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert (await town.http.options("/fhir/metadata", headers=ORIGIN)).status_code == 405
