"""Bytes as text that stands in addresses, headers and cookies: base64url without its padding.

https://www.rfc-editor.org/rfc/rfc4648#section-5
https://www.rfc-editor.org/rfc/rfc7515#section-2

There is one text of the same bytes. The decoder of the library passes over what it does not know and over spare bits,
so that a changed text could open what the one that was given out does.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(data: bytes) -> str:
    """Return the text of these bytes."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str | bytes) -> bytes:
    """Return the bytes whose text this is.

    Raises:
        ValueError: it is the text of none.
    """
    given = text.encode("ascii") if isinstance(text, str) else text
    data = urlsafe_b64decode(given + b"=" * (-len(given) % 4))
    if urlsafe_b64encode(data).rstrip(b"=") != given:
        raise ValueError("no base64url")
    return data


def is_text(text: str) -> bool:
    """Return whether there are bytes whose text this is."""
    try:
        decode(text)
    except ValueError:
        return False
    return True
