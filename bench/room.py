"""What a stored Observation takes on the disk, with everything that finds it.

https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-DBSIZE

Measured as the tables stand after filling: pages that are not full count as they are. Consents, the people
themselves and the log are left out; what stands beside records of other types is divided among the Observations.
"""

from collections.abc import Iterator
from random import Random
from typing import Final
from uuid import UUID

import psycopg

from bench.filling import SEED
from bench.residents import observations
from bench.statements import BARE_JSON, FILL_JSON, SIZES
from fhirstore.parse import serialise
from fhirstore.types import TYPES

TABLES: Final = ("resource", "resource_token", "identifier_index", "locator", "copatient")
SAMPLE: Final = 4_000
"""Observations in the plain table that is compared with."""

_SMALLEST: Final = 0.5
"""Bytes per Observation below which a table or an index is not named."""


def sizes(superuser_url: str) -> Iterator[tuple[float, str]]:
    """Bytes per Observation and what takes them: all together, each table and index, and a plain table."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        number = int(TYPES["Observation"].number)
        found = connection.execute("SELECT count(*) FROM resource WHERE type = %s", [number]).fetchone()
        count = found[0] if found else 0
        parts = connection.execute(SIZES, {"tables": list(TABLES)}).fetchall()
        yield sum(size for _, size in parts) / count, "together"
        for name, size in parts:
            if size / count >= _SMALLEST:
                yield size / count, f"  {name}"
        yield _plain(connection), "bare SQL: a table of id and jsonb, which finds by id alone"


def _plain(connection: psycopg.Connection[tuple[int, ...]]) -> float:
    chance = Random(SEED)
    bodies = [serialise(tree).decode() for tree in observations("Patient/bench", SAMPLE, chance)]
    ids = [UUID(int=chance.getrandbits(128), version=4) for _ in bodies]
    connection.execute("DROP TABLE IF EXISTS bare_json")
    connection.execute(BARE_JSON)
    connection.execute(FILL_JSON, [ids, bodies])
    found = connection.execute("SELECT pg_total_relation_size('bare_json')").fetchone()
    return (found[0] if found else 0) / SAMPLE
