"""Whom an identifier names, for somebody who puts a request to them; it is told to nobody.

http://hl7.org/fhir/R4/patient-operation-match.html

The blind index is asked with the wall open, whoever the caller may see, and what it finds leaves only into the
request: a person who is here and one who is not cost the same statements.
"""

from typing import Final

from fhirstore.types import TYPE_NUMBERS
from passport.admission import Desk
from passport.disclosure.duplicates import EVERYONE
from passport.sql import Prepared, fetch

_NAMED: Final = Prepared(
    """
WITH found AS (
    SELECT i.patient_key
    FROM identifier_index AS i
    JOIN resource AS r ON r.patient_key = i.patient_key AND r.record_key = i.record_key
    WHERE i.value = %(value)s AND r.type = %(type)s AND NOT r.deleted
),
registered AS (
    SELECT coalesce(l.other_key, found.patient_key) AS patient_key
    FROM found LEFT JOIN patient_link AS l ON l.patient_key = found.patient_key
)
SELECT p.patient_id FROM patient AS p
WHERE p.patient_key IN (SELECT patient_key FROM registered)
    AND NOT EXISTS (SELECT FROM patient_merge AS m WHERE m.patient_key = p.patient_key AND m.undone_at IS NULL)
LIMIT 2
""",
    {},
)
"""The registrations of an identifier; of merged ones the one that took the others' place."""


async def resident_named(desk: Desk, system: str, value: str) -> str | None:
    """The Patient of an identifier; None where nobody has it, or more than one person."""
    params = {"value": desk.runtime.keys.identifier(system, value), "type": TYPE_NUMBERS["Patient"]}
    await fetch(desk.connection, EVERYONE, {"open": "on"})
    rows = await fetch(desk.connection, _NAMED, params)
    await fetch(desk.connection, EVERYONE, {"open": "off"})
    return f"Patient/{rows[0].patient_id}" if len(rows) == 1 else None
