"""The values that each primitive type allows.

http://hl7.org/fhir/R4/datatypes.html#primitive

A check takes what the JSON says and returns what is wrong with it, or None. Its text names what was
expected and never the value, which may be a person's.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from unicodedata import is_normalized

from fhirstore.validate.narrative import narrative_problem

Check = Callable[[object], str | None]

STRING_MAX_BYTES: Final = 1024 * 1024
INTEGER_MIN: Final = -(2**31)
INTEGER_MAX: Final = 2**31 - 1

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ZONE: Final = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_DAY: Final = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
_TIME: Final = re.compile(_CLOCK)
_INSTANT: Final = re.compile(f"{_DAY}T{_CLOCK}{_ZONE}")
_DATE: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def _boolean(value: object) -> str | None:
    return None if isinstance(value, bool) else "expected true or false"


def _integer(least: int) -> Check:
    def check(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return "expected a whole number"
        if not least <= value <= INTEGER_MAX:
            return f"expected a number from {least} to {INTEGER_MAX}"
        return None

    return check


def _decimal(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return "expected a number"
    return None


def _string(value: object) -> str | None:
    if not isinstance(value, str):
        return "expected a string"
    if not value:
        return "expected a string that is not empty"
    if len(value) > STRING_MAX_BYTES // 4 and len(value.encode()) > STRING_MAX_BYTES:
        return f"expected at most {STRING_MAX_BYTES} bytes"
    return "expected no control characters" if _CONTROL.search(value) else None


def pattern(text: str, expected: str) -> Check:
    """Return the check that a value is a string of this pattern; `expected` says it in words."""
    matches = re.compile(text).fullmatch

    def check(value: object) -> str | None:
        return None if isinstance(value, str) and matches(value) else f"expected {expected}"

    return check


def got(value: object) -> str:
    """Say of which kind a value is that is none of those expected; never what it says."""
    if isinstance(value, str):
        return "got another text" if value else "got an empty text"
    if value is None:
        return "got null"
    if isinstance(value, bool):
        return "got a boolean"
    if isinstance(value, list | dict):
        kind = "array" if isinstance(value, list) else "object"
        return f"got an {kind}" if value else f"got an empty {kind}"
    return "got a number"


def _date(value: object) -> str | None:
    return _on_a_day(value, _DATE, "a date as YYYY, YYYY-MM or YYYY-MM-DD")


def _date_time(value: object) -> str | None:
    pattern = _INSTANT if isinstance(value, str) and _INSTANT.fullmatch(value) else _DATE
    return _on_a_day(value, pattern, "a date, or a date and time with seconds and time zone")


def _instant(value: object) -> str | None:
    return _on_a_day(value, _INSTANT, "a date and time with seconds and time zone")


def _on_a_day(value: object, pattern: re.Pattern[str], expected: str) -> str | None:
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return f"expected {expected}"
    return None if _in_calendar(match) else "expected a day that the calendar has"


def _time(value: object) -> str | None:
    return None if isinstance(value, str) and _TIME.fullmatch(value) else "expected a time as hh:mm:ss"


def _in_calendar(match: re.Match[str]) -> bool:
    year, month, day = match.groups()
    try:
        date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return False
    return True


def _one_spelling(check: Check) -> Check:
    """Identifiers that look the same are the same: https://unicode.org/reports/tr15/ leaves one spelling of each."""

    def of_one_spelling(value: object) -> str | None:
        if (problem := check(value)) is not None:
            return problem
        plain = isinstance(value, str) and is_normalized("NFC", value)
        return None if plain else "expected Unicode's normalization form C"

    return of_one_spelling


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "boolean": _boolean,
        "integer": _integer(INTEGER_MIN),
        "unsignedInt": _integer(0),
        "positiveInt": _integer(1),
        "decimal": _decimal,
        "string": _string,
        "markdown": _string,
        "xhtml": narrative_problem,
        "code": pattern(r"[^\s]+(?: [^\s]+)*", "a code without spaces at its ends or two in a row"),
        "id": pattern(r"[A-Za-z0-9\-.]{1,64}", "1 to 64 of the characters A-Z a-z 0-9 - ."),
        "uri": pattern(r"\S+", "a URI without spaces"),
        "url": pattern(r"\S+", "a URL without spaces"),
        "canonical": pattern(r"\S+", "a canonical URL without spaces"),
        "oid": pattern(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+", "an OID as urn:oid:1.2.3"),
        "uuid": pattern(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a UUID as urn:uuid:…"),
        "base64Binary": pattern(
            # Possessive throughout: white space belongs to one place, and a wrong end is found once.
            r"\s*+(?:(?:[A-Za-z0-9+/]\s*+){4})*+(?:(?:[A-Za-z0-9+/]\s*+){2}=\s*+=|(?:[A-Za-z0-9+/]\s*+){3}=)?+\s*+",
            "base64",
        ),
        "date": _date,
        "dateTime": _date_time,
        "instant": _instant,
        "time": _time,
    }
)

OWN_CHECKS: Final[Mapping[tuple[str, str], Check]] = MappingProxyType(
    {
        ("Identifier", "system"): _one_spelling(CHECKS["uri"]),
        ("Identifier", "value"): _one_spelling(CHECKS["string"]),
    }
)
"""Of single elements, by the type that has them: what is asked of them beyond their primitive type."""
