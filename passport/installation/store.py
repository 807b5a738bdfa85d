"""The statements of an installation's marks, and of the row that stands for nobody.

https://www.postgresql.org/docs/current/sql-insert.html
"""

from datetime import datetime
from typing import Any, Final

import psycopg

from fhirstore.tables import NOBODY

_MARK: Final = """
INSERT INTO installation (name, value) VALUES (%(name)s, %(value)s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""
_MARKS: Final = "SELECT name, value FROM installation"
_ANYBODY: Final = "SELECT EXISTS (SELECT FROM patient WHERE patient_key <> %(nobody)s)"
_NOBODY: Final = """
INSERT INTO patient (patient_key, patient_id, wrapped_key, created_at)
VALUES (%(patient_key)s, '', %(wrapped_key)s, %(now)s)
ON CONFLICT DO NOTHING
"""

Database = psycopg.Connection[Any]


def marks(connection: Database) -> dict[str, str]:
    """What the database says of the installation it belongs to."""
    return dict(connection.execute(_MARKS).fetchall())


def mark(connection: Database, name: str, value: str) -> None:
    """Write one mark."""
    connection.execute(_MARK, {"name": name, "value": value})


def make_nobody(connection: Database, wrapped_key: bytes, now: datetime) -> bool:
    """Give directory resources and policies their row among the patients, with its key, once; whether this was it."""
    row = {"patient_key": NOBODY, "wrapped_key": wrapped_key, "now": now}
    return connection.execute(_NOBODY, row).rowcount > 0


def anybody(connection: Database) -> bool:
    """Whether people are registered."""
    (found,) = connection.execute(_ANYBODY, {"nobody": NOBODY}).fetchall()[0]
    return bool(found)
