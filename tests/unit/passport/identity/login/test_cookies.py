"""Over TLS the cookie is one that no other host and no plain connection can set."""

from pathlib import Path

import pytest
from fastapi import Request, Response

from passport.identity.login import cookies
from passport.settings import Settings


def settings(base_url: str) -> Settings:
    return Settings(state=Path("none"), key_file=Path("none"), base_url=base_url)


SECURE, PLAIN = settings("https://passport.example.jp"), settings("http://127.0.0.1:8000")


def sent(cookie: str) -> Request:
    return Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})


def test_over_tls_it_is_a_host_cookie() -> None:
    response = Response()
    cookies.give(response, SECURE, "text")
    name, *attributes = response.headers["set-cookie"].split("; ")
    assert name == "__Host-passport=text"
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=lax", "Secure"}


@pytest.mark.parametrize(("cookie", "read"), [("__Host-passport=a", "a"), ("passport-plain-http=b", "")])
def test_a_plain_cookie_never_passes_for_the_secure_one(cookie: str, read: str) -> None:
    assert cookies.cookie(sent(cookie), SECURE) == read
    assert cookies.cookie(sent("__Host-passport=a"), PLAIN) == ""
