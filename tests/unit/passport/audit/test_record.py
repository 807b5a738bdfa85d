"""Audit rows on a real database: written as they are, any number with one statement, and never changed."""

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from psycopg.rows import namedtuple_row

from passport.audit.record import COLUMNS, AuditRow, record
from passport.database import Connection, open_pool
from tests.databases import Database

pytestmark = pytest.mark.anyio

ROW = AuditRow(
    patient_key=7,
    audit_id=UUID(int=1),
    recorded=datetime(2031, 4, 1, 9, 0, 0, 123456, tzinfo=UTC),
    action="search",
    kind="practitioner",
    outcome="success",
    subject="Practitioner/mihon",
    role="PractitionerRole/mihon-hoshimi",
    purpose="TREAT",
    query='GET Observation?code=a,"b"\\c{}',
    record_keys=(-(2**63), 2**63 - 1, 0),
    versions=(1, 2, 3),
    grants=("Consent/1/_history/2", 'odd",{}\\ \n reference'),
    session_id=UUID(int=3),
    rests=("collect", "own"),
)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    async with open_pool(database.service_url, size=1) as pool, pool.connection() as one:
        yield one


async def written(connection: Connection) -> list[AuditRow]:
    cursor = connection.cursor(row_factory=namedtuple_row)
    await cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM audit_event ORDER BY audit_id")
    return [AuditRow(**_tuples(row._asdict())) for row in await cursor.fetchall()]


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def test_a_row_has_a_field_for_every_column() -> None:
    assert {field.name for field in fields(AuditRow)} == set(COLUMNS)


async def test_a_row_is_written_as_it_is(connection: Connection) -> None:
    bare = AuditRow(
        patient_key=0,
        audit_id=UUID(int=2),
        recorded=ROW.recorded,
        action="sign-in",
        kind="",
        outcome="refused",
    )
    await record(connection, [ROW, bare])
    assert await written(connection) == [ROW, bare]


async def test_a_row_keeps_what_it_was_decided_on(database: Database) -> None:
    seen = "SELECT pg_current_snapshot()::text, pg_current_xact_id()::text"
    kept = "SELECT rules, written_in::text, seen::text FROM audit_event"
    async with open_pool(database.service_url, size=1, rules=7) as pool, pool.connection() as one:
        async with one.transaction():
            await one.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            snapshot, number = (await (await one.execute(seen)).fetchone()) or ("", "")
            await record(one, [ROW])
        assert await (await one.execute(kept)).fetchone() == (7, number, snapshot)


async def test_a_row_of_a_process_without_rules_is_kept_as_well(connection: Connection) -> None:
    await record(connection, [ROW])
    assert await (await connection.execute("SELECT rules FROM audit_event")).fetchone() == (None,)


async def test_a_snapshot_that_was_kept_counts_more_than_that_of_the_row(connection: Connection) -> None:
    async with connection.transaction():
        await connection.execute("SELECT set_config('passport.seen', '5:9:5,7', true)")
        await record(connection, [ROW])
    assert await (await connection.execute("SELECT seen::text FROM audit_event")).fetchone() == ("5:9:5,7",)


async def test_no_row_costs_no_statement(connection: Connection) -> None:
    await connection.execute("BEGIN")
    await connection.execute("ROLLBACK")
    await record(connection, [])
    assert await written(connection) == []


async def test_any_number_of_rows_is_one_statement(connection: Connection) -> None:
    await record(connection, [replace(ROW, audit_id=uuid4()) for _ in range(500)])
    cursor = await connection.execute(
        "SELECT count(*), count(DISTINCT xmin::text || cmin::text) FROM audit_event"
    )
    assert await cursor.fetchone() == (500, 1)


async def test_a_row_goes_with_the_transaction_that_it_tells_about(connection: Connection) -> None:
    async with connection.transaction(force_rollback=True):
        await record(connection, [ROW])
        assert await written(connection) == [ROW]
    assert await written(connection) == []


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET outcome = 'x'", "DELETE FROM audit_event"])
async def test_the_service_can_neither_change_nor_delete_a_row(
    connection: Connection, statement: str
) -> None:
    await record(connection, [ROW])
    with pytest.raises(InsufficientPrivilege):
        await connection.execute(statement.encode())


async def test_a_row_that_cannot_be_written_undoes_the_others(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        await record(connection, [ROW, ROW])
    assert await written(connection) == []
