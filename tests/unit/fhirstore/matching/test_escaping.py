import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.matching.escaping import split, unescaped


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a|b", ["a", "b"]),
        (r"a\|b", [r"a\|b"]),
        (r"a\\|b", [r"a\\", "b"]),
        (r"a\\\|b", [r"a\\\|b"]),
        ("|", ["", ""]),
        ("", [""]),
        ("a\\", ["a\\"]),
        (r"a\,b|c$d", [r"a\,b", "c$d"]),
    ],
)
def test_value_is_split_where_no_backslash_stands_before(text: str, parts: list[str]) -> None:
    assert split(text, "|") == parts


def test_escapes_stand_for_their_character_and_other_backslashes_for_themselves() -> None:
    assert unescaped(r"a\,b\|c\$d\\e\n") == r"a,b|c$d\e\n"


@given(st.lists(st.text(), min_size=1), st.sampled_from(",|$"))
def test_what_was_escaped_and_joined_is_split_again(texts: list[str], separator: str) -> None:
    escaped = [
        text.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|").replace("$", "\\$")
        for text in texts
    ]
    assert [unescaped(part) for part in split(separator.join(escaped), separator)] == texts
