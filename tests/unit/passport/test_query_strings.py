"""The query of an address as text.

https://url.spec.whatwg.org/#urlencoded-parsing
"""

from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passport.outcomes import Invalid
from passport.query_strings import escaped, pairs_of


@pytest.mark.parametrize(
    "query", [b"", b"code=a%7Cb&x=%20+", b"%", b"%zz", b"name=%E3%81%82", b"a=%00", b"%25ff=1"]
)
def test_what_is_escaped_stays_as_it_was_sent(query: bytes) -> None:
    assert escaped(query) == query


def test_letters_that_came_without_escapes_are_read_as_utf_8() -> None:
    assert escaped("name=たな%20か&x=1".encode()) == b"name=%E3%81%9F%E3%81%AA%20%E3%81%8B&x=1"


@pytest.mark.parametrize(
    "query", [b"%ff=x", b"a=%ED%A0%80", b"a=%E3%81&b=1", b"a=%c0%af", b"a=\xff", b"a=\xe3\x81", b"a=%80"]
)
def test_bytes_that_are_no_utf_8_are_refused(query: bytes) -> None:
    with pytest.raises(Invalid, match="not UTF-8"):
        escaped(query)
    if query.isascii():
        with pytest.raises(Invalid, match="not UTF-8"):
            pairs_of(query.decode())


@given(st.binary())
def test_a_query_is_text_or_refused(query: bytes) -> None:
    sent = quote_from_bytes(query).encode()
    try:
        query.decode()
    except UnicodeDecodeError:
        with pytest.raises(Invalid):
            escaped(sent)
    else:
        assert unquote_to_bytes(escaped(sent)) == query
