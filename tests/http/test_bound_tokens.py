"""Tokens that are bound to a key: by DPoP, and by a certificate that a trusted proxy tells of."""

import asyncio
from base64 import b64encode, urlsafe_b64decode
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from httpx import ASGITransport, AsyncClient, Response
from joserfc import jwt
from joserfc.jwk import KeySet
from starlette.types import Receive, Scope, Send

from passport.protocol import PEER
from tests.databases import Database
from tests.http.apps import App, Browser, app, signed_in
from tests.http.identity_town import BASE_URL, City
from tests.town import Town, served
from tests.unit.passport.identity.assertions import eddsa, es256, es384, rs384
from tests.unit.passport.identity.authorization.dpop import Prover, prover_of

pytestmark = pytest.mark.anyio

TOKEN = f"{BASE_URL}/auth/token"
FHIR = f"{BASE_URL}/fhir/Organization"


@pytest.fixture(scope="module")
async def place(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as town:
        yield town


@pytest.fixture(scope="module")
def town(place: Town) -> City:
    return City(place.runtime, place.http, place.database, place.clock)


@pytest.fixture(scope="module")
async def maker(town: City) -> str:
    return await town.organization("見本システム（架空）")


@pytest.fixture(scope="module")
async def phone(town: City, maker: str) -> App:
    return await app(town, maker)


@pytest.fixture(scope="module")
async def service(town: City, maker: str) -> App:
    return await app(
        town, maker, es256(), profile="fapi2", redirect_uris=[], grant_types=["client_credentials"]
    )


@pytest.fixture(scope="module")
async def browser(town: City) -> Browser:
    return await signed_in(town, await town.resident())


@pytest.fixture
async def prover(town: City) -> Prover:
    """A key with the nonce of these minutes."""
    return await ready(town, Prover())


async def ready(town: City, prover: Prover) -> Prover:
    headers = {"DPoP": prover.proof("POST", TOKEN, town.clock())}
    answer = await town.http.post("/auth/token", data={"grant_type": "x"}, headers=headers)
    assert answer.json()["error"] == "use_dpop_nonce"
    prover.nonce = answer.headers["dpop-nonce"]
    return prover


def proving(town: City, prover: Prover, **changes: Any) -> dict[str, str]:
    return {"DPoP": prover.proof("POST", TOKEN, town.clock(), **changes)}


async def asked(service: App, headers: dict[str, str] | None = None) -> Response:
    return await service.ask(headers, grant_type="client_credentials", purpose_of_use="TREAT")


async def read(
    town: City,
    token: str,
    prover: Prover | None,
    scheme: str = "DPoP",
    path: str = "/fhir/Organization",
    **changes: Any,
) -> Response:
    headers = {"Authorization": f"{scheme} {token}"}
    if prover is not None:
        headers["DPoP"] = prover.proof("GET", FHIR, town.clock(), token, **changes)
    return await town.http.get(path, headers=headers)


@pytest.mark.parametrize("make", [es256, es384, eddsa])
async def test_a_bound_token_is_good_with_proofs_of_its_key(town: City, service: App, make: Any) -> None:
    prover = await ready(town, prover_of(make()))
    answer = await asked(service, proving(town, prover))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["token_type"] == "DPoP"
    found = await read(town, body["access_token"], prover)
    assert found.status_code == 200
    assert found.headers["dpop-nonce"]
    (row,) = town.rows("SELECT confirmation FROM session ORDER BY issued_at DESC LIMIT 1")
    assert row["confirmation"] == urlsafe_b64decode(prover.thumbprint + "=")


async def test_a_bound_token_is_none_without_its_key(town: City, service: App, prover: Prover) -> None:
    token = (await asked(service, proving(town, prover))).json()["access_token"]
    thief = await ready(town, Prover())
    answers = [
        await read(town, token, None, "Bearer"),
        await read(town, token, None, "DPoP"),
        await read(town, token, thief),
        await read(town, token, prover, "Bearer"),
    ]
    assert [answer.status_code for answer in answers] == [401] * 4
    assert (await read(town, token, prover)).status_code == 200


async def test_a_guess_of_its_standing_does_not_open_a_bound_token(
    town: City, service: App, prover: Prover
) -> None:
    """Asked again and again the standing is guessed, and still read with the key."""
    token = (await asked(service, proving(town, prover))).json()["access_token"]
    for _ in range(3):
        assert (await read(town, token, prover)).status_code == 200
    assert (await read(town, token, None, "Bearer")).status_code == 401


async def test_a_token_without_a_key_is_none_with_one(town: City, maker: str, prover: Prover) -> None:
    token = await town.token(maker)
    assert (await read(town, token, prover)).status_code == 401
    assert (await read(town, token, None, "DPoP")).status_code == 401
    assert (await read(town, token, None, "Bearer")).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "POST"},
        {"htm": None},
        {"htu": f"{BASE_URL}/fhir/Patient"},
        {"htu": "https://other.example/fhir/Organization"},
        {"htu": FHIR.replace("http:", "https:")},
        {"htu": None},
        {"htu": 5},
        {"ath": None},
        {"ath": "x"},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 257},
        {"iat": None},
        {"iat": 0},
        {"iat": 2**33},
        {"iat": "now"},
    ],
)
async def test_a_proof_is_for_one_request(
    town: City, service: App, prover: Prover, changes: dict[str, Any]
) -> None:
    token = (await asked(service, proving(town, prover))).json()["access_token"]
    answer = await read(town, token, prover, **changes)
    assert answer.status_code == 401
    assert 'error="invalid_dpop_proof"' in answer.headers["www-authenticate"]
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_query_and_fragment_are_no_part_of_the_address(
    town: City, service: App, prover: Prover
) -> None:
    token = (await asked(service, proving(town, prover))).json()["access_token"]
    answer = await read(town, token, prover, path="/fhir/Organization?_count=1", htu=f"{FHIR}?_count=1#x")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": None},
        {"jwk": None},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {"kty": ["EC"], "crv": {}}},
        {"kid": "1"},
        {"jku": "https://evil.example/keys"},
        {"crit": ["exp"]},
        {"x5c": []},
    ],
)
async def test_a_header_that_holds_anything_else_is_none(
    town: City, service: App, prover: Prover, header: dict[str, Any]
) -> None:
    proof = prover.sign(prover.claims("POST", TOKEN, town.clock()), **header)
    answer = await asked(service, {"DPoP": proof})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_private_weak_and_foreign_keys_prove_nothing(town: City, service: App, prover: Prover) -> None:
    claims = prover.claims("POST", TOKEN, town.clock())
    private = {**prover.jwk, "d": "AAAA"}
    others = Prover().jwk
    rsa = Prover("PS256", rs384().key, prover.nonce)
    for proof in (
        prover.sign(claims, jwk=private),
        prover.sign(claims, jwk=others),
        rsa.sign(claims, jwk={**rsa.jwk, "n": "AQAB"}),
        "nonsense",
        "",
    ):
        assert (await asked(service, {"DPoP": proof})).json()["error"] == "invalid_dpop_proof"


