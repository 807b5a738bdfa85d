"""What records are called: from the keys that audit rows and memberships hold back to `Type/id`.

http://hl7.org/fhir/R4/references.html#literal

A system reader: it tells type and id of records and opens no body. Who may be told was decided before, by
whoever asks: an audit row is read by its patient and by auditors, the directory by everyone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from fhirstore.types import TYPES_BY_NUMBER
from passport.sql import Connection, Prepared, fetch

_WALL: Final = Prepared(
    """
SELECT set_config('passport.patients', coalesce(array_agg(DISTINCT patient_key), '{}')::text, true)
FROM locator WHERE record_key = ANY (%(record_keys)s::bigint[])
""",
    {},
)
_NAMES: Final = Prepared(
    """
SELECT resource.record_key, resource.patient_key, resource.type, resource.id, resource.deleted
FROM locator JOIN resource USING (patient_key, record_key)
WHERE locator.record_key = ANY (%(record_keys)s::bigint[])
""",
    {},
)


@dataclass(frozen=True, slots=True)
class Named:
    """A record by name; `patient_key` says under whom it is stored."""

    type: str
    id: str
    patient_key: int
    deleted: bool

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"


async def named(connection: Connection, record_keys: Iterable[int]) -> Mapping[int, Named]:
    """Return what the records of these keys are called, those that were erased left out.

    It moves the wall of the open transaction to the patients of these records, so it comes last in one.
    """
    keys = sorted(set(record_keys))
    if not keys:
        return {}
    params = {"record_keys": keys}
    await fetch(connection, _WALL, params)
    rows = await fetch(connection, _NAMES, params)
    return {
        row.record_key: Named(TYPES_BY_NUMBER[row.type].name, row.id, row.patient_key, row.deleted)
        for row in rows
    }
