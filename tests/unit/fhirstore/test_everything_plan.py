"""What a page of `$everything` costs the database, on every supported server: what it shows, and no more."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import literal_column, true

from fhirstore.compartment.everything import everything
from passport.sql import prepare
from tests.databases import Database

LIMIT: Final = 51
BOUND: Final[Mapping[str, tuple[str, Any]]] = {
    "asked": ("bigint", 3),
    "types": ("smallint[]", list(range(1, 40))),
    "limit": ("int", LIMIT),
    "after_type": ("smallint", 12),
    **{f"after_time_{kind}": ("timestamptz", "2020-01-02T00:00:00Z") for kind in (0, 1)},
    **{f"after_key_{kind}": ("bigint", 5) for kind in (0, 1)},
}
FILL: Final = """
    INSERT INTO resource (patient_key, record_key, last_updated, source, starts, version, type, codec, deleted,
        parts, owned_otherwise, id, body, refs)
    SELECT 1 + n / 1000, n, '2026-10-01', 0, '2020-01-01'::timestamptz + n * interval '1 min', 1, 10 + n % 7, 0,
        false, false, false, n::text, repeat('x', 200)::bytea, '{}'
    FROM generate_series(1, 20000) AS n
"""


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_a_page_reads_the_rows_of_the_page(each_database: Database, mode: str) -> None:
    with psycopg.connect(each_database.superuser_url, autocommit=True) as connection:
        connection.execute(FILL)
        connection.execute("ANALYZE resource")
        connection.execute(f"SET plan_cache_mode = {mode}")
        for after in (False, True):
            looked_at = _looked_at(connection, after=after)
            assert LIMIT <= looked_at <= 2 * LIMIT, (mode, after, looked_at)


def _looked_at(connection: psycopg.Connection[Any], *, after: bool) -> float:
    """Rows of records that the statement reads, those that it then leaves out included."""
    select = everything(
        (), lambda _: true(), lambda _: literal_column("'{}'::int[]"), proposals=False, after=after
    )
    prepared = prepare(select)
    bound = {name: BOUND[name] for name in prepared.names}
    kinds = ", ".join(kind for kind, _ in bound.values())
    connection.execute(f"DEALLOCATE ALL; PREPARE page ({kinds}) AS {prepared.numbered}".encode())
    values = ", ".join("%s" for _ in bound)
    cursor = psycopg.ClientCursor(connection)
    cursor.execute(
        f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ({values})".encode(),
        [value for _, value in bound.values()],
    )
    ((told,),) = cursor.fetchall()
    plan = (told if isinstance(told, list) else json.loads(told))[0]["Plan"]
    return float(
        sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in nodes(plan)
            if node.get("Relation Name") == "resource"
        )
    )