async def test_a_proof_is_taken_once_by_twenty_at_one_instant(
    town: City, service: App, prover: Prover
) -> None:
    token = (await asked(service, proving(town, prover))).json()["access_token"]
    headers = {
        "Authorization": f"DPoP {token}",
        "DPoP": prover.proof("GET", FHIR, town.clock(), token),
    }
    answers = await asyncio.gather(*(town.http.get("/fhir/Organization", headers=headers) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 19]


async def test_a_nonce_ends_with_its_minutes_and_is_nobody_elses(
    town: City, service: App, prover: Prover
) -> None:
    assert (await asked(service, proving(town, prover))).status_code == 200
    town.clock.ahead = timedelta(minutes=5)
    try:
        answer = await asked(service, proving(town, prover))
        assert answer.json()["error"] == "use_dpop_nonce"
        assert answer.headers["dpop-nonce"] != prover.nonce
    finally:
        town.clock.ahead = timedelta()
    for nonce in ("x", "", None, 5):
        assert (await asked(service, proving(town, prover, nonce=nonce))).json()["error"] == "use_dpop_nonce"


async def test_an_app_without_a_key_of_its_own_refreshes_with_the_key_that_it_proved(
    town: City, phone: App, browser: Browser, prover: Prover
) -> None:
    first = (await phone.redeem(await phone.code(browser), proving(town, prover))).json()
    assert first["token_type"] == "DPoP"
    thief = await ready(town, Prover())
    second = (await phone.refresh(first["refresh_token"], proving(town, prover))).json()
    for headers in (None, proving(town, thief)):
        assert (await phone.refresh(second["refresh_token"], headers)).json()["error"] == "invalid_grant"


async def test_a_code_that_was_asked_for_by_a_key_is_for_that_key(
    town: City, phone: App, browser: Browser, prover: Prover
) -> None:
    query = phone.query(dpop_jkt=prover.thumbprint)
    code = await phone.code(browser, query=query)
    assert (await phone.redeem(code)).json()["error"] == "invalid_grant"
    code = await phone.code(browser, query=query)
    assert (await phone.redeem(code, proving(town, prover))).status_code == 200


@pytest.mark.parametrize("algorithm", [None, "PS256"])
async def test_the_strict_profile_goes_all_the_way(
    town: City, maker: str, browser: Browser, prover: Prover, algorithm: str | None
) -> None:
    strict = await app(town, maker, es256(), profile="fapi2", id_token_signed_response_alg=algorithm)
    par = {"DPoP": prover.proof("POST", f"{BASE_URL}/auth/par", town.clock())}
    sent = await town.http.post("/auth/par", data={**strict.request(), **strict.proof()}, headers=par)
    assert sent.status_code == 201, sent.text
    query = f"client_id={strict.client_id}&request_uri={sent.json()['request_uri']}"
    thief = await ready(town, Prover())
    code = await strict.code(browser, query=query)
    first = await strict.redeem(code, proving(town, prover))
    assert first.status_code == 200, first.text
    published = KeySet.import_key_set((await town.http.get("/.well-known/jwks.json")).json())
    signed = algorithm or "ES256"
    token = jwt.decode(first.json()["id_token"], published, algorithms=[signed])
    assert token.claims["aud"] == strict.client_id
    kept = first.json()["refresh_token"]
    for _ in range(2):
        again = (await strict.refresh(kept, proving(town, prover))).json()
        assert "refresh_token" not in again
    assert (await strict.refresh(kept)).json()["error"] == "invalid_dpop_proof"
    assert (await strict.refresh(kept, proving(town, thief))).status_code == 200
    sent = await town.http.post(
        "/auth/par",
        data={**strict.request(), **strict.proof()},
        headers={"DPoP": prover.proof("POST", f"{BASE_URL}/auth/par", town.clock())},
    )
    query = f"client_id={strict.client_id}&request_uri={sent.json()['request_uri']}"
    stolen = await strict.code(browser, query=query)
    assert (await strict.redeem(stolen, proving(town, thief))).json()["error"] == "invalid_grant"


async def test_an_emergency_opening_is_bound_to_the_key_of_its_opener(
    town: City, maker: str, prover: Prover
) -> None:
    patient = await town.resident()
    await town.policy(maker, "BTG")
    role = await town.role(await town.practitioner(), maker)
    phone = await app(town, maker, purposes=["ETREAT"])
    browser = await signed_in(town, role, "ETREAT")
    query = phone.query(scope="user/*.rs")
    code = await phone.code(browser, query=query, purpose="ETREAT")
    token = (await phone.redeem(code, proving(town, prover))).json()["access_token"]
    address = f"{BASE_URL}/auth/break-glass"
    headers = {
        "Authorization": f"DPoP {token}",
        "DPoP": prover.proof("POST", address, town.clock(), token),
    }
    body = {"patient": patient, "reason": "意識障害で救急搬送、既往と内服の確認"}
    answer = await town.http.post("/auth/break-glass", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    opened = answer.json()["access_token"]
    assert (await read(town, opened, None, "Bearer")).status_code == 401
    assert (await read(town, opened, prover)).status_code == 200


async def test_refused_proofs_are_audited(town: City, service: App, prover: Prover) -> None:
    began = town.clock()
    await asked(service, {"DPoP": "nonsense"})
    (row,) = town.audited("token", began)
    assert (row["outcome"], row["detail"], row["query"]) == ("refused", "invalid_dpop_proof", "DPoP")


async def test_proofs_are_kept_as_long_as_they_could_be_presented(place: Town, town: City) -> None:
    service = place.database.service_url

    with psycopg.connect(service, autocommit=True) as connection:
        before = town.rows("SELECT count(*) AS proofs FROM proof_seen")
        connection.execute("DELETE FROM proof_seen")
        assert town.rows("SELECT count(*) AS proofs FROM proof_seen") == before


# Certificates


def certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "見本システム（架空）")])
    began = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(began).not_valid_after(began + timedelta(days=1))
    return dated.sign(key, SHA256()).public_bytes(Encoding.DER)


