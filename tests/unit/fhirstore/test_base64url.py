"""Base64url: one text for the same bytes, and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.base64url import decode, encode, is_text

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(st.binary(max_size=80))
def test_what_was_written_is_read_again(data: bytes) -> None:
    assert decode(encode(data)) == decode(encode(data).encode()) == data
    assert is_text(encode(data))


@given(st.text(ALPHABET + "+/= .é\0", max_size=12))
def test_a_text_is_read_only_if_it_is_what_its_bytes_are_written_as(text: str) -> None:
    try:
        data = decode(text)
    except ValueError:
        return
    assert encode(data) == text


@pytest.mark.parametrize("text", ["AB", "AAB", "AA==", "A", "AA AA", "+/8", "AA\n", "é", "AAA.A"])
def test_what_the_library_would_pass_over_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|ascii|padding"):
        decode(text)
    assert not is_text(text)


def test_all_but_one_of_the_texts_that_differ_in_their_last_place_are_refused() -> None:
    held = encode(b"sixteen bytes...")
    read = []
    for last in ALPHABET:
        try:
            read.append(decode(held[:-1] + last))
        except ValueError:
            continue
    assert len(read) == len(set(read)) == 4
