"""Texts as a search compares them: without case, accents, punctuation, width, and kind of kana.

http://hl7.org/fhir/R4/search.html#string
https://www.unicode.org/reports/tr15/

`ﾀﾅｶ`, `たなか` and `タナカ` are one text. The voicing marks of kana are letters, not accents: `か` and `が`
stay apart, however wide they are and whether the mark stands on its own.
"""

import re
import unicodedata
from typing import Final

# Katakana that hiragana has too lie 0x60 above it: ァ to ヶ, and the iteration marks ヽ and ヾ.
_HIRAGANA: Final = {code: code - 0x60 for code in (*range(ord("ァ"), ord("ヶ") + 1), ord("ヽ"), ord("ヾ"))}
_VOICING: Final = frozenset("\u3099\u309a")
# The marks that stand on their own: ゛ and ゜.
_COMBINING: Final = {0x309B: 0x3099, 0x309C: 0x309A}
_DROPPED: Final = frozenset({"Mn", "Me", "Cf", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"})
_PLAIN: Final = re.compile(r"[a-zA-Z0-9 ]*")
_BETWEEN_WORDS: Final = re.compile(r"[\s\-‐‑–—・･=＝]+")


def folded(text: str) -> str:
    """Return a text as it is compared; folding it again changes nothing."""
    if _PLAIN.fullmatch(text) is None:
        text = _stripped(unicodedata.normalize("NFKD", text.translate(_COMBINING))).casefold()
        # Case folding can bring accents and compatibility forms back.
        text = _stripped(unicodedata.normalize("NFKD", text)).translate(_HIRAGANA)
        text = unicodedata.normalize("NFC", text)
    else:
        text = text.lower()
    return " ".join(text.split())


def beginnings(text: str) -> list[str]:
    """Return the folded text from each of its words on, the whole first."""
    starts = [0, *(match.end() for match in _BETWEEN_WORDS.finditer(text))]
    return [folded(text[start:]) for start in starts]


def _stripped(text: str) -> str:
    return "".join(each for each in text if each in _VOICING or unicodedata.category(each) not in _DROPPED)
