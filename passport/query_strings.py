"""Parameters as they travel: UTF-8 in percent-escapes, in an address, in a form and in a condition.

https://url.spec.whatwg.org/#urlencoded-parsing

Bytes that are none would be read as U+FFFD: another question than the one that was asked. They are refused.
"""

import re
import string
from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote_to_bytes

from passport.outcomes import Invalid

_BEYOND_ASCII: Final = re.compile(rb"%[89A-Fa-f]")


def escaped(query: bytes) -> bytes:
    """Return the query of an address with every letter beyond ASCII in escapes, as a client should have sent it.

    Raises:
        Invalid: what its escapes stand for, or it itself, is not UTF-8.
    """
    if query.isascii() and (b"%" not in query or _BEYOND_ASCII.search(query) is None):
        return query
    try:
        unquote_to_bytes(query).decode()
        return quote(query.decode(), safe=string.printable).encode()
    except UnicodeDecodeError:
        raise _not_text() from None


def pairs_of(query: str) -> list[tuple[str, str]]:
    """Return the names and values of a form, or of a condition, in their order.

    Raises:
        Invalid: what its escapes stand for is not UTF-8.
    """
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise _not_text() from None


def storable(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether these names and values are texts that a database takes: none holds a NUL."""
    return not any("\x00" in text for pair in pairs for text in pair)


def require_storable(path: str, query: bytes) -> None:
    """Let an address through whose parts a database takes.

    Raises:
        Invalid: it holds a NUL, written out or in an escape.
    """
    if "\x00" in path or b"%00" in query or b"\x00" in query:
        raise Invalid("got an address with a NUL, expected text")


def written_out(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values as the query of an address."""
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in pairs])


# Names, and the codes and systems that are asked for, are the same few again and again.
_quoted: Final = lru_cache(maxsize=2_048)(quote_plus)


def _not_text() -> Invalid:
    return Invalid("got parameters that are not UTF-8, expected the escapes of such bytes")
