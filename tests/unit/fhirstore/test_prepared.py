"""Statements that a connection keeps prepared: rows as a cursor gives them, and nothing that outlives its plan."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncRawCursor
from psycopg.rows import namedtuple_row

from fhirstore.line import Line
from fhirstore.prepared import MOST_KEPT, PREPARED_FROM
from passport.database import open_pool
from tests.databases import Database

pytestmark = pytest.mark.anyio

VALUES: Final[list[object]] = [
    7,
    "text",
    b"\x00bytes",
    None,
    True,
    datetime(2026, 11, 22, 12, tzinfo=UTC),
    UUID(int=5),
    [1, 2],
    "{1,NULL}",
]
TYPES: Final = ("bigint", "text", "bytea", "int", "bool", "timestamptz", "uuid", "bigint[]", "bigint[]")
COLUMNS: Final = ", ".join(f"${at}::{type_} AS c{at}" for at, type_ in enumerate(TYPES, 1))
TEXT: Final = f'SELECT {COLUMNS}, 1, 2 AS "of two words"'


@pytest.fixture(scope="module")
def database(module_database: Database) -> Database:
    return module_database


@pytest.fixture
async def line(database: Database) -> AsyncIterator[Line]:
    async with open_pool(database.service_url, size=1) as pool, pool.connection() as one:
        assert isinstance(one, Line)
        yield one


async def kept(line: Line) -> list[str]:
    """The names of what the server has prepared for this connection."""
    cursor = await line.execute(
        "SELECT name FROM pg_prepared_statements WHERE name LIKE 'kept%'", prepare=False
    )
    return [row[0] for row in await cursor.fetchall()]


async def test_rows_are_those_of_a_cursor(line: Line) -> None:
    cursor = AsyncRawCursor(line, row_factory=namedtuple_row)
    expected = await (await cursor.execute(TEXT, VALUES, binary=True)).fetchall()
    for _ in range(PREPARED_FROM + 2):
        rows = await line.ask(TEXT, VALUES)
        assert rows == expected
        assert [row._fields for row in rows] == [row._fields for row in expected]
        assert [list(map(type, row)) for row in rows] == [list(map(type, row)) for row in expected]


async def test_what_returns_no_rows_returns_none(line: Line) -> None:
    assert await line.ask("SELECT 1 WHERE false", []) == []
    assert await line.ask("SET LOCAL lock_timeout = 1", []) == []


async def test_values_of_other_types_make_another_statement(line: Line) -> None:
    for _ in range(PREPARED_FROM + 2):
        for value in (1, "1", None, datetime(2026, 1, 1, tzinfo=UTC)):
            (row,) = await line.ask("SELECT $1::text IS NULL AS missing", [value])
            assert row.missing is (value is None)


async def test_a_statement_is_prepared_when_it_comes_again_and_the_oldest_are_forgotten(line: Line) -> None:
    for _ in range(PREPARED_FROM):
        await line.ask("SELECT 1", [])
    assert await kept(line) == []
    await line.ask("SELECT 1", [])
    assert await kept(line) == ["kept_0"]
    for number in range(MOST_KEPT + 20):
        for _ in range(PREPARED_FROM + 1):
            await line.ask(f"SELECT {number} AS one", [])
    await line.ask("SELECT 1", [])
    names = await kept(line)
    assert len(names) <= MOST_KEPT
    assert "kept_0" not in names


async def test_a_plan_that_does_not_fit_any_more_fails_once(line: Line) -> None:
    await line.execute("CREATE TEMP TABLE changing (held int)")
    for _ in range(PREPARED_FROM + 1):
        await line.ask("SELECT * FROM changing", [])
    await line.execute("ALTER TABLE changing ALTER held TYPE text")
    await line.execute("INSERT INTO changing VALUES ('new')")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        await line.ask("SELECT * FROM changing", [])
    for _ in range(PREPARED_FROM + 1):
        assert [row.held for row in await line.ask("SELECT * FROM changing", [])] == ["new"]


async def test_a_statement_that_the_server_has_dropped_fails_once(line: Line) -> None:
    for _ in range(PREPARED_FROM + 1):
        await line.ask("SELECT 1 AS one", [])
    await line.execute("DEALLOCATE ALL")
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        await line.ask("SELECT 1 AS one", [])
    for _ in range(PREPARED_FROM + 1):
        assert [row.one for row in await line.ask("SELECT 1 AS one", [])] == [1]


async def test_rows_are_not_given_where_the_commit_fails(line: Line) -> None:
    await line.execute("CREATE TEMP TABLE once (held int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    asked: tuple[str, list[Any]] = ("INSERT INTO once VALUES ($1::int) RETURNING held", [1])
    assert [row.held for row in await line.ask(*asked)] == [1]
    for _ in range(PREPARED_FROM + 1):
        with pytest.raises(psycopg.errors.UniqueViolation) as error:
            await line.ask(*asked)
        assert error.value.sqlstate == "23505"
        assert error.value.diag.constraint_name == "once_held_key"


async def test_a_statement_within_others_is_refused(line: Line) -> None:
    async with line.transaction():
        with pytest.raises(psycopg.InterfaceError):
            await line.ask("SELECT 1 AS one", [])
    async with line.pipeline():
        with pytest.raises(psycopg.InterfaceError):
            await line.ask("SELECT 1 AS one", [])
    assert [row.one for row in await line.ask("SELECT 1 AS one", [])] == [1]


async def test_a_value_that_cannot_be_written_costs_no_connection(line: Line) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        await line.ask("SELECT $1", [object()])
    with pytest.raises(psycopg.DataError):
        await line.ask("SELECT $1::text", ["\x00"])
    assert [row.one for row in await line.ask("SELECT 1 AS one", [])] == [1]
