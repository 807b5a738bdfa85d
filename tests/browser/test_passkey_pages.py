"""Passkeys in a real browser: registered, used to sign in, and removed, with Chromium's own virtual authenticator.

https://www.w3.org/TR/webauthn-3/#sctn-automation
"""

from playwright.sync_api import expect

from tests.browser.people import Village
from tests.browser.watching import Watched


def give_authenticator(person: Watched) -> None:
    """Let the phone have a screen lock that always knows its person."""
    session = person.page.context.new_cdp_session(person.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_is_added_signs_in_and_is_removed(person: Watched, town: Village) -> None:
    give_authenticator(person)
    person.open("/home/passkeys")
    person.sign_in(town.code(town.resident()))
    person.heading("パスキー")
    person.page.get_by_label("名前").fill("わたしのスマートフォン")
    person.press("この端末のパスキーを加える")
    expect(person.page.get_by_role("status")).to_contain_text("加えました。")
    card = person.page.get_by_role("listitem").filter(has_text="わたしのスマートフォン")
    expect(card).to_contain_text("まだ使っていません")
    person.accessible()
    person.page.get_by_role("link", name="ホーム").click()
    person.press("サインアウト")
    person.heading("サインイン")
    person.press("パスキーでサインイン")
    person.heading("ホーム")
    person.page.get_by_role("link", name="パスキー", exact=True).click()
    expect(card).not_to_contain_text("まだ使っていません")
    card.get_by_role("button", name="外す").click()
    person.accessible()
    person.page.get_by_role("dialog").get_by_role("button", name="外す").click()
    expect(person.page.get_by_role("status")).to_have_text("外しました。")
    expect(person.page.get_by_text("まだありません。")).to_be_visible()


def test_a_phone_that_does_not_know_its_person_signs_nobody_in(person: Watched) -> None:
    give_authenticator(person)
    person.open("/sign-in")
    person.press("パスキーでサインイン")
    expect(person.page.get_by_role("alert")).to_contain_text("パスキーを確かめられませんでした。")
