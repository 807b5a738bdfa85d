"""Where somebody is signed in and what they allowed, and the end of any of it.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from playwright.sync_api import expect

from tests.browser.people import Village
from tests.browser.watching import Watched


@contextmanager
def elsewhere(town: Village, code: dict[str, str]) -> Iterator[httpx.Client]:
    """Another browser at which the same person is signed in."""
    headers = {"Origin": town.served.base_url, "Accept": "application/json"}
    with httpx.Client(base_url=town.served.base_url, headers=headers) as other:
        answer = other.post("/auth/login", json={"login": code["login"], "code": code["code"]})
        assert answer.status_code == 200, answer.text
        yield other


def test_a_person_ends_what_is_open_elsewhere_and_then_here(person: Watched, town: Village) -> None:
    patient = town.resident()
    code = town.code(patient)
    with elsewhere(town, code) as other:
        person.open("/home/sessions")
        person.sign_in(code)
        person.heading("サインイン中の場所とアプリ")
        browsers = person.page.get_by_role("listitem").filter(has_text="最後の利用")
        expect(browsers).to_have_count(2)
        expect(browsers.filter(has_text="いまお使いのもの")).to_contain_text("Chrome, ")
        expect(browsers.filter(has_text="種類のわからないブラウザー")).to_have_count(1)
        person.accessible()
        assert other.get("/auth/sessions").status_code == 200
        person.press("終わらせる")
        dialog = person.page.get_by_role("dialog")
        dialog.get_by_role("button", name="終わらせる").click()
        expect(person.page.get_by_role("status")).to_have_text("終わらせました。")
        expect(browsers).to_have_count(1)
        assert other.get("/auth/sessions").status_code == 401
    person.press("ここからサインアウトする")
    dialog.get_by_role("button", name="ここからサインアウトする").click()
    person.heading("サインイン")
    person.page.reload()
    person.heading("サインイン")
