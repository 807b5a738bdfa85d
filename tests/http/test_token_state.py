"""What a token is good for, taking it back, what the server says of itself, and clients that register themselves."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response

from passport.identity.authorization.registration import REGISTRATIONS_MAX
from tests.http.apps import REDIRECT, App, Browser, app, signed_in
from tests.http.identity_town import BASE_URL, City
from tests.unit.passport.identity.assertions import es384

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def server_app(town: City, maker: str) -> App:
    return await app(town, maker, es384())


@pytest.fixture(scope="module")
async def gatekeeper(town: City, maker: str) -> App:
    """A resource server that may ask about tokens of others."""
    return await app(
        town, maker, es384(), redirect_uris=[], grant_types=["client_credentials"], introspects=True
    )


@pytest.fixture(scope="module")
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture(scope="module")
async def browser(town: City, aoi: str) -> Browser:
    return await signed_in(town, aoi)


async def issued(one: App, browser: Browser) -> dict[str, Any]:
    body: dict[str, Any] = (await one.redeem(await one.code(browser))).json()
    return body


async def posted(one: App, path: str, token: str, **fields: str) -> Response:
    return await one.town.http.post(path, data={**one.proof(), "token": token, **fields})


async def told(one: App, token: str) -> dict[str, Any]:
    answer = await posted(one, "/auth/introspect", token)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


# Introspection


async def test_a_client_is_told_of_its_own_tokens(server_app: App, browser: Browser, aoi: str) -> None:
    body = await issued(server_app, browser)
    access = await told(server_app, body["access_token"])
    assert (access["active"], access["client_id"], access["iss"]) == (True, server_app.client_id, BASE_URL)
    assert access["scope"] == body["scope"]
    assert access["exp"] - access["iat"] == 300
    assert access["auth_time"] <= access["iat"]
    assert access["patient"] == aoi.partition("/")[2]
    assert access["purpose_of_use"] == "PATRQT"
    assert access["fhirUser"] == f"{BASE_URL}/fhir/{aoi}"
    signed = json.loads(urlsafe_b64decode(body["id_token"].split(".")[1] + "=="))
    assert [access[name] for name in ("iss", "sub", "fhirUser")] == [
        signed[name] for name in ("iss", "sub", "fhirUser")
    ]
    refresh = await told(server_app, body["refresh_token"])
    assert (refresh["active"], refresh["sub"]) == (True, access["sub"])


async def test_a_token_of_another_client_is_none_but_to_a_resource_server(
    town: City, maker: str, server_app: App, gatekeeper: App, browser: Browser
) -> None:
    other = await app(town, maker, es384())
    body = await issued(server_app, browser)
    assert await told(other, body["access_token"]) == {"active": False}
    assert await told(other, body["refresh_token"]) == {"active": False}
    assert (await told(gatekeeper, body["access_token"]))["active"]
    assert await told(gatekeeper, body["refresh_token"]) == {"active": False}


async def test_what_ended_and_what_is_no_token_look_the_same(
    town: City, server_app: App, browser: Browser
) -> None:
    body = await issued(server_app, browser)
    town.clock.ahead = timedelta(seconds=301)
    try:
        assert await told(server_app, body["access_token"]) == {"active": False}
    finally:
        town.clock.ahead = timedelta()
    assert await told(server_app, "nonsense") == {"active": False}


async def test_only_a_client_with_a_key_asks(town: City, maker: str, browser: Browser) -> None:
    phone = await app(town, maker)
    body = await issued(phone, browser)
    assert (await posted(phone, "/auth/introspect", body["access_token"])).json()[
        "error"
    ] == "unauthorized_client"
    bare = await town.http.post("/auth/introspect", data={"token": body["access_token"]})
    assert (bare.status_code, bare.json()["error"]) == (401, "invalid_client")


# Revocation


async def test_an_access_token_is_taken_back_by_itself(
    town: City, server_app: App, browser: Browser, aoi: str
) -> None:
    body = await issued(server_app, browser)
    assert (await posted(server_app, "/auth/revoke", body["access_token"])).status_code == 200
    assert (await town.call(body["access_token"], "GET", f"/fhir/{aoi}")).status_code == 401
    assert (await server_app.refresh(body["refresh_token"])).status_code == 200


async def test_a_refresh_token_is_taken_back_with_its_family(
    town: City, server_app: App, browser: Browser, aoi: str
) -> None:
    body = await issued(server_app, browser)
    assert (await posted(server_app, "/auth/revoke", body["refresh_token"])).status_code == 200
    assert (await town.call(body["access_token"], "GET", f"/fhir/{aoi}")).status_code == 401
    assert (await server_app.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"


async def test_tokens_of_others_and_unknown_ones_are_answered_alike_and_stay(
    town: City, maker: str, server_app: App, browser: Browser, aoi: str
) -> None:
    other = await app(town, maker, es384())
    body = await issued(server_app, browser)
    answers = [
        await posted(other, "/auth/revoke", text)
        for text in (body["access_token"], body["refresh_token"], "nonsense")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"{}")}
    assert (await town.call(body["access_token"], "GET", f"/fhir/{aoi}")).status_code == 200
    assert (await server_app.refresh(body["refresh_token"])).status_code == 200


async def test_asking_and_taking_back_are_audited(town: City, server_app: App, browser: Browser) -> None:
    body = await issued(server_app, browser)
    began = town.clock()
    await told(server_app, body["access_token"])
    await posted(server_app, "/auth/revoke", body["access_token"])
    await town.http.post("/auth/revoke", data={"token": "x", "client_id": "nobody"})
    (asked,) = town.audited("token-introspect", began)
    ended, refused = town.audited("token-revoke", began)
    assert asked["session_id"] == ended["session_id"] is not None
    assert (refused["outcome"], refused["detail"]) == ("refused", "invalid_client")


# Discovery


async def test_the_server_says_what_it_can_do(town: City) -> None:
    plain = (await town.http.get("/.well-known/oauth-authorization-server")).json()
    smart = (await town.http.get("/fhir/.well-known/smart-configuration")).json()
    assert plain == (await town.http.get("/.well-known/openid-configuration")).json()
    assert plain.items() <= smart.items()
    assert plain["issuer"] == BASE_URL
    assert plain["code_challenge_methods_supported"] == ["S256"]
    assert plain["response_types_supported"] == ["code"]
    assert {"launch-standalone", "permission-v1", "permission-v2"} < set(smart["capabilities"])
    assert "none" not in plain["token_endpoint_auth_signing_alg_values_supported"]
    assert plain["id_token_signing_alg_values_supported"] == ["ES256", "PS256", "RS256"]


async def test_every_endpoint_that_it_names_is_there(town: City) -> None:
    told = (await town.http.get("/.well-known/oauth-authorization-server")).json()
    smart = (await town.http.get("/fhir/.well-known/smart-configuration")).json()
    for name, address in {**told, **smart}.items():
        if name.endswith(("_endpoint", "_uri")):
            assert address.startswith(f"{BASE_URL}/")
            answers = [await town.http.request(verb, address) for verb in ("GET", "POST")]
            assert any(answer.status_code not in {404, 405} for answer in answers), name


async def test_what_smart_asks_a_configuration_for_is_there(town: City) -> None:
    smart = (await town.http.get("/fhir/.well-known/smart-configuration")).json()
    assert set(smart["capabilities"]) == {
        "launch-ehr",
        "launch-standalone",
        "authorize-post",
        "client-public",
        "client-confidential-asymmetric",
        "sso-openid-connect",
        "context-ehr-patient",
        "context-ehr-encounter",
        "context-standalone-patient",
        "permission-offline",
        "permission-patient",
        "permission-user",
        "permission-v1",
        "permission-v2",
    }
    assert {"authorization_code", "client_credentials"} < set(smart["grant_types_supported"])
    assert {"private_key_jwt", "none"} == set(smart["token_endpoint_auth_methods_supported"])
    assert {"RS384", "ES384"} < set(smart["token_endpoint_auth_signing_alg_values_supported"])
    assert smart["issuer"] == BASE_URL
    assert smart["jwks_uri"] == f"{BASE_URL}/.well-known/jwks.json"
    assert smart["management_endpoint"] == f"{BASE_URL}/home/sessions"


async def test_the_configuration_is_json_whatever_its_reader_accepts(town: City) -> None:
    plain = await town.http.get("/fhir/.well-known/smart-configuration")
    for accept in ("text/html", "application/fhir+xml", "image/png", "*/*"):
        answer = await town.http.get("/fhir/.well-known/smart-configuration", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.content == plain.content


async def test_each_scope_that_it_names_can_be_registered(town: City, maker: str) -> None:
    told = (await town.http.get("/fhir/.well-known/smart-configuration")).json()["scopes_supported"]
    body = {
        "name": "見本（架空）",
        "subject": maker,
        "purposes": ["TREAT"],
        "redirect_uris": [REDIRECT],
        "jwks": {"keys": [es384().jwk]},
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "scopes": told,
    }
    answer = await town.registered("of-everything", body)
    assert answer.status_code == 200, answer.text
    assert sorted(answer.json()["scopes"]) == sorted(told)


async def test_the_keys_are_bare_public_ones_with_names(town: City) -> None:
    keys = (await town.http.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["kty"] for key in keys} == {"EC", "RSA"}
    for key in keys:
        assert {"EC": {"kty", "kid", "crv", "x", "y"}, "RSA": {"kty", "kid", "n", "e"}}[
            key["kty"]
        ] <= key.keys()
        assert not {"d", "p", "q", "dp", "dq", "qi", "x5u", "k"} & key.keys()


# Registration


async def asked_to_register(town: City, **members: Any) -> Response:
    body = {
        "client_name": "新しいアプリ（架空）",
        "redirect_uris": [REDIRECT],
        "token_endpoint_auth_method": "none",
        "scope": "launch/patient patient/Observation.read",
        **members,
    }
    return await town.http.post("/auth/register", json=body)


async def test_a_client_that_registers_itself_waits_for_two_operators(
    town: City, maker: str, browser: Browser
) -> None:
    answer = await asked_to_register(town)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["state"], body["scope"]) == ("waiting", "launch/patient patient/Observation.rs")
    assert "client_secret" not in body
    client_id = body["client_id"]
    one = App(town, client_id)
    path = f"/auth/clients/{client_id}"
    query = one.query(scope="patient/Observation.rs")
    assert (await browser.get(f"/auth/authorize?{query}", Accept="application/json")).status_code == 400
    listed = (await town.call("operator", "GET", "/auth/clients")).json()["clients"]
    assert [each["client_id"] for each in listed if each["client_id"] == client_id] == [client_id]
    assert (await town.call("operator", "POST", f"{path}/approve")).status_code == 409
    proposed = {
        "name": body["client_name"],
        "subject": maker,
        "purposes": ["PATRQT"],
        "redirect_uris": body["redirect_uris"],
        "token_endpoint_auth_method": "none",
        "scopes": ["patient/Observation.rs"],
    }
    first, second = "operator/first", "operator/second"
    told = (await town.call(first, "PUT", path, json=proposed)).json()
    named = {"proposal": told["proposed"]["proposal"]}
    assert (told["state"], told["active"]) == ("waiting", False)
    assert (await browser.get(f"/auth/authorize?{query}", Accept="application/json")).status_code == 400
    assert (await town.call(first, "POST", f"{path}/approve", json=named)).status_code == 403
    assert (await town.call(second, "POST", f"{path}/approve", json=named)).json()["state"] == "active"
    assert (await town.call(second, "POST", f"{path}/approve", json=named)).status_code == 404
    town.clock.ahead = timedelta(seconds=1)
    try:
        assert (await one.redeem(await one.code(browser, query=query))).status_code == 200
    finally:
        town.clock.ahead = timedelta()


async def test_a_client_that_was_declined_stays_nobody(town: City) -> None:
    town.clock.ahead = timedelta(hours=2)
    try:
        client_id = (await asked_to_register(town)).json()["client_id"]
        path = f"/auth/clients/{client_id}"
        assert (await town.call("operator", "POST", f"{path}/decline")).json()["state"] == "ended"
        assert (await town.call("operator/second", "POST", f"{path}/approve")).status_code == 404
    finally:
        town.clock.ahead = timedelta()


async def test_only_operators_see_and_settle_clients(town: City, aoi: str, maker: str) -> None:
    for who in (aoi, maker, "auditor"):
        for address in ("/auth/clients", "/auth/clients/x"):
            assert (await town.call(who, "GET", address)).status_code == 403
        for verb in ("approve", "decline"):
            assert (await town.call(who, "POST", f"/auth/clients/x/{verb}")).status_code == 403
    assert (await town.call("operator", "GET", "/auth/clients?state=any")).status_code == 400


NOT_REGISTRABLE = [
    ({"redirect_uris": ["https://*.example.jp/cb"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["http://app.example.jp/cb"]}, "invalid_redirect_uri"),
    ({"client_name": ""}, "invalid_client_metadata"),
    ({"grant_types": ["password"]}, "invalid_client_metadata"),
    ({"token_endpoint_auth_method": "client_secret_basic"}, "invalid_client_metadata"),
    ({"jwks_uri": "https://app.example.jp/keys"}, "invalid_client_metadata"),
    ({"software_statement": "x"}, "invalid_client_metadata"),
    ({"scope": "system/*.rs"}, "invalid_client_metadata"),
    ({"scope": []}, "invalid_client_metadata"),
]


@pytest.mark.parametrize(
    ("day", "members", "error"), [(day, *case) for day, case in enumerate(NOT_REGISTRABLE, start=1)]
)
async def test_what_cannot_be_registered_is_refused(
    town: City, day: int, members: dict[str, Any], error: str
) -> None:
    # Each on a day of its own, so that no registration counts against the next.
    town.clock.ahead = timedelta(days=2 * day)
    try:
        answer = await asked_to_register(town, **members)
    finally:
        town.clock.ahead = timedelta()
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    described = answer.json()["error_description"]
    named = next(iter(members))
    assert named in described
    # What is not ASCII would come out as something else.
    assert "`http" not in described


async def test_who_registers_too_often_is_slowed_down_by_their_own_registrations(town: City) -> None:
    town.clock.ahead = timedelta(days=2_000)
    try:
        statuses = [(await asked_to_register(town)).status_code for _ in range(REGISTRATIONS_MAX + 1)]
    finally:
        town.clock.ahead = timedelta()
    assert statuses == [*[201] * REGISTRATIONS_MAX, 429]
