"""Bytes of an お薬手帳 file to lines of fields.

JAHIS 電子版お薬手帳データフォーマット仕様書 Ver. 2.6, chapter 2: cp932, CR LF, fields parted by commas
and never quoted. Files in UTF-8, with other line ends or typed in full width are met as well.
"""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from fhirmap.deviations import Deviation
from fhirmap.errors import TooMuch, UnreadableSource
from fhirmap.jahis.limits import MAX_LINES

HEADER = re.compile(r"JAHISTC([0-9]{1,2})")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile(r"\r\n|\r|\n")
# What no text field holds: control characters, and the blanks that FHIR's string excludes.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_END_OF_FILE = "\x1a"  # MS-DOS; the specification allows it
_ESCAPED_KANJI = re.compile(rb"\x1b\$[@B]")  # RFC 1468
_KANA = "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7)))) + "ー・　、。"
_BROKEN = 4
"""So many characters are no slip of a single byte or two."""

_WIDE_LINE = re.compile(r"[0-9０-９]{1,3}，")


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number from 1, the record number or header word, and the fields behind it."""

    number: int
    record: str
    fields: tuple[str, ...]

    @property
    def header_version(self) -> int | None:
        """The nn of `JAHISTCnn` where this line is a header."""
        match = HEADER.fullmatch(self.record)
        return int(match[1]) if match else None


def half_width(text: str) -> str:
    """Return codes typed in full width as half width (NFKC), without any blank."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def split_lines(data: bytes) -> tuple[list[Line], list[Deviation]]:
    """Decode a file and split it.

    Returns:
        The lines that are not blank, the first of them a header, and what deviates.

    Raises:
        UnreadableSource: empty, not text, or without a JAHISTC header.
        TooMuch: more lines than `MAX_LINES`.
    """
    text = _decode(data).rstrip(_END_OF_FILE)
    _refuse_garbled(data, text)
    lines: list[Line] = []
    deviations: list[Deviation] = []
    for number, written in enumerate(_LINE_END.split(text), start=1):
        line, found = _line(number, written)
        if line is not None:
            lines.append(line)
            deviations += found
        if len(lines) > MAX_LINES:
            raise TooMuch(f"got more than {MAX_LINES} lines, expected at most so many in a file")
    if not lines:
        raise UnreadableSource("got a file without any line")
    if lines[0].header_version is None:
        raise UnreadableSource("got a first line without JAHISTC and a version")
    return lines, deviations


def _decode(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _text(data[len(bom) :], encoding)
    utf8 = _text(data, "utf-8")
    # Pairs of half-width katakana in cp932 are well-formed UTF-8 for letters below U+0800, which no
    # Japanese text consists of.
    if "\ufffd" not in utf8 and (utf8.isascii() or any(each >= "\u0800" for each in utf8)):
        return utf8
    return min(_text(data, "cp932"), utf8, key=lambda text: text.count("\ufffd"))


def _refuse_garbled(data: bytes, text: str) -> None:
    """A byte here and there is reported; where most are none of an encoding that is read, no name would be right.

    Raises:
        UnreadableSource: the text is of another encoding.
    """
    if _is_jis(data) or _is_euc(data):
        other = "ISO-2022-JP" if _is_jis(data) else "EUC-JP"
        raise UnreadableSource(f"got a file in {other}, expected cp932 (Shift_JIS) or UTF-8")
    broken = text.count("\ufffd")
    if broken >= _BROKEN and broken * 4 > sum(not each.isascii() for each in text):
        raise UnreadableSource(
            "got bytes that are no characters, expected a file in cp932 (Shift_JIS) or UTF-8"
        )


def _is_jis(data: bytes) -> bool:
    return data.isascii() and _ESCAPED_KANJI.search(data) is not None


def _is_euc(data: bytes) -> bool:
    """Whether it reads as EUC-JP with the kana that every Japanese text has.

    cp932 writes these in bytes that EUC-JP does not have; only half-width katakana are alike in both, and those give
    kanji there.
    """
    text = _strictly(data, "euc_jp")
    if text is None or _strictly(data, "utf-8") is not None:
        return False
    return sum(map(text.count, _KANA)) >= max(_BROKEN, sum(not each.isascii() for each in text) // 10)


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _text(data: bytes, encoding: str) -> str:
    return data.decode(encoding, errors="replace")


def _line(number: int, written: str) -> tuple[Line | None, list[Deviation]]:
    found: list[str] = []
    if "\ufffd" in written:
        found.append("holds bytes that are no character, read as U+FFFD")
    if _PRIVATE.search(written):
        found.append("holds characters of the sender's own (外字), which other systems do not show")
    if _CONTROL.search(written):
        found.append("holds control characters, left out")
        written = _CONTROL.sub("", written)
    if "," not in written and _WIDE_LINE.match(written):
        found.append("fields are parted by full-width commas")
        written = written.replace("，", ",")
    head, *fields = written.split(",")
    record = half_width(head).upper().removeprefix("\ufeff")
    if not record and not any(field.strip() for field in fields):
        return None, []
    line = Line(number, record, tuple(fields))
    return line, [Deviation(number, _shown(record), text) for text in found]


def _shown(record: str) -> str:
    """Return a record number for a report; anything else could be a person's words."""
    return record if re.fullmatch(r"[0-9]{1,3}|JAHISTC[0-9]{1,2}", record) else "?"


def shown_record(line: Line) -> str:
    """Return how a report names the record of a line, never quoting free text."""
    return _shown(line.record)
