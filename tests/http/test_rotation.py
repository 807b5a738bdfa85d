"""Signing keys turn over while apps are served: each ID token verifies by what was published before it was signed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from passport.keys import KeyRing
from passport.rotation import reread
from tests.databases import Database
from tests.http.apps import app, signed_in
from tests.http.identity_town import City
from tests.town import Town, served

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def place(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with served(module_database, tmp_path_factory.mktemp("installation")) as town:
        yield town


async def test_every_token_verifies_by_what_was_published_before(place: Town) -> None:
    town = City(place.runtime, place.http, place.database, place.clock)
    subject = await town.organization()
    phone = await app(town, subject)
    by_curve = await app(town, subject, id_token_signed_response_alg="ES256")
    browser = await signed_in(town, await town.resident())
    path: Path = place.runtime.settings.key_file
    refresh = (await phone.redeem(await phone.code(browser))).json()["refresh_token"]
    kids, published = [], await town.http.get("/.well-known/jwks.json")
    for step in (None, KeyRing.with_another_key, KeyRing.with_the_next_key, None):
        known = KeySet.import_key_set(published.json())
        if step is not None:
            step(path)
            place.app.state.runtime = reread(place.app.state.runtime)
        codes = [(one, await one.code(browser)) for one in (phone, phone, by_curve, by_curve)]
        bodies = [
            answer.json() for answer in await asyncio.gather(*(one.redeem(code) for one, code in codes))
        ]
        bodies.append((await phone.refresh(refresh)).json())
        refresh = bodies[-1]["refresh_token"]
        tokens = [jwt.decode(body["id_token"], known, algorithms=["RS256", "ES256"]) for body in bodies]
        kids.append({str(token.header["kid"]) for token in tokens})
        published = await town.http.get("/.well-known/jwks.json")
    # One for each kind of key, by which the apps want their ID tokens signed.
    assert [len(each) for each in kids] == [2, 2, 2, 2]
    assert kids[0] == kids[1] != kids[2] == kids[3]
    assert {key["kid"] for key in published.json()["keys"]} == kids[0] | kids[2]


def test_another_installations_secrets_are_never_taken_over(place: Town) -> None:
    runtime, path = place.app.state.runtime, place.runtime.settings.key_file
    kept = path.read_bytes()
    try:
        path.unlink()
        KeyRing.generate().save(path)
        assert reread(runtime) is runtime
        path.write_bytes(b"broken")
        assert reread(runtime) is runtime
    finally:
        path.write_bytes(kept)
    assert reread(runtime) is runtime
