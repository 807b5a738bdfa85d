"""Signing in with a code: right, wrong, in either language, and by keyboard alone.

https://www.w3.org/TR/WCAG22/
"""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.browser.people import Village
from tests.browser.watching import Watched


def test_a_resident_signs_in_and_out(person: Watched, town: Village) -> None:
    code = town.code(town.resident())
    person.open("/sign-in")
    person.heading("サインイン")
    person.accessible()
    person.sign_in(code)
    person.heading("ホーム")
    expect(person.page).to_have_url(f"{person.base_url}/home")
    expect(person.page.get_by_role("main")).to_contain_text("ご本人として")
    person.accessible()
    person.press("サインアウト")
    person.heading("サインイン")
    expect(person.page.get_by_role("status")).to_have_text("サインアウトしました。")
    person.page.reload()
    person.heading("サインイン")


def test_a_wrong_code_is_told_and_changes_nothing(person: Watched, town: Village) -> None:
    code = town.code(town.resident())
    person.open("/home/sessions")
    person.sign_in({**code, "code": "WRONG-CODE-WRONG"})
    expect(person.page.get_by_role("alert")).to_have_text("ログイン名またはコードが違います。")
    expect(person.page.get_by_label("ログイン名")).to_have_value(code["login"])
    person.accessible()
    person.sign_in(code)
    person.heading("サインイン中の場所とアプリ")


def test_the_language_is_the_persons_and_stays(person: Watched, town: Village) -> None:
    person.open("/sign-in")
    person.press("English")
    person.heading("Sign in")
    assert person.page.title() == "Sign in · Healthcare passport"
    assert person.page.evaluate("document.documentElement.lang") == "en"
    person.accessible()
    person.page.reload()
    person.heading("Sign in")
    person.sign_in(town.code(town.resident()), texts=("Login", "Code", "Sign in"))
    person.heading("Home")


def test_whoever_has_no_mouse_gets_everywhere(person: Watched, town: Village) -> None:
    code = town.code(town.resident())
    keyboard = person.page.keyboard
    person.open("/sign-in")
    person.heading("サインイン")
    expect(person.page.get_by_role("heading", level=1)).to_be_focused()
    person.tab_to(person.page.get_by_label("ログイン名"))
    keyboard.type(code["login"])
    keyboard.press("Tab")
    keyboard.type(code["code"])
    keyboard.press("Enter")
    person.heading("ホーム")
    person.tab_to(person.page.get_by_role("link", name="サインイン中の場所とアプリ"))
    keyboard.press("Enter")
    person.heading("サインイン中の場所とアプリ")
    person.tab_to(person.page.get_by_role("button", name="ここからサインアウトする"))
    keyboard.press("Enter")
    expect(person.page.get_by_role("dialog")).to_be_visible()
    expect(person.page.get_by_role("button", name="戻る")).to_be_focused()
    person.accessible()
    keyboard.press("Escape")
    expect(person.page.get_by_role("dialog")).to_be_hidden()
    keyboard.press("Enter")
    expect(person.page.get_by_role("button", name="戻る")).to_be_focused()
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    person.heading("サインイン")


def test_a_session_that_was_ended_elsewhere_leads_back_to_the_sign_in(person: Watched, town: Village) -> None:
    patient = town.resident()
    person.open("/home")
    person.sign_in(town.code(patient))
    person.heading("ホーム")
    (browser,) = town.call((patient, "PATRQT"), "GET", "/auth/sessions", 200)["browsers"]
    town.call((patient, "PATRQT"), "POST", f"/auth/sessions/{browser['id']}/end", 204)
    person.page.get_by_role("link", name="サインイン中の場所とアプリ").click()
    person.heading("サインイン")


def test_the_pages_without_script_sign_in_too(person: Watched, town: Village) -> None:
    browser = person.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, locale="ja-JP")
    page = context.new_page()
    page.goto(f"{person.base_url}/home")
    page.get_by_role("link", name="スクリプトなしで使う").click()
    code = town.code(town.resident())
    page.get_by_label("ログイン名").fill(code["login"])
    page.get_by_label("コード").fill(code["code"])
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_role("main")).to_contain_text("サインインしています。")
    context.close()


def test_a_form_that_is_refused_without_script_says_what_to_do(person: Watched, town: Village) -> None:
    browser = person.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, locale="ja-JP")
    page, code = context.new_page(), town.code(town.resident())
    page.goto(f"{person.base_url}/auth/login")
    page.get_by_label("ログイン名").fill(code["login"])
    page.get_by_label("コード").fill(code["code"])
    page.get_by_role("button", name="サインイン").click()
    expect(page.get_by_role("main")).to_contain_text("サインインしています。")
    # Signed out meanwhile, in another window of the same browser.
    other = context.new_page()
    other.goto(f"{person.base_url}/auth/login")
    other.get_by_role("button", name="サインアウト").click()
    page.get_by_role("button", name="サインアウト").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("この操作はできませんでした")
    expect(page.get_by_role("alert")).to_contain_text("もう一度サインインして")
    page.get_by_role("link", name="はじめの画面へ").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("サインイン")
    context.close()


def test_whoever_works_with_a_program_gets_a_token_for_it(person: Watched, town: Village) -> None:
    person.open("/home/token")
    person.sign_in(town.code(town.physician(), "TREAT"))
    person.heading("トークン")
    person.press("トークンを受け取る")
    token = person.page.get_by_role("status").locator("code")
    expect(token).to_have_text(re.compile(r"[\w-]{40,}"))
    person.accessible()
    person.page.get_by_role("link", name="ホーム").click()
    expect(person.page.get_by_role("main")).to_contain_text("医療者として")


@pytest.fixture
def two_factors(town: Village) -> Iterator[None]:
    """A service at which a clinician gets nowhere by a code alone, as in production."""
    state = town.served.app.state
    before = state.runtime
    state.runtime = replace(before, settings=before.settings.at(second_factor="practitioner"))
    yield
    state.runtime = before


@pytest.mark.usefixtures("two_factors")
def test_who_lacks_a_second_factor_is_led_to_passkeys_and_not_told_to_sign_in_again(
    person: Watched, town: Village
) -> None:
    person.open("/home/token")
    person.sign_in(town.code(town.physician(), "TREAT"))
    person.heading("トークン")
    expect(person.page.get_by_text("そのパスキーでサインインしてください。")).to_be_visible()
    expect(person.page.get_by_role("button", name="トークンを受け取る")).to_have_count(0)
    person.accessible()
    person.page.get_by_role("link", name="パスキー").click()
    person.heading("パスキー")
