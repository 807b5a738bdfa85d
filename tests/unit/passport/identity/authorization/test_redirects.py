"""An answer goes to a registered address, letter by letter; a loopback's port alone is free."""

import pytest

from passport.identity.authorization.redirects import matches, registered
from passport.outcomes import Invalid

APP = "https://app.example.jp/callback"
NATIVE = "http://127.0.0.1/callback"


@pytest.mark.parametrize(
    "address",
    [
        APP,
        "https://app.example.jp",
        "https://app.example.jp:8443/cb?tenant=1",
        NATIVE,
        "http://127.0.0.1:4711/cb",
        "http://[::1]/cb",
    ],
)
def test_a_fit_address_is_registered(address: str) -> None:
    assert registered([address, address], loopback=True) == (address,)


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example.jp/callback",
        "https://*.example.jp/callback",
        "https://app.example.jp/*",
        "https://app.example.jp/callback#here",
        "https://app.example.jp/callback#",
        "https://user@app.example.jp/callback",
        "https://app.example.jp\\@evil.example/callback",
        "https://app.example.jp/a/../callback",
        "https://app.example.jp/a/%2e%2e/callback",
        "https://app.example.jp/a%2fcallback",
        "https://app.example.jp/..",
        "https://app.example.jp/ callback",
        "https://アプリ.example.jp/callback",
        "https://APP.example.jp/callback",
        "https:///callback",
        "//app.example.jp/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "app.example:/callback",
        "http://localhost/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.1/callback",
        "https://app.example.jp/" + "x" * 600,
        "",
        5,
        None,
    ],
)
def test_an_unfit_address_is_refused(address: object) -> None:
    with pytest.raises(Invalid):
        registered([address], loopback=True)


def test_too_many_addresses_and_no_list_are_refused() -> None:
    for listed in (APP, None, [f"{APP}/{at}" for at in range(9)]):
        with pytest.raises(Invalid):
            registered(listed, loopback=True)


def test_a_client_of_the_strict_profile_has_no_loopback_address() -> None:
    with pytest.raises(Invalid):
        registered([NATIVE], loopback=False)


@pytest.mark.parametrize(
    "asked",
    [
        f"{APP}/",
        f"{APP}?x=1",
        f"{APP}#x",
        f"{APP}%20",
        APP.replace("https", "http"),
        APP.replace("app.", "APP."),
        "https://app.example.jp:443/callback",
        "https://app.example.jp.evil.example/callback",
        "https://app.example.jp/callback/../evil",
        "https://app.example.jp@evil.example/callback",
        "http://127.0.0.1:4711/other",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:123456/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://[::1]:4711/callback",
        "",
    ],
)
def test_nothing_but_the_registered_address_matches(asked: str) -> None:
    assert not matches(asked, [APP, NATIVE])


@pytest.mark.parametrize(
    "asked", [APP, NATIVE, "http://127.0.0.1:4711/callback", "http://127.0.0.1:1/callback"]
)
def test_a_registered_address_matches_and_a_loopback_on_any_port(asked: str) -> None:
    assert matches(asked, [APP, NATIVE])


def test_a_port_is_free_even_where_another_was_registered() -> None:
    assert matches("http://[::1]:2/cb", ["http://[::1]:1/cb"])
    assert not matches("https://app.example.jp:2/cb", ["https://app.example.jp:1/cb"])
