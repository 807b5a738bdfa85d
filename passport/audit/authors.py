"""Who wrote the versions of a record, and in which way: by the log, and not by what the record says of itself.

https://profiles.ihe.net/ITI/BALP/
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from passport.admission import Desk
from passport.sql import Prepared, fetch

_WRITERS: Final = Prepared(
    """
SELECT told.version, event.subject, event.role, event.query, told.rests
FROM audit_event AS event,
    unnest(event.record_keys, event.versions, event.rests) AS told (record_key, version, rests)
WHERE event.patient_key = %(patient_key)s AND event.recorded = ANY (%(instants)s::timestamptz[])
    AND event.outcome = 'success' AND told.record_key = %(record_key)s AND told.rests <> 'access'
""",
    {},
)
"""The rows of one person's log that tell who wrote these versions; they are of the very instants of them."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a version: the person, or whoever acted in a role; what they asked, and what let it through."""

    reference: str
    query: str
    rests: str


async def authors_of(
    desk: Desk, patient_key: int, reference: str, instants: Collection[datetime]
) -> Mapping[int, Author]:
    """By its number who wrote each version of a record, as far as its person's log tells.

    Args:
        desk: of somebody who was shown these versions.
        patient_key: with whom the record lies.
        reference: `Type/id`.
        instants: when the versions were written.
    """
    params = {
        "patient_key": patient_key,
        "record_key": desk.runtime.keys.reference(reference),
        "instants": sorted(instants),
    }
    rows = await fetch(desk.connection, _WRITERS, params)
    return {row.version: Author(row.role or row.subject, row.query, row.rests) for row in rows if row.subject}
