"""The statements of a trial: they ask of what they are handed, and touch no table.

https://www.postgresql.org/docs/current/functions-json.html

What the service keeps in tables comes here as parameters, under the tables' names: grants, nodes and memberships in
the statement of the standing, records and their parts in the statement that asks for the visible ones. The parts of
both that decide are the service's own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg
from psycopg.rows import TupleRow
from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Table,
    Text,
    bindparam,
    column,
    func,
    select,
)

from consent.sql import Sight, visible
from consent.standing import GRANTS
from consent.tables import collective, consent_actor, consent_grant, consent_node, membership
from fhirstore.statements import ADAPTERS, DIALECT, Prepared, prepare
from fhirstore.tables import resource, resource_part
from fhirstore.types import TYPE_NUMBERS
from passport.standing_statement import KNOWN, RELEVANT, WALK

Connection = psycopg.Connection[TupleRow]
Rows = Sequence[Mapping[str, Any]]

WORLD_KEYS: Final = 1 << 20
"""So many patient_keys lie between two worlds of one statement; the first of a world's own is nobody's."""

GRANT_TABLES: Final = (consent_grant, consent_node, consent_actor, membership, collective)

_RECORD_COLUMNS: Final = ("version", "deleted", "parts", "others", "follows", "source")
_FACTS: Final = (
    "patient_key", "record_key", "type", "confidentiality", "labels", "codes", "code_systems", "categories", "starts",
    "ends", "authors", "refs",
)  # fmt: skip


def _shadow(table: Table) -> str:
    """A relation of a table's name and columns, of rows that are bound as a JSON array under that name."""
    columns = ", ".join(f"{each.name} {each.type.compile(DIALECT)}" for each in table.columns)
    return f"{table.name} AS (SELECT * FROM jsonb_to_recordset(%({table.name})s::jsonb) AS rows ({columns}))"


_STANDING: Final = Prepared(
    f"""
WITH RECURSIVE {", ".join(map(_shadow, GRANT_TABLES))},
caller AS (
    SELECT actor_key, CASE kind WHEN 'PractitionerRole' THEN kind END AS role, kind || '/' AS subject
    FROM unnest(%(kinds)s::text[], %(actors)s::bigint[]) AS starts (kind, actor_key)
),
walk (actor, step) AS ({WALK}),
known AS MATERIALIZED ({KNOWN}),
facets AS MATERIALIZED (
    SELECT known.actors, %(client)s::bigint AS client, known.unresolved, %(purpose)s::int AS purpose,
        %(action)s::int AS action, %(now)s::timestamptz AS at
    FROM known
),
asked AS (SELECT unnest(%(patients)s::bigint[]) AS patient_key)
SELECT patient_key, effect, shape_key, t_bits, f_bits FROM ({GRANTS}) AS standing_grant WHERE {RELEVANT}
""",
    {},
)


class Question:
    """Who asks about whom, and what these consented to: the parameters of one standing."""

    __slots__ = ("params",)

    def __init__(
        self,
        rows: Mapping[str, Rows],
        *,
        starts: Sequence[tuple[str, int]],
        client: int | None,
        purpose: int,
        action: int,
        at: datetime,
        patients: Sequence[int],
    ) -> None:
        """Gather them.

        Args:
            rows: of the tables of `GRANT_TABLES`, by name.
            starts: type and key of each that the caller acts as.
            client: the key of the application through which a person acts.
            purpose: a bit of `consent.compile`.
            action: a bit of `consent.compile`.
            at: the instant of the request.
            patients: the patients in question, and nobody.
        """
        tables = {table.name: orjson.dumps(rows.get(table.name, [])).decode() for table in GRANT_TABLES}
        self.params: Mapping[str, Any] = {
            **tables,
            "kinds": [kind for kind, _ in starts],
            "actors": [key for _, key in starts],
            "client": client,
            "purpose": purpose,
            "action": action,
            "now": at,
            "patients": list(patients),
        }


def connected(url: str) -> Connection:
    """A connection that writes nothing, prepares what recurs, and compiles no plan."""
    connection = psycopg.connect(url, autocommit=True, prepare_threshold=0, context=ADAPTERS)
    for setting in (
        "default_transaction_read_only = on",
        "timezone = 'UTC'",
        "jit = off",
        "plan_cache_mode = force_generic_plan",
    ):
        connection.execute(f"SET {setting}")
    return connection


def standings(connection: Connection, questions: Sequence[Question]) -> list[list[tuple[Any, ...]]]:
    """Patient_key, effect, shape_key, t_bits and f_bits of the grants that bear on each question; one round trip."""
    with connection.pipeline():
        cursors = [
            psycopg.RawCursor(connection).execute(
                _STANDING.numbered, _STANDING.bound(question.params), binary=True
            )
            for question in questions
        ]
    return [cursor.fetchall() for cursor in cursors]


def seen(
    connection: Connection,
    sight: Sight,
    bound: Mapping[str, object],
    records: Rows,
    parts: Rows,
    within: frozenset[str] | None,
) -> list[tuple[int, int]]:
    """Patient_key and record_key of the records that are visible; those of a world follow its nobody's key.

    Args:
        connection: to any server; nothing is read from its tables.
        sight: what the requests may see; each patient of each world has a key of their own.
        bound: what the sight binds.
        records: the rows of all worlds.
        parts: those of their parts.
        within: all types that there are among the records, None if they are not to be relied on.
    """
    record = _handed("records", (*_FACTS, *_RECORD_COLUMNS), resource)
    inside = _handed("parts", (*_FACTS, "version", "part_key"), resource_part)
    condition = visible(
        sight, record, parts=inside, targets=record, types=TYPE_NUMBERS, within=within, nobody=_nobody
    )
    statement = prepare(select(record.c.patient_key, record.c.record_key).where(condition))
    values = {**bound, "records": orjson.dumps(records).decode(), "parts": orjson.dumps(parts).decode()}
    cursor = psycopg.RawCursor(connection)
    return cursor.execute(statement.numbered, statement.bound(values), prepare=False, binary=True).fetchall()


def _handed(name: str, columns: Sequence[str], table: Table) -> CTE:
    typed = [column(each, table.c[each].type) for each in columns]
    rows = func.jsonb_to_recordset(func.jsonb(bindparam(name, type_=Text))).table_valued(*typed)
    return select(rows.render_derived(with_types=True)).cte(name)


def _nobody(record: FromClause) -> ColumnElement[int]:
    """The key of nobody in the world of a row."""
    key: ColumnElement[int] = record.c.patient_key
    return key - key % bindparam("world_keys", WORLD_KEYS, type_=BigInteger)
