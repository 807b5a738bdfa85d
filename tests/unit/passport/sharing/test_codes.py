"""Codes that people show: drawn to be typed, read however they are typed, kept as a keyed hash."""

import re
from collections.abc import Callable
from itertools import cycle
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passport.keys import KeyRing
from passport.sharing.codes import KINDS, CodeKind, drawn, hashed
from passport.sharing.qr import svg

RING: Final = KeyRing.generate()
BITS_A_CHARACTER: Final = 5


def counting() -> Callable[[int], bytes]:
    """Randomness that goes through all bytes in turn."""
    numbers = cycle(range(256))
    return lambda count: bytes(next(numbers) for _ in range(count))


@pytest.mark.parametrize(("kind", "bits"), [("request", 40), ("share", 60)])
def test_a_code_is_drawn_from_enough_and_each_letter_is_as_likely(kind: CodeKind, bits: int) -> None:
    random = counting()
    codes = [drawn(kind, random) for _ in range(512)]
    assert {len(code.replace("-", "")) * BITS_A_CHARACTER for code in codes} == {bits}
    letters = "".join(codes).replace("-", "")
    assert len({letters.count(letter) for letter in set(letters)}) == 1
    assert len(set(letters)) == 2**BITS_A_CHARACTER


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_has_no_letter_that_is_taken_for_another_and_is_grouped(kind: CodeKind) -> None:
    code = drawn(kind, RING.random)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4})+", code)


@given(st.binary(min_size=12, max_size=12), st.booleans(), st.sampled_from(["-", " ", "", "- "]))
def test_a_code_is_read_however_it_is_typed(letters: bytes, small: bool, between: str) -> None:
    code = drawn("share", lambda count: letters[:count])
    typed = code.replace("-", between).replace("0", "O").replace("1", "I")
    assert hashed(RING, typed.lower() if small else typed) == hashed(RING, code)


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_typed_has_a_hash_of_one_length(one: str, other: str) -> None:
    assert len(hashed(RING, one)) == len(hashed(RING, other)) == 32


def test_two_installations_keep_a_code_otherwise() -> None:
    code = drawn("share", RING.random)
    assert hashed(RING, code) != hashed(KeyRing.generate(), code)
    assert hashed(RING, code) != hashed(RING, drawn("share", RING.random))


def test_a_picture_is_an_svg_element_that_loads_nothing() -> None:
    picture = svg(drawn("share", RING.random))
    assert picture.startswith("<svg ")
    assert picture.endswith("</svg>")
    assert not re.search(r"href|script|http|url\(", picture)
    assert svg("ABCD-EFGH-JKMN") == svg("ABCD-EFGH-JKMN") != svg("ABCD-EFGH-JKMP")
