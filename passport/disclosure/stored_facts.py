"""The facts of one record as they are stored: what decides about it, and not what its body says.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, Select, any_, bindparam, not_, select
from sqlalchemy.dialects.postgresql import ARRAY

from consent.systems import FOLLOWING
from fhirstore.tables import fact_columns, resource, resource_part
from fhirstore.types import TYPES_BY_NUMBER, TypeNumber
from passport.disclosure.recorded import kept
from passport.disclosure.weighing import Whose
from passport.sql import Row, fetch

_FACTS: Final = tuple(column.name for column in fact_columns())
_OF_RECORDS: Final = (
    "patient_key", "record_key", "id", "version", "source", "status", "others", "follows", "parts",
)  # fmt: skip
_KEYS: Final = ARRAY(BigInteger)


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """The row of a record, those of its parts, and what it follows; None is a target that is not there."""

    row: Row
    parts: tuple[Row, ...] = ()
    follows: tuple["StoredFacts | None", ...] = ()

    @property
    def type_name(self) -> str:
        """The name of its type."""
        return TYPES_BY_NUMBER[TypeNumber(self.row.type)].name

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type_name}/{self.row.id}"

    @property
    def patient_keys(self) -> tuple[int, ...]:
        """Everybody whom it names."""
        return (self.row.patient_key, *(self.row.others or ()))


async def stored_facts(whose: Whose, record_key: int) -> StoredFacts | None:
    """The facts of a record that the viewer sees; None for any other id.

    A statement for the record; one more where it has parts, and two for each step to what it follows, of which there
    are two at most.
    """
    found = await _facts(whose, [record_key], seen=True)
    return found.get(record_key)


async def _facts(whose: Whose, record_keys: Sequence[int], *, seen: bool) -> dict[int, StoredFacts]:
    rows = await fetch(
        whose.desk.connection,
        kept(whose.desk.runtime, ("facts", seen, whose.viewer.structure), lambda: _records(whose, seen=seen)),
        {**whose.params, "record_keys": list(record_keys), "near": [*whose.holders, 0]},
    )
    parts = await _parts(whose, [row for row in rows if row.parts])
    followed = {key for row in rows if _follows(row) for key in row.follows or ()}
    targets = await _facts(whose, sorted(followed), seen=False) if followed else {}
    return {
        row.record_key: StoredFacts(
            row,
            tuple(part for part in parts if part.record_key == row.record_key),
            tuple(targets.get(key) for key in row.follows or ()) if _follows(row) else (),
        )
        for row in rows
    }


def _follows(row: Row) -> bool:
    return TYPES_BY_NUMBER[TypeNumber(row.type)].name in FOLLOWING


async def _parts(whose: Whose, rows: Sequence[Row]) -> Sequence[Row]:
    if not rows:
        return ()
    part = resource_part.alias("p")
    names = ("record_key", "part_key", *_FACTS)

    def statement() -> Select[Any]:
        # What stands inside of a record is that of its current version alone.
        return (
            select(*(part.c[name] for name in names))
            .join(
                resource,
                (resource.c.patient_key == part.c.patient_key)
                & (resource.c.record_key == part.c.record_key)
                & (resource.c.version == part.c.version),
            )
            .where(
                part.c.patient_key == any_(bindparam("near", type_=_KEYS)),
                part.c.record_key == any_(bindparam("record_keys", type_=_KEYS)),
            )
            .order_by(part.c.record_key, part.c.part.cast(Integer))
        )

    params = {
        "near": sorted({row.patient_key for row in rows}),
        "record_keys": [row.record_key for row in rows],
    }
    prepared = kept(whose.desk.runtime, ("facts of parts",), statement)
    return await fetch(whose.desk.connection, prepared, params)


def _records(whose: Whose, *, seen: bool) -> Select[Any]:
    record = resource.alias("r")
    rows = select(*(record.c[name] for name in (*_OF_RECORDS, *_FACTS))).where(
        record.c.record_key == any_(bindparam("record_keys", type_=_KEYS)),
        record.c.patient_key == any_(bindparam("near", type_=_KEYS)),
        not_(record.c.deleted),
    )
    # Whoever sees what follows a record sees that as well: it is a condition of its own.
    return rows.where(*whose.condition(record)) if seen else rows