def through(place: Town, peer: str) -> AsyncClient:
    """A caller whose connection comes from `peer`."""

    async def from_peer(scope: Scope, receive: Receive, send: Send) -> None:
        await place.app({**scope, PEER: peer}, receive, send)

    return AsyncClient(transport=ASGITransport(from_peer), base_url=BASE_URL)


async def test_a_token_is_bound_to_the_certificate_that_a_trusted_proxy_tells_of(
    place: Town, service: App
) -> None:
    before = place.runtime
    settings = replace(before.settings, trusted_proxies="10.0.0.7")
    place.app.state.runtime = replace(before, settings=settings)
    mine, other = ({"Client-Cert": f":{b64encode(certificate()).decode()}:"} for _ in range(2))
    form = {**service.proof(), "grant_type": "client_credentials", "purpose_of_use": "TREAT"}
    try:
        async with through(place, "10.0.0.7") as proxied, through(place, "10.0.0.8") as direct:
            refused = await direct.post("/auth/token", data=form, headers=mine)
            assert refused.json()["error"] == "invalid_dpop_proof"
            answer = await proxied.post("/auth/token", data={**form, **service.proof()}, headers=mine)
            assert answer.status_code == 200, answer.text
            assert answer.json()["token_type"] == "Bearer"
            token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            asked = [
                (proxied, {**token, **mine}),
                (proxied, {**token, **other}),
                (proxied, token),
                (direct, {**token, **mine}),
            ]
            statuses = [
                (await http.get("/fhir/Organization", headers=headers)).status_code for http, headers in asked
            ]
            assert statuses == [200, 401, 401, 401]
    finally:
        place.app.state.runtime = before
