"""Texts made to hurt, in every parameter beside the FHIR base: refused as the caller's fault, never a fault of ours.

https://owasp.org/www-community/attacks/Embedding_Null_Code
https://www.rfc-editor.org/rfc/rfc9449#section-4.3

What no database takes (a NUL, half a surrogate pair) has to be refused before it gets there, in whichever member of
whichever form or address it stands.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_from_bytes

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from httpx import Response

from tests.databases import Database
from tests.http.apps import FORM, JSON, OWN_PAGE, REDIRECT, App, Browser, app, signed_in
from tests.http.identity_town import BASE_URL, City
from tests.town import Town, served
from tests.unit.passport.identity.authorization.dpop import Prover

pytestmark = pytest.mark.anyio

TEXTS: Final = {
    "a NUL": b"\x00",
    "half a surrogate pair": b"\xed\xa0\x80",
    "lines": b"a\r\nX: 1",
    "an address without an end": b"http://[abc",
    "an address that is read as another": "http://a\u2100b/x".encode(),
    "Japanese": "見本（架空）".encode(),
    "a hundred kilobytes": b"a" * 100_000,
}
PARAMETERS: Final = (
    "client_id",
    "client_assertion",
    "client_assertion_type",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "scope",
    "purpose_of_use",
    "device_code",
    "subject_token",
    "token",
    "token_type_hint",
    "dpop_jkt",
    "launch",
    "state",
    "nonce",
    "max_age",
    "request_uri",
    "resource",
    "aud",
    "grant_type",
    "response_type",
    "code_challenge",
)
MEMBERS: Final = (
    "login",
    "code",
    "purpose",
    "scope",
    "scopes",
    "request",
    "to",
    "decision",
    "patient",
    "user_code",
    "credential",
    "name",
    "last",
    "lost",
    "take",
    "certificates",
    "challenge",
    "signature",
    "client_name",
    "redirect_uris",
    "jwks",
)
ASKED: Final = (
    "after",
    "state",
    "cursor",
    "to",
    "request",
    "code",
    "lang",
    "patient",
    "agent",
    "from",
    "provider",
)
GRANTS: Final = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
)
SENT_BY_CLIENTS: Final = ("/auth/token", "/auth/par", "/auth/device", "/auth/introspect", "/auth/revoke")
JSON_BODY: Final = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
async def place(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    state: Path = tmp_path_factory.mktemp("installation")
    async with served(module_database, state) as town:
        yield town


@pytest.fixture(scope="module")
def town(place: Town) -> City:
    return City(place.runtime, place.http, place.database, place.clock)


@pytest.fixture(scope="module")
async def phone(town: City) -> App:
    return await app(town, await town.organization("見本アプリ工房（架空）"))


@pytest.fixture(scope="module")
async def browser(town: City) -> Browser:
    return await signed_in(town, await town.resident())


@pytest.fixture(autouse=True)
def quiet(town: City) -> None:
    """Nobody failed before, so that nothing is refused for that alone."""
    town.rows("WITH gone AS (DELETE FROM sign_in_failure RETURNING caller) SELECT count(*) FROM gone")


def beside_fhir(place: Town) -> Iterator[tuple[str, str]]:
    """Every route that tests may call beside the FHIR base: its method, and the template of its address."""
    for context in iter_route_contexts(place.app.routes):
        route = context.route
        if isinstance(route, APIRoute) and not route.path.startswith("/fhir"):
            yield from ((method, route.path) for method in sorted(set(route.methods or ()) - {"HEAD"}))


def blamed(answer: Response, *what: object) -> None:
    """What hurts is the caller's fault, or means nothing."""
    assert answer.status_code < 500, (*what, answer.status_code, answer.text)


@pytest.mark.parametrize("text", TEXTS)
async def test_no_parameter_of_a_client_hurts(town: City, phone: App, text: str) -> None:
    for path in SENT_BY_CLIENTS:
        for grant in GRANTS if path == "/auth/token" else ("",):
            for name in PARAMETERS:
                fields = {
                    "client_id": phone.client_id,
                    "grant_type": grant,
                    "code": "x",
                    "refresh_token": "x",
                }
                fields |= {"redirect_uri": REDIRECT}
                others = "&".join(f"{key}={quote(value)}" for key, value in fields.items() if key != name)
                body = f"{others}&{name}={quote_from_bytes(TEXTS[text])}"
                answer = await town.http.post(path, content=body, headers=FORM)
                blamed(answer, path, grant, name)
                if b"\x00" in TEXTS[text]:
                    assert answer.status_code == 400, (path, grant, name)


