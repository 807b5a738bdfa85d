"""What an app asks for, in words, and what comes of either answer.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.people import Village
from tests.browser.relying import Relying
from tests.browser.watching import Watched

VERIFIER = uuid4().hex * 2


@pytest.fixture(scope="module")
def app(town: Village, relying_page: Relying) -> str:
    return town.client(redirect_uris=[f"{relying_page.origin}/back.html"])


def asked(town: Village, relying_page: Relying, app: str, **changes: str) -> str:
    """The address to which the app sends a person."""
    challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "client_id": app,
        "redirect_uri": f"{relying_page.origin}/back.html",
        "scope": "launch/patient offline_access patient/Observation.rs patient/MedicationRequest.rs",
        "state": "s-4711",
        "aud": town.served.fhir_url,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **changes,
    }
    return f"/auth/authorize?{urlencode(query)}"


def answer(person: Watched, relying_page: Relying) -> dict[str, list[str]]:
    """What the app was told once the person came back to it."""
    person.page.wait_for_url(f"{relying_page.origin}/back.html?*")
    return parse_qs(urlsplit(person.page.url).query)


def test_a_person_allows_a_part_of_what_an_app_asks_for(
    person: Watched, town: Village, relying_page: Relying, app: str
) -> None:
    person.open(asked(town, relying_page, app))
    person.heading("サインイン")
    code = town.code(town.resident())
    person.sign_in(code)
    person.heading("「見本アプリ（架空）」があなたの記録を使う許可を求めています")
    expect(person.page.get_by_role("heading", level=1)).to_be_in_viewport()
    person.accessible()
    person.fits()
    expect(person.page.get_by_role("main")).to_contain_text(f"{code['login']} のログインで")
    expect(person.page.get_by_role("main")).to_contain_text(f"答えは {relying_page.origin} に送られます。")
    person.page.get_by_label("処方の閲覧・検索").uncheck()
    person.page.get_by_label("あなたが使っていないときも、取り消すまで続ける").uncheck()
    person.press("許可する")
    told = answer(person, relying_page)
    assert (told["state"], told["iss"]) == (["s-4711"], [town.served.base_url])
    form = {
        "grant_type": "authorization_code",
        "code": told["code"][0],
        "redirect_uri": f"{relying_page.origin}/back.html",
        "code_verifier": VERIFIER,
        "client_id": app,
    }
    token = httpx.post(f"{town.served.base_url}/auth/token", data=form).json()
    assert token["scope"] == "launch/patient patient/Observation.rs"


def test_to_decide_for_the_person_is_not_picked_for_them(
    person: Watched, town: Village, relying_page: Relying
) -> None:
    scopes = ["launch/patient", "patient/Observation.rs", "patient/Consent.crus"]
    deciding = town.client(redirect_uris=[f"{relying_page.origin}/back.html"], scopes=scopes)
    person.open(asked(town, relying_page, deciding, scope=" ".join(scopes)))
    person.sign_in(town.code(town.resident()))
    person.heading("「見本アプリ（架空）」があなたの記録を使う許可を求めています")
    expect(person.page.get_by_role("checkbox")).to_have_count(2)
    expect(person.page.get_by_role("checkbox", checked=True)).to_have_count(1)
    expect(person.page.get_by_label("測定や検査の値の閲覧・検索")).to_be_checked()


def test_a_person_denies(person: Watched, town: Village, relying_page: Relying, app: str) -> None:
    person.open(asked(town, relying_page, app))
    person.sign_in(town.code(town.resident()))
    person.press("許可しない")
    assert answer(person, relying_page)["error"] == ["access_denied"]


def test_the_scope_screen_is_read_in_english(
    person: Watched, town: Village, relying_page: Relying, app: str
) -> None:
    person.open(asked(town, relying_page, app))
    person.press("English")
    person.sign_in(town.code(town.resident()), texts=("Login", "Code", "Sign in"))
    person.heading("見本アプリ（架空） asks to use your records")
    expect(person.page.get_by_label("read, search: prescriptions")).to_be_checked()
    expect(person.page.get_by_role("group", name="What it is used for")).to_be_visible()


def test_a_request_that_cannot_be_answered_goes_nowhere(
    person: Watched, town: Village, relying_page: Relying, app: str
) -> None:
    visits = len(relying_page.visits)
    person.open(asked(town, relying_page, app, redirect_uri=f"{relying_page.origin}/other.html"))
    person.heading("この依頼には答えられません")
    assert len(relying_page.visits) == visits


def test_without_script_a_form_asks_the_same(
    person: Watched, town: Village, relying_page: Relying, app: str
) -> None:
    browser = person.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, locale="ja-JP")
    page = context.new_page()
    page.goto(f"{person.base_url}{asked(town, relying_page, app)}")
    code = town.code(town.resident())
    page.get_by_label("ログイン名").fill(code["login"])
    page.get_by_label("コード").fill(code["code"])
    page.get_by_role("button", name="サインイン").click()
    page.get_by_role("button", name="許可する", exact=True).click()
    page.wait_for_url(f"{relying_page.origin}/back.html?*")
    assert "code=" in page.url
    context.close()
