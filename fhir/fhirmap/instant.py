"""A point in time as the sender wrote it, offset included.

https://www.rfc-editor.org/rfc/rfc3339, within https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

import re
from dataclasses import dataclass
from datetime import datetime

from fhirmap.errors import MalformedReading

_RFC3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?"
    r"(?:[Zz]|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)",  # FHIR knows no offset beyond 14 hours
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Instant:
    """`text` is what is stored, with the offset as sent; `at` is what is compared."""

    text: str
    at: datetime


def parse_instant(text: object) -> Instant:
    """Read an RFC 3339 date-time with offset.

    Raises:
        MalformedReading: not a string of that form, or no such day or time of day.
    """
    if text is None:
        raise MalformedReading("got no `time`, expected RFC 3339 with an offset")
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise MalformedReading("got `time` in another form, expected RFC 3339 with an offset")
    written = text.upper()
    try:
        return Instant(written, datetime.fromisoformat(written))
    except ValueError as error:
        raise MalformedReading("got a `time` that no calendar has") from error
