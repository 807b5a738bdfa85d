"""What a statement reads of the table of records: planned as the service has it planned, and run."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg
from sqlalchemy import ClauseElement

from passport.sql import prepare

Bound = Mapping[str, tuple[str, Any]]
"""By name: the PostgreSQL type and the value of what is bound."""

MODES: Final = ("force_custom_plan", "force_generic_plan")

FILL: Final = """
    INSERT INTO resource (patient_key, record_key, last_updated, source, starts, version, type, codec, deleted,
        parts, owned_otherwise, id, body, refs)
    SELECT 1 + n / 1000, n, '2026-10-01', 0, '2020-01-01'::timestamptz + n * interval '1 min', 1, 10 + n % 7, 0,
        false, false, false, n::text, repeat('x', 200)::bytea, '{}'
    FROM generate_series(1, 20000) AS n
"""
"""Twenty patients with a thousand records each, of seven types."""


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every node of a plan."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def rows_read(connection: psycopg.Connection[Any], statement: ClauseElement, known: Bound) -> float:
    """Rows of records that a statement reads, those that it then leaves out included."""
    prepared = prepare(statement)
    constants = {name: ("bigint", value) for name, value in prepared.constants.items() if value is not None}
    bound = {name: known[name] if name in known else constants[name] for name in prepared.names}
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
