"""Passkeys in a real browser: registered, used to sign in, and removed, with Chromium's own virtual authenticator.

https://www.w3.org/TR/webauthn-3/#sctn-automation
"""

from playwright.sync_api import CDPSession, expect

from tests.browser.people import Village
from tests.browser.relying import Relying
from tests.browser.test_scope_screen import answer, asked
from tests.browser.watching import Watched


def give_authenticator(person: Watched) -> CDPSession:
    """Let the phone have a screen lock that always knows its person; until `WebAuthn.disable` it keeps its passkeys."""
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
    return session


def add_passkey(person: Watched, name: str, told: str) -> None:
    """Fill the form in, and wait for what is said of it."""
    person.page.get_by_label("名前").fill(name)
    person.press("この端末のパスキーを加える")
    expect(person.page.get_by_role("status")).to_contain_text(told)


def test_a_passkey_is_added_signs_in_and_is_removed(person: Watched, town: Village) -> None:
    give_authenticator(person)
    person.open("/home/passkeys")
    person.sign_in(town.code(town.resident()))
    person.heading("パスキー")
    add_passkey(person, "わたしのスマートフォン", "加えました。")
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
    card.get_by_role("button", name="名前を変える").click()
    person.accessible()
    expect(card.get_by_label("新しい名前")).to_be_focused()
    card.get_by_label("新しい名前").fill("古い<b>電話</b>")
    card.get_by_role("button", name="変える", exact=True).click()
    expect(person.page.get_by_role("status")).to_have_text("名前を変えました。")
    card = person.page.get_by_role("listitem").filter(has_text="古い<b>電話</b>")
    card.get_by_role("button", name="外す").click()
    person.accessible()
    person.page.get_by_role("dialog").get_by_role("button", name="外す").click()
    expect(person.page.get_by_role("status")).to_have_text("外しました。")
    expect(person.page.get_by_text("まだありません。")).to_be_visible()


def test_a_person_sees_which_apps_end_with_a_passkey_and_which_code_waits_for_them(
    person: Watched, town: Village, relying_page: Relying
) -> None:
    give_authenticator(person)
    patient = town.resident()
    person.open("/home/passkeys")
    person.sign_in(town.code(patient))
    add_passkey(person, "電話", "加えました。")
    person.page.context.clear_cookies()
    person.open("/sign-in")
    person.press("パスキーでサインイン")
    person.heading("ホーム")
    person.open(asked(town, relying_page, town.client(redirect_uris=[f"{relying_page.origin}/back.html"])))
    person.press("許可する")
    answer(person, relying_page)
    waiting = town.asked_code(patient)["login"]
    person.open("/home/passkeys")
    expect(person.page.get_by_text(f"{waiting} のログインに新しいコードを出すことが求められ")).to_be_visible()
    person.page.get_by_role("listitem").filter(has_text="電話").get_by_role("button", name="外す").click()
    expect(person.page.get_by_role("dialog")).to_contain_text(
        "これで許可したアプリ（見本アプリ（架空））も終わります。"
    )
    person.accessible()


def test_a_phone_that_does_not_know_its_person_signs_nobody_in(person: Watched) -> None:
    give_authenticator(person)
    person.open("/sign-in")
    person.press("パスキーでサインイン")
    expect(person.page.get_by_role("alert")).to_contain_text("パスキーを確かめられませんでした。")


def test_a_browser_without_passkeys_takes_no_printed_code(person: Watched) -> None:
    person.page.add_init_script("delete window.PublicKeyCredential;")
    person.open("/recover")
    person.heading("窓口の紙のコードで入り直す")
    expect(person.page.get_by_text("コードはまだ入れないでください。")).to_be_visible()
    expect(person.page.get_by_label("紙のコード")).to_have_count(0)
    person.accessible()


def test_who_lost_their_phone_comes_back_by_a_printed_code(person: Watched, town: Village) -> None:
    patient = town.resident()
    lost = give_authenticator(person)
    person.open("/home/passkeys")
    person.sign_in(town.code(patient))
    add_passkey(person, "なくした電話", "加えました。")
    lost.send("WebAuthn.disable")
    person.page.context.clear_cookies()
    give_authenticator(person)
    person.open("/sign-in")
    person.page.get_by_role("link", name="パスキーをなくした方").click()
    person.heading("窓口の紙のコードで入り直す")
    person.page.get_by_label("紙のコード").fill("AAAA-AAAA-AAAA-AAAA")
    person.press("次へ")
    expect(person.page.get_by_role("alert")).to_contain_text("このコードは使えません。")
    person.accessible()
    person.page.get_by_label("紙のコード").fill(town.recovery_code(patient))
    person.page.get_by_label("前のパスキーをなくしたので、使えなくする").check()
    person.press("次へ")
    add_passkey(person, "新しい電話", "登録しました。")
    person.page.get_by_role("link", name="サインイン").click()
    person.press("パスキーでサインイン")
    person.heading("ホーム")
    person.page.get_by_role("link", name="パスキー", exact=True).click()
    passkeys = person.page.get_by_role("listitem").get_by_role("heading")
    expect(passkeys).to_have_text(["新しい電話"])
