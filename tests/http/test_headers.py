"""The headers of every answer: what is personal is kept by nobody, and nothing is framed, sniffed or told on.

https://owasp.org/www-project-secure-headers/
https://www.w3.org/TR/CSP3/
"""

import re
from typing import Final

import pytest
from httpx import Response

from tests.attacks.routes import ROUTES
from tests.http.apps import Browser, signed_in
from tests.http.identity_town import City
from tests.unit.house.source import ROOT

pytestmark = pytest.mark.anyio

# What everybody may have: keys, statements of what the server can do, and files that are named by their content.
FOR_EVERYBODY: Final = frozenset(
    {
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/device-ca.pem",
        "/fhir/.well-known/smart-configuration",
    }
)
PAGES: Final = (
    "/sign-in",
    "/recover",
    "/home",
    "/home/sessions",
    "/home/devices",
    "/home/passkeys",
    "/home/token",
    "/device",
)


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
async def aoi(town: City) -> str:
    return await town.resident()


@pytest.fixture
async def browser(town: City, aoi: str) -> Browser:
    return await signed_in(town, aoi)


def policy_of(answer: Response) -> dict[str, str]:
    """What a page may do, by directive."""
    listed = answer.headers["content-security-policy"].split(";")
    return dict(each.strip().partition(" ")[::2] for each in listed)


def address(template: str) -> str:
    """An address of this form that leads nowhere."""
    return re.sub(r"\{[^}]*\}", "00000000-0000-4000-8000-000000000000", template)


async def test_every_answer_is_kept_by_nobody_and_says_what_it_is(town: City, aoi: str) -> None:
    lacking: list[tuple[str, str, str]] = []
    token = await town.token(aoi, "PATRQT")
    for method, path in ROUTES:
        if method == "MOUNT":
            continue
        for who in (None, token):
            answer = await town.call(who, method, address(path))
            wanted = {
                "x-content-type-options": "nosniff",
                "cross-origin-resource-policy": "same-origin",
                **({} if path in FOR_EVERYBODY else {"cache-control": "no-store"}),
            }
            lacking += [
                (method, path, name) for name, value in wanted.items() if answer.headers.get(name) != value
            ]
            policy = policy_of(answer)
            closed = policy["frame-ancestors"] == policy["base-uri"] == policy["default-src"] == "'none'"
            lacking += [] if closed else [(method, path, "content-security-policy")]
    assert lacking == []


def test_what_others_may_keep_is_said_where_everybody_may_have_it() -> None:
    kept = {
        path.stem
        for path in (ROOT / "passport").rglob("*.py")
        if re.search(r'"Cache-Control": f?"(?!no-store)', path.read_text("utf-8"))
    }
    assert kept == {"devices", "receipts", "token_state"}


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_loads_and_asks_nobody_else(town: City, path: str) -> None:
    answer = await town.http.get(path)
    assert answer.status_code == 200
    assert policy_of(answer) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "publickey-credentials-get=(self)" in answer.headers["permissions-policy"]
    assert "camera=()" in answer.headers["permissions-policy"]


async def test_a_page_is_the_same_for_everybody(town: City, browser: Browser) -> None:
    assert (await browser.get("/home")).text == (await town.http.get("/home")).text


async def test_a_file_that_is_named_by_its_content_is_kept_for_good(town: City) -> None:
    page = (await town.http.get("/home")).text
    names = re.findall(r"(?:src|href)=(/assets/[^ >]+)", page)
    assert len(names) == 2
    for name in names:
        answer = await town.http.get(name)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        plain = await town.http.get(name, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content
    for name in ("/assets/manifest.json", "/assets/.built-from", "/assets/..%2f__init__.py"):
        assert (await town.http.get(name)).status_code == 404


async def test_the_page_of_the_interface_runs_its_own_script_alone(town: City) -> None:
    policy = policy_of(await town.http.get("/docs"))
    assert re.fullmatch(r"'self' 'sha256-[A-Za-z0-9+/]{43}='", policy["script-src"])
    assert policy["connect-src"] == "'self'"


@pytest.mark.parametrize("path", ["/nowhere", "/home/nowhere", "/auth/nowhere"])
async def test_a_browser_that_is_lost_is_told_in_both_languages(town: City, path: str) -> None:
    answer = await town.http.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-store"
    for said in ("このページはありません", "There is no such page"):
        assert said in answer.text
    assert path not in answer.text
    for method, accept in (("GET", "*/*"), ("GET", "application/json"), ("POST", "text/html")):
        asked = await town.http.request(method, path, headers={"Accept": accept})
        assert asked.json()["resourceType"] == "OperationOutcome"
    below = await town.http.get("/fhir/Nothing/x/y/z", headers={"Accept": "text/html"})
    assert "json" in below.headers["content-type"]
