"""Codes are drawn, read as they are typed, and compared at one cost."""

import os
from collections.abc import Callable

import pytest

from passport.identity.codes import ALPHABET, NO_CODE, draw, hashed, login_of, matches
from passport.outcomes import Invalid

SALT = bytes(16)


def test_a_drawn_code_is_a_hundred_random_bits_in_groups() -> None:
    code = draw(os.urandom)
    groups = code.split("-")
    assert [len(group) for group in groups] == [5, 5, 5, 5]
    assert set("".join(groups)) <= set(ALPHABET)
    assert len(ALPHABET) == 32
    assert code != draw(os.urandom)


def test_every_letter_is_as_likely_as_any_other() -> None:
    def counting(first: int) -> Callable[[int], bytes]:
        return lambda count: bytes((first + at) % 256 for at in range(count))

    drawn = "".join(draw(counting(first)) for first in range(256))
    assert len({drawn.count(letter) for letter in ALPHABET}) == 1


@pytest.mark.parametrize(
    "typed",
    [
        "AB01C-DEFGH-JKMNP-QRSTV",
        "ab01cdefghjkmnpqrstv",
        "ABOIC DEFGH JKMNP QRSTV",
        "aboLcdefghjkmnpqrstv",
        "ＡＢ０１ＣーＤＥＦＧＨ－ＪＫＭＮＰ　ｑｒｓｔｖ",
        "AB01C−DEFGH‐JKMNPｰQRSTV",
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str) -> None:
    assert matches(typed, hashed("AB01C-DEFGH-JKMNP-QRSTV", salt=SALT))


@pytest.mark.parametrize("typed", ["", "AB01C-DEFGH-JKMNP-QRSTW", "AB01C", "A" * 10_000, "星見", "\ud800"])
def test_another_text_is_not_the_code(typed: str) -> None:
    assert not matches(typed, hashed("AB01C-DEFGH-JKMNP-QRSTV", salt=SALT))


def test_one_code_has_another_hash_under_another_salt() -> None:
    assert hashed("x", salt=SALT) != hashed("x", salt=bytes(15) + b"\1")


@pytest.mark.parametrize("typed", ["", "AB01C-DEFGH-JKMNP-QRSTV", "0" * 20])
def test_no_text_is_the_code_of_an_unknown_login(typed: str) -> None:
    assert not matches(typed, NO_CODE)


@pytest.mark.parametrize("login", ["aoi.hoshino", "dr-mihon@hoshimi.example", "001"])
def test_a_login_is_plain(login: str) -> None:
    assert login_of(login) == login


@pytest.mark.parametrize("login", ["", "ab", "Aoi", "葵さん", "a b c", "-abc", "a" * 65, None, 12345])
def test_an_unfit_login_is_refused(login: object) -> None:
    with pytest.raises(Invalid):
        login_of(login)