@pytest.mark.parametrize("text", TEXTS)
async def test_no_parameter_of_an_authorization_hurts(
    browser: Browser, phone: App, text: str, csrf: str
) -> None:
    for name in PARAMETERS:
        query = f"{phone.query(**{name: None})}&{name}={quote_from_bytes(TEXTS[text][:16_000])}"
        blamed(await browser.get(f"/auth/authorize?{query}"), "GET", name)
        decision = {"csrf": csrf, "decision": "allow", "purpose": "PATRQT"}
        blamed(await browser.post("/auth/authorize/decision", {**decision, "request": query}), "POST", name)


@pytest.fixture(scope="module")
async def csrf(browser: Browser) -> str:
    return await browser.csrf()


@pytest.mark.parametrize("text", TEXTS)
async def test_no_address_hurts(place: Town, town: City, browser: Browser, text: str) -> None:
    hostile = quote_from_bytes(TEXTS[text][:8_000], safe="")
    callers = [
        {"Authorization": f"Bearer {await town.token('operator', 'HOPERAT')}"},
        {"Cookie": browser.cookie},
    ]
    for method, template in beside_fhir(place):
        if "{" not in template:
            continue
        path = "/".join(hostile if part.startswith("{") else part for part in template.split("/"))
        for headers in callers:
            sent = {**headers, **OWN_PAGE, **JSON_BODY}
            answer = await town.http.request(method, path, content=b"{}", headers=sent)
            blamed(answer, method, template)
            if b"\x00" in TEXTS[text]:
                assert answer.status_code == 400, (method, template)


@pytest.mark.parametrize("text", TEXTS)
async def test_no_query_hurts(place: Town, town: City, browser: Browser, text: str) -> None:
    hostile = quote_from_bytes(TEXTS[text][:3_000], safe="")
    query = "&".join(f"{name}={hostile}" for name in ASKED)
    token = {"Authorization": f"Bearer {await town.token('operator', 'HOPERAT')}", "Cookie": browser.cookie}
    for method, template in beside_fhir(place):
        if method == "GET" and "{" not in template and template != "/openapi.json":
            answer = await town.http.get(f"{template}?{query}", headers={**token, **JSON})
            blamed(answer, template)
            if b"\x00" in TEXTS[text]:
                assert answer.status_code == 400, template


@pytest.mark.parametrize("said", ["\\u0000", "\\ud800", "http://[abc"])
async def test_no_member_of_a_form_hurts(
    place: Town, town: City, browser: Browser, csrf: str, said: str
) -> None:
    headers = {"Cookie": browser.cookie, **OWN_PAGE, **JSON, **JSON_BODY}
    for method, template in beside_fhir(place):
        # Leaving would leave nobody to go on as.
        if method != "POST" or "{" in template or template == "/auth/logout":
            continue
        for name in MEMBERS if template.startswith("/auth/") else ("reason", "patient"):
            body = f'{{"csrf":"{csrf}","{name}":"{said}"}}'
            answer = await town.http.post(template, content=body.encode(), headers=headers)
            blamed(answer, template, name)


@pytest.mark.parametrize("text", TEXTS)
async def test_no_member_of_a_proof_hurts(town: City, text: str) -> None:
    prover = Prover()
    hostile = TEXTS[text].decode("utf-8", "surrogatepass" if text == "half a surrogate pair" else "replace")
    for name in ("htu", "htm", "jti", "nonce", "ath", "iat"):
        for method, path in (("GET", "/fhir/metadata"), ("POST", "/auth/token"), ("GET", "/healthz")):
            claims = prover.claims(method, f"{BASE_URL}{path}", town.clock(), **{name: hostile[:4_000]})
            answer = await town.http.request(method, path, headers={"DPoP": prover.sign(claims)})
            blamed(answer, name, path)
            assert answer.status_code in {400, 401}
