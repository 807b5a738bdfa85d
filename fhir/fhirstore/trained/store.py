"""The statements over stored dictionaries.

https://www.postgresql.org/docs/current/sql-insert.html
"""

from datetime import datetime
from typing import Final

import psycopg

from fhirstore.bodies import CodecNumber
from fhirstore.statements import Connection
from fhirstore.trained import TRAINED, content

_KEEP: Final = (
    "INSERT INTO dictionary (number, kind, version, content, created_at) "
    "SELECT * FROM unnest(%(number)s::smallint[], %(kind)s::text[], %(version)s::smallint[], "
    "%(content)s::bytea[], array_fill(%(now)s::timestamptz, ARRAY[cardinality(%(number)s::smallint[])])) "
    "ON CONFLICT DO NOTHING"
)
_ALL: Final = "SELECT number, content FROM dictionary"
_ONE: Final = "SELECT content FROM dictionary WHERE number = %s"


async def keep_trained(connection: Connection, now: datetime) -> dict[CodecNumber, bytes]:
    """Keep the product's dictionaries in the database, and return all that it holds.

    What it holds under a number stays as it is: bodies were written with it.
    """
    cursor = await connection.execute(_ALL)
    held = {CodecNumber(number): bytes(found) for number, found in await cursor.fetchall()}
    if all(each.number in held for each in TRAINED):
        return held
    values = {
        "number": [each.number for each in TRAINED],
        "kind": [each.kind for each in TRAINED],
        "version": [each.version for each in TRAINED],
        "content": [content(each) for each in TRAINED],
        "now": now,
    }
    await connection.execute(_KEEP, values)
    cursor = await connection.execute(_ALL)
    return {CodecNumber(number): bytes(found) for number, found in await cursor.fetchall()}


def look_up(database_url: str, number: CodecNumber) -> bytes | None:
    """A dictionary that another process, perhaps of a later release, has written with; None if there is none."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        row = connection.execute(_ONE, (number,)).fetchone()
    return None if row is None else bytes(row[0])
