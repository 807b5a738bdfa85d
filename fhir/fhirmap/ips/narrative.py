"""Narratives: XHTML that shows what the sections hold, every word of a record escaped.

http://hl7.org/fhir/R4/narrative.html
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from fhirmap.jsonformat import Json

XHTML: Final = "http://www.w3.org/1999/xhtml"
NO_INFORMATION: Final = "情報なし / No information available"

# What a JSON text can hold and XML 1.0 cannot.
_UNWRITABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Json:
    """A narrative with one row per record."""
    head = "".join(f"<th>{_text(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return _narrative(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def paragraph(text: str) -> Json:
    """A narrative of one sentence."""
    return _narrative(f"<p>{_text(text)}</p>")


def _narrative(inner: str) -> Json:
    return {"status": "generated", "div": f'<div xmlns="{XHTML}" xml:lang="ja" lang="ja">{inner}</div>'}


def _text(text: str) -> str:
    return escape(_UNWRITABLE.sub("\ufffd", text))
