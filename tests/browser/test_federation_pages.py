"""Signing in through another service in a real browser: the first time with a code, from then on without.

https://openid.net/specs/openid-connect-core-1_0.html
"""

import stat
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey
from playwright.sync_api import expect
from starlette.types import ASGIApp

from passport.demo.provider.app import provider as application
from passport.demo.provider.keeping import Client, Mock
from passport.identity.federation.credentials import FOLDER
from tests.browser.people import Village
from tests.browser.watching import Watched
from tests.http.provider import serving

PORTAL = "見本市ポータル（模擬）"
FIRST, SECOND = ("operator", "HOPERAT"), ("operator/second", "HOPERAT")


@pytest.fixture
def portal(town: Village) -> Iterator[Mock]:
    """The mock provider, which one operator proposed and another approved."""
    mocks: list[Mock] = []

    def made(address: str) -> ASGIApp:
        mocks.append(Mock(issuer=address))
        return application(mocks[0])

    with serving(made):
        (mock,) = mocks
        give_key(town)
        about = {"name": PORTAL, "profile": "city-portal", "issuer": mock.issuer}
        body = {**about, "client_id": "passport", "key_file": "portal.pem"}
        told = town.call(FIRST, "PUT", "/auth/providers/portal", 200, json=body)
        mock.clients["passport"] = Client("passport", told["redirect_uri"], told["public_key"])
        named = {"proposal": told["proposal"]}
        town.call(SECOND, "POST", "/auth/providers/portal/approve", 200, json=named)
        yield mock
        town.call(FIRST, "POST", "/auth/providers/portal/end", 200)


def give_key(town: Village) -> None:
    """Put the passport's own key for the provider where an operator puts it."""
    private = ECKey.generate_key("P-256").private_key
    assert private is not None
    file = town.served.app.state.runtime.settings.state / FOLDER / "portal.pem"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_a_person_is_known_by_another_service_once_they_said_who_they_are(
    person: Watched, town: Village, portal: Mock
) -> None:
    person.allowed.add(portal.issuer)
    person.open("/sign-in")
    person.page.get_by_role("link", name=PORTAL).click()
    person.page.get_by_role("link").first.click()
    person.page.wait_for_url("**/auth/federation/waiting")
    person.accessible()
    person.fits()
    code = town.code(town.resident())
    person.page.get_by_label("ログイン名").fill(code["login"])
    person.page.get_by_label("コード").fill(code["code"])
    person.press("次へ")
    person.heading("ホーム")
    person.page.get_by_role("link", name="サインイン中の場所とアプリ").click()
    expect(person.page.get_by_role("listitem").first).to_contain_text("外部の認証")
    person.page.get_by_role("link", name="ホーム").click()
    person.press("サインアウト")
    person.page.get_by_role("link", name=PORTAL).click()
    person.page.get_by_role("link").first.click()
    person.heading("ホーム")


def test_who_signs_in_elsewhere_comes_back_to_the_page_and_to_the_code_of_their_device(
    person: Watched, town: Village, portal: Mock
) -> None:
    claim, code = town.claimed(), town.code(town.resident())
    person.allowed.add(portal.issuer)
    person.open(claim["qr"].removeprefix(town.served.base_url))
    person.page.get_by_role("link", name=PORTAL).click()
    person.page.get_by_role("link").nth(1).click()
    person.page.get_by_label("ログイン名").fill(code["login"])
    person.page.get_by_label("コード").fill(code["code"])
    person.press("次へ")
    person.heading("機器")
    expect(person.page.get_by_label("機器のコード")).to_have_value(claim["code"])
    assert person.page.evaluate("sessionStorage.length") == 0
    person.press("この機器を加える")
    expect(person.page.get_by_role("status")).to_contain_text("の機器を加えました。")
