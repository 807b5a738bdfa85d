"""A refused form is answered with a page: the same status and headers, what to do next, and nothing of the form."""

from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from httpx import Response

from passport.identity.attempts import FAILURES_MAX
from tests.http.apps import OWN_PAGE, Browser, app, handed, signed_in
from tests.http.identity_town import BASE_URL, City

pytestmark = pytest.mark.anyio

PAGE: Final = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
MARKER: Final = "<b>ada-4711</b>"
ELSEWHERE: Final = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}


@dataclass(frozen=True)
class Form:
    """A form that is refused: where it is sent, with what, and what a person reads of it in two languages."""

    path: str
    fields: dict[str, str]
    status: int
    ja: str
    en: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"


SIGNED_OUT: Final = ("もう一度サインインして", "Sign in once more")
STALE: Final = (f"{BASE_URL} で画面を開き直して", f"Open it anew at {BASE_URL}")
UNREAD: Final = ("入力を確かめて", "check what you enter")
GONE: Final = ("はじめからやり直して", "Please begin again")
BY_APP: Final = ("アプリからやり直して", "If an app sent you here")

ALLOWING: Final = {"request": MARKER, "csrf": MARKER, "decision": "allow", "purpose": "PATRQT"}
FORMS: Final = {
    "sent by another site": Form("/auth/login", {"login": MARKER, "code": "x"}, 403, *STALE, ELSEWHERE),
    "what is no text": Form("/auth/login", {"login": "\x00", "code": MARKER}, 400, *UNREAD),
    "too long": Form("/auth/login", {"login": MARKER * 2_000, "code": "x"}, 413, *UNREAD),
    "allowed by nobody": Form("/auth/authorize/decision", {**ALLOWING, "request": "a=b"}, 401, *SIGNED_OUT),
    "an address that is none": Form("/auth/authorize/decision", ALLOWING, 401, *SIGNED_OUT),
    "a device, by nobody": Form("/auth/device/asked", {"user_code": "ada-4711"}, 401, *SIGNED_OUT),
    "a device, decided by nobody": Form(
        "/auth/device/decision", {**ALLOWING, "request": "ada-4711"}, 401, *SIGNED_OUT
    ),
    "a token, by nobody": Form("/auth/login/token", {"csrf": MARKER, "purpose": MARKER}, 401, *SIGNED_OUT),
    "signed out twice": Form("/auth/logout", {"csrf": MARKER}, 401, *SIGNED_OUT),
    "a role that nobody offered": Form("/auth/federation/role", {"login": MARKER}, 401, *SIGNED_OUT),
    "opened once more by its address": Form("/auth/login/token", {}, 405, *GONE, method="GET"),
    "a provider that is none": Form("/auth/federation/ada-4711/start", {}, 404, *GONE, method="GET"),
}


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


async def sent(town: City, form: Form, accept: dict[str, str], **headers: str) -> Response:
    said = {**OWN_PAGE, **form.headers, **accept, **headers}
    answer = await town.http.request(form.method, form.path, data=form.fields or None, headers=said)
    town.http.cookies.clear()
    return answer


def is_page(answer: Response, said: str, tongue: str) -> None:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"<html lang={tongue}>" in answer.text
    assert said in answer.text
    path = answer.request.url.path
    assert f"href=/auth/{'device' if path.startswith('/auth/device') else 'login'}>" in answer.text
    assert any(said in answer.text for said in BY_APP) == path.startswith("/auth/authorize")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", FORMS)
async def test_a_refused_form_is_answered_with_a_page_that_says_what_to_do(town: City, name: str) -> None:
    form = FORMS[name]
    program = await sent(town, form, {"Accept": "application/json"})
    assert program.status_code == form.status, program.text
    assert program.json()["resourceType"] == "OperationOutcome"
    for tongue, said in (("ja", form.ja), ("en", form.en)):
        answer = await sent(town, form, PAGE, **{"Accept-Language": tongue})
        assert answer.status_code == form.status
        is_page(answer, said, tongue)
        for header in ("www-authenticate", "retry-after", "allow"):
            assert answer.headers.get(header) == program.headers.get(header)
        assert "ada-4711" not in answer.text


async def test_a_program_that_reads_anything_is_answered_as_one(town: City) -> None:
    for accept in ("*/*", "application/json", ""):
        answer = await sent(town, FORMS["signed out twice"], {"Accept": accept})
        assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_program_that_accepts_html_without_meaning_it_is_answered_as_one(town: City) -> None:
    accept = {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"}
    for path in ("/auth/logout", "/auth/sign-in", "/auth/device/asked"):
        answer = await town.http.post(path, json={}, headers={**OWN_PAGE, **accept})
        assert answer.json()["resourceType"] == "OperationOutcome"
    for path in ("/auth/clients", "/auth/federation/accounts"):
        answer = await town.http.get(path, headers={**accept, "Authorization": "Bearer none"})
        assert (answer.status_code, answer.json()["resourceType"]) == (401, "OperationOutcome")


async def by_page(browser: Browser, path: str, **fields: Any) -> Response:
    answer = await browser.town.http.post(
        path, data=fields, headers={"Cookie": browser.cookie, **OWN_PAGE, **PAGE, "Accept-Language": "en"}
    )
    browser.town.http.cookies.clear()
    return answer


async def test_the_scope_screen_of_another_session_is_told_to_be_opened_anew(town: City, maker: str) -> None:
    browser, phone = await signed_in(town, await town.resident()), await app(town, maker)
    asked = {"request": phone.query(), "decision": "allow", "purpose": "PATRQT"}
    answer = await by_page(browser, "/auth/authorize/decision", **asked, csrf="of-another-session")
    assert answer.status_code == 403
    is_page(answer, STALE[1], "en")
    asked["decision"] = "perhaps"
    answer = await by_page(browser, "/auth/authorize/decision", **asked, csrf=await browser.csrf())
    assert answer.status_code == 400
    is_page(answer, UNREAD[1], "en")


async def test_whoever_failed_too_often_is_told_how_long_to_wait(town: City) -> None:
    code, browser = await handed(town, await town.resident(), "PATRQT"), Browser(town)
    wrong = {"login": code["login"], "code": "00000-00000-00000-00000"}
    for _ in range(FAILURES_MAX):
        answer = await by_page(browser, "/auth/login", **wrong)
        assert (answer.status_code, "There is no such login" in answer.text) == (401, True)
    answer = await by_page(browser, "/auth/login", **wrong)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    is_page(answer, "Wait for about 60 seconds", "en")
    assert code["login"] not in answer.text
