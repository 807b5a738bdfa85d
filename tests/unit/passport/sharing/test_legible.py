"""Words of others do not turn, break or hide what stands around them."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passport.sharing.legible import is_legible, legible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ひな形病院 内科（架空）", "ひな形病院 内科（架空）"),
        ("病院\u202e（式公）", "病院 （式公）"),
        ("病院\n共有は終わりました。", "病院 共有は終わりました。"),
        ("\u2066病院\u2069", "病院"),
        ("\u200b", ""),
        ("בית", "\u2068בית\u2069"),
    ],
)
def test_what_is_not_seen_is_left_out_and_what_runs_leftwards_is_isolated(text: str, expected: str) -> None:
    assert legible(text) == expected


@given(st.text())
def test_nothing_unseen_is_left(text: str) -> None:
    inside = legible(text).removeprefix("\u2068").removesuffix("\u2069")
    assert is_legible(inside)
    assert not any(category(letter).startswith("C") for letter in inside)
