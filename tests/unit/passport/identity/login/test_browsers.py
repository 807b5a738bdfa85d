"""What browsers say of themselves becomes one of a few words, and never their own."""

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passport.identity.login.browsers import BROWSERS, SYSTEMS, kind_of

# As the browsers of 2026 send them.
CHROME: Final = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 {}Safari/537.36"
IOS: Final = "Mozilla/5.0 ({} OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) {} Safari/604.1"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (CHROME.format("Windows NT 10.0; Win64; x64", ""), "Chrome, Windows"),
        (CHROME.format("Windows NT 10.0; Win64; x64", "") + " Edg/142.0.0.0", "Edge, Windows"),
        (CHROME.format("Linux; Android 10; K", "Mobile "), "Chrome, Android"),
        (CHROME.format("Linux; Android 10; K", "SamsungBrowser/29.0 Mobile "), "Samsung Internet, Android"),
        (CHROME.format("X11; CrOS x86_64 14541.0.0", ""), "Chrome, ChromeOS"),
        (CHROME.format("Macintosh; Intel Mac OS X 10_15_7", "") + " OPR/120.0.0.0", "Opera, Mac"),
        (IOS.format("iPhone; CPU iPhone", "Version/18.6 Mobile/15E148"), "Safari, iPhone"),
        (IOS.format("iPhone; CPU iPhone", "CriOS/142.0 Mobile/15E148"), "Chrome, iPhone"),
        (IOS.format("iPad; CPU", "FxiOS/140.0 Mobile/15E148"), "Firefox, iPad"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0)", "Windows"),
        ("python-httpx/0.28", None),
        ("", None),
        (" " * 600 + "Firefox/140.0", None),
    ],
)
def test_a_browser_is_known_by_its_kind_and_system(said: str, kind: str | None) -> None:
    assert kind_of(said) == kind


_WORDS: Final = {name for _, name in (*BROWSERS, *SYSTEMS)}


@given(st.text(max_size=600) | st.from_regex(re.compile("(Edg/|Firefox/|<b>|Windows|;){1,9}")))
def test_nothing_of_its_own_words_is_left(said: str) -> None:
    kind = kind_of(said)
    assert kind is None or set(kind.split(", ")) <= _WORDS
