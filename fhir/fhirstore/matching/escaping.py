r"""The separators inside a search value, and the backslash that takes their meaning away.

http://hl7.org/fhir/R4/search.html#escaping

`\,` `\|` `\$` and `\\` stand for the character; a backslash before any other is a backslash.
"""

import re
from typing import Final

_SEPARATORS: Final = {
    separator: re.compile(rf"\\.|(?P<separator>{re.escape(separator)})", re.DOTALL) for separator in ",|$"
}
_ESCAPED: Final = re.compile(r"\\([\\|,$])")


def split(text: str, separator: str) -> list[str]:
    """Return the parts between the separators that stand unescaped; the parts are still escaped.

    Args:
        text: the value as it came.
        separator: `,`, `|` or `$`.
    """
    parts: list[str] = []
    start = 0
    for match in _SEPARATORS[separator].finditer(text):
        if match["separator"]:
            parts.append(text[start : match.start()])
            start = match.end()
    return [*parts, text[start:]]


def unescaped(text: str) -> str:
    """Return the characters that an escaped text stands for."""
    return _ESCAPED.sub(r"\1", text)
