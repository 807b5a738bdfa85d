"""How far the stored records were gone over with a table, and the wall that stands open for one batch of them.

https://www.postgresql.org/docs/current/sql-insert.html

The place is a mark of the installation, written in the transaction of the batch that it tells of.
"""

from dataclasses import dataclass
from typing import Final, Self

from passport.labelling.table import TABLE_VERSION
from passport.sql import Connection, Prepared, fetch

MARK: Final = "labels"
"""The mark of an installation that keeps the place."""

_DONE: Final = "done"
_LEAST: Final = -(2**63)

_OPEN: Final = Prepared("SELECT set_config('passport.patients', %(patients)s::bigint[]::text, true)", {})
_READ: Final = Prepared("SELECT value FROM installation WHERE name = %(name)s", {})
_WRITE: Final = Prepared(
    "INSERT INTO installation (name, value) VALUES (%(name)s, %(value)s) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    {},
)


def after_patient(patient_key: int) -> tuple[int, int]:
    """The place after all records of a patient."""
    return patient_key + 1, _LEAST


@dataclass(frozen=True, slots=True)
class Progress:
    """The table that the records are gone over with, and the record after which to go on.

    `place` is patient_key and record_key; None once all were gone over.
    """

    version: str
    place: tuple[int, int] | None

    @classmethod
    def start(cls, version: str) -> Self:
        """Before the first record."""
        return cls(version, (_LEAST, _LEAST))

    @property
    def text(self) -> str:
        """What the mark says."""
        return " ".join((self.version, *([_DONE] if self.place is None else map(str, self.place))))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what a mark says."""
        version, *place = text.split()
        return cls(version, None if place == [_DONE] else (int(place[0]), int(place[1])))


DONE: Final = Progress(TABLE_VERSION, None)
"""All was gone over with this release's table, or was labelled with it when it was written."""


def waits(mark: str | None, *, anybody: bool) -> bool:
    """Whether records may be stored that this release's table did not label.

    `mark` is what the installation's says, None where there is none; `anybody` tells that people are registered.
    """
    return anybody and (mark is None or Progress.read(mark) != DONE)


async def progress(connection: Connection) -> Progress | None:
    """How far the records were gone over; None where they never were."""
    rows = await fetch(connection, _READ, {"name": MARK})
    return Progress.read(rows[0].value) if rows else None


async def keep(connection: Connection, reached: Progress) -> None:
    """Keep the place, in the transaction of what was done up to it."""
    await fetch(connection, _WRITE, {"name": MARK, "value": reached.text})


async def open_wall(connection: Connection, patients: list[int]) -> None:
    """Let these patients' records be seen until the transaction ends."""
    await fetch(connection, _OPEN, {"patients": patients})
