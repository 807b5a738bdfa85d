"""Records one after the other, in the order of their keys: for what goes over all that is stored.

https://use-the-index-luke.com/no-offset

These have one caller, the intake (a check in `make check` keeps it so); what they open the wall lets through.
"""

from collections.abc import Sequence
from typing import Final

from fhirstore.rows import THESE
from fhirstore.statements import Connection, Row, fetch, written

WRITES: Final = ("patients_after", "records_after", "hold", "directory_records")

_NAMED: Final = "patient_key, record_key, type, id, version, deleted, source"
_COLUMNS: Final = f"{_NAMED}, codec, body, coalesce(others, '{{}}') AS others"

PATIENTS_AFTER: Final = (
    "SELECT patient_key, wrapped_key FROM patient WHERE patient_key >= %(first)s "
    "ORDER BY patient_key LIMIT %(limit)s"
)
RECORDS_AFTER: Final = (
    f"SELECT {_COLUMNS} FROM resource WHERE (patient_key, record_key) > (%(patient_key)s, %(record_key)s) "
    "AND patient_key <= %(last)s ORDER BY patient_key, record_key LIMIT %(limit)s"
)
# By the keys in ascending order, as every writer does: of two that hold the same ones neither waits for the other.
HOLD: Final = (
    f"SELECT {_COLUMNS} FROM resource WHERE (patient_key, record_key) IN ({THESE}) "
    "ORDER BY record_key FOR UPDATE"
)
DIRECTORY_RECORDS: Final = (
    f"SELECT {_COLUMNS} FROM resource WHERE patient_key = 0 AND record_key = ANY (%(record_keys)s::bigint[]) "
    "AND NOT deleted"
)


async def patients_after(connection: Connection, first: int, limit: int) -> Sequence[Row]:
    """The patients from this key on, nobody among them: patient_key and wrapped_key."""
    return await fetch(connection, written(PATIENTS_AFTER), {"first": first, "limit": limit})


async def records_after(
    connection: Connection, place: tuple[int, int], last: int, limit: int
) -> Sequence[Row]:
    """The current versions after `place` (patient_key, record_key), none past the patient `last`."""
    patient_key, record_key = place
    params = {"patient_key": patient_key, "record_key": record_key, "last": last, "limit": limit}
    return await fetch(connection, written(RECORDS_AFTER), params)


async def hold(connection: Connection, keys: Sequence[tuple[int, int]]) -> Sequence[Row]:
    """The current versions of these records (patient_key, record_key), locked until the transaction ends."""
    params = {"patient_key": [patient for patient, _ in keys], "record_key": [record for _, record in keys]}
    return await fetch(connection, written(HOLD), params)


async def directory_records(connection: Connection, record_keys: Sequence[int]) -> Sequence[Row]:
    """The current versions of these records of the directory."""
    return await fetch(connection, written(DIRECTORY_RECORDS), {"record_keys": list(record_keys)})
