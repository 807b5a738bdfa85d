"""Words of others as they may stand among our own: with nothing in them that is not seen, or turns what is around.

https://www.unicode.org/reports/tr9/ (Unicode Bidirectional Algorithm, 2.7)
https://www.unicode.org/reports/tr36/ (Unicode Security Considerations, 2)
"""

from typing import Final
from unicodedata import bidirectional, category

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Controls, formats, what has no meaning, and what breaks a line."""

_LEFTWARDS: Final = frozenset({"R", "AL", "AN"})
_ISOLATED: Final = "\u2068{}\u2069"
"""FIRST STRONG ISOLATE and its end."""


def is_legible(text: str) -> bool:
    """Whether all of it is seen, in one line."""
    return not any(category(letter) in _UNSEEN for letter in text)


def legible(text: str) -> str:
    """What of it is seen, in one line; what is written leftwards is kept from turning its neighbours."""
    seen = "".join(" " if category(letter) in _UNSEEN else letter for letter in text)
    plain = " ".join(seen.split())
    leftwards = any(bidirectional(letter) in _LEFTWARDS for letter in plain)
    return _ISOLATED.format(plain) if leftwards else plain
