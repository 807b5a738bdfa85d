"""The Individual Number: it is not to be stored, so whatever is named or shaped like it is found and kept out.

https://laws.e-gov.go.jp/document?lawid=426M60000008085 (番号利用法施行令に基づく検査用数字, 第五条)
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from unicodedata import normalize

_DIGITS: Final = 12
_NAMES: Final = re.compile(
    r"(?:my|individual|kojin|personal)[ _-]?(?:number|bango|no)(?![a-z])|個人番号|マイナンバー", re.IGNORECASE
)
# Twelve digits that stand by themselves, in whatever groups they are written.
_SHAPED: Final = re.compile(r"(?<!\d)(?:\d[ \-‐‑–—−ー・.]?){11}\d(?!\d)")
_NO_DIGIT: Final = re.compile(r"\D")


def is_one(digits: str) -> bool:
    """Whether twelve digits end with their check digit."""
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdigit()):
        return False
    *numbers, check = map(int, digits)
    # The n-th from the right is weighed by n + 1, from the seventh on by n - 5.
    weighed = sum(
        number * (place + 1 if place <= 6 else place - 5)
        for place, number in enumerate(reversed(numbers), start=1)
    )
    left = weighed % 11
    return check == (0 if left <= 1 else 11 - left)


def holds_one(value: object) -> bool:
    """Whether a text or a number has something of its shape in it, or anything inside of a list or an object has."""
    if isinstance(value, Mapping):
        return any(is_named(name) or holds_one(each) for name, each in value.items())
    if isinstance(value, list | tuple):
        return any(map(holds_one, value))
    if value is None or isinstance(value, bool):
        return False
    text = normalize("NFKC", str(value))
    return any(is_one(_NO_DIGIT.sub("", found)) for found in _SHAPED.findall(text))


def is_named(name: str) -> bool:
    """Whether a member is called like it."""
    return _NAMES.search(normalize("NFKC", name)) is not None


def names_one(tree: Mapping[str, Any]) -> bool:
    """Whether a member anywhere inside is called like it, whatever it holds."""
    inside = list(tree.values())
    for each in inside:
        if isinstance(each, list):
            inside += each
        elif isinstance(each, Mapping):
            inside += each.values()
            if any(map(is_named, each)):
                return True
    return any(map(is_named, tree))
