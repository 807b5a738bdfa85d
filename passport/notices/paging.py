"""Pages of notifications: how many an answer holds, and where the next one begins.

http://hl7.org/fhir/R4/http.html#paging

A cursor opens for who asked and for whose notifications they asked for alone; what was told since moves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from fhirstore.search.cursor import BadCursor, open_cursor, seal_cursor
from passport.notices.telling import Notice
from passport.outcomes import Invalid, translated

SHOWN: Final = 200
"""Notifications that one answer holds where it is not said how many."""

MOST_SHOWN: Final = 1_000
"""Notifications that one answer holds at most."""

Place = tuple[datetime, UUID]
"""Where a page ended: when its last notification was told, and which it is."""


def shown(text: str | None) -> int:
    """How many notifications a page holds.

    Raises:
        Invalid: the text is no number of them.
    """
    if text is None:
        return SHOWN
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise Invalid("got an unreadable value of `_count`, expected a whole number from 1", ("_count",))
    return min(int(text), MOST_SHOWN)


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one reader for one person's notifications; `secret` is 32 bytes."""

    secret: bytes
    reader: str
    patient_key: int

    def opened(self, cursor: str | None) -> Place | None:
        """Where the page before ended, None for the first page.

        Raises:
            Invalid: it is no cursor that this reader was given for these notifications.
        """
        if cursor is None:
            return None
        try:
            (at, id_), _ = open_cursor(self.secret, self._context, cursor)
        except BadCursor as error:
            raise translated(error) from None
        if not isinstance(at, datetime):
            raise TypeError("a cursor of notifications begins with an instant")
        return at, UUID(str(id_))

    def after(self, page: Sequence[Notice]) -> str:
        """The cursor of the page that follows one that holds something."""
        last = page[-1]
        return seal_cursor(self.secret, self._context, [last.time, str(last.id)], 0)

    @property
    def _context(self) -> bytes:
        return sha256(f"notifications\0{self.reader}\0{self.patient_key}".encode()).digest()
