"""Several statements in one round trip, on a real server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from fhirstore.exchange import MAX_PREPARED, Step, exchange, fetch
from fhirstore.literals import UnwritableParameter, literal
from fhirstore.statements import Connection, Prepared
from tests.databases import Database

pytestmark = pytest.mark.anyio

ONE = Prepared("SELECT 1 AS one", {})
FAILS = Prepared("SELECT 1 / %(by)s::int", {})
PREPARED = Prepared("SELECT count(*) AS number FROM pg_prepared_statements", {})


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(database.superuser_url, autocommit=True) as opened:
        await opened.execute("SET TIME ZONE 'UTC'")
        await opened.execute("CREATE TABLE kept (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        yield opened


def kept(number: int) -> Step:
    return Step(Prepared("INSERT INTO kept VALUES (%(number)s) RETURNING number", {}), {"number": number})


async def numbers(connection: Connection) -> list[int]:
    return [row.number for row in await fetch(connection, Prepared("SELECT number FROM kept", {}), {})]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 'a "quoted" \\ text, {with} 見本\n'),
        ("text", "NULL"),
        ("text", ""),
        ("bigint", -(2**63)),
        ("bool", True),
        ("bool", False),
        ("bytea", bytes(range(256))),
        ("bytea", b""),
        ("uuid", UUID(int=7)),
        ("timestamptz", datetime(1, 1, 1, tzinfo=UTC)),
        ("timestamptz", datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)),
        ("date", date(2026, 11, 22)),
        ("interval", timedelta(days=-2, seconds=3, microseconds=4)),
    ],
)
async def test_a_value_arrives_as_it_is_by_itself_and_in_a_list(
    connection: Connection, kind: str, value: object
) -> None:
    statement = Prepared(f"SELECT %(one)s::{kind} AS one, %(many)s::{kind}[] AS many", {})
    (row,) = await fetch(connection, statement, {"one": value, "many": [value, None, value]})
    assert row == (value, [value, None, value])


async def test_nothing_an_empty_list_and_json_arrive_as_they_are(connection: Connection) -> None:
    statement = Prepared("SELECT %(none)s::text, %(empty)s::int[], %(json)s::jsonb", {})
    values = {"none": None, "empty": (), "json": Jsonb({"name": '見本 "花子"'})}
    assert await fetch(connection, statement, values) == [(None, [], {"name": '見本 "花子"'})]


def test_a_value_that_no_statement_takes_is_refused_by_its_kind() -> None:
    with pytest.raises(UnwritableParameter, match="`dict`"):
        literal([{"a": 1}])


async def test_a_refused_value_leaves_the_connection_as_it_was(connection: Connection) -> None:
    with pytest.raises(UnwritableParameter):
        await exchange(connection, kept(1), Step(FAILS, {"by": 1j}))
    assert await numbers(connection) == []


async def test_the_steps_of_one_round_trip_see_what_the_earlier_ones_did(connection: Connection) -> None:
    rows = await exchange(connection, kept(1), Step(ONE), Step(Prepared("SELECT number FROM kept", {})))
    assert rows == [[(1,)], [(1,)], [(1,)]]


async def test_a_step_that_fails_undoes_those_before_it_and_stops_those_after_it(
    connection: Connection,
) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        await exchange(connection, kept(1), Step(FAILS, {"by": 0}), kept(2))
    assert await numbers(connection) == []


async def test_a_commit_that_fails_hands_over_no_rows(connection: Connection) -> None:
    await exchange(connection, kept(1))
    with pytest.raises(psycopg.errors.UniqueViolation):
        await exchange(connection, kept(1))
    with pytest.raises(psycopg.errors.UniqueViolation):
        await exchange(connection, Step(Prepared("BEGIN", {})), kept(1), Step(Prepared("COMMIT", {})))
    assert await numbers(connection) == [1]


async def test_a_rollback_loses_no_prepared_statement(connection: Connection) -> None:
    for _ in range(2):
        await exchange(connection, Step(Prepared("BEGIN", {})), kept(1))
        await connection.rollback()
    assert await numbers(connection) == []


async def test_a_connection_keeps_a_bounded_number_of_statements(connection: Connection) -> None:
    for number in range(MAX_PREPARED + 20):
        (row,) = await fetch(connection, Prepared(f"SELECT {number} AS number", {}), {})
        assert row.number == number
    (row,) = await fetch(connection, PREPARED, {})
    assert row.number <= MAX_PREPARED
    assert await fetch(connection, Prepared("SELECT 0 AS number", {}), {}) == [(0,)]


async def test_a_round_trip_that_is_given_up_leaves_the_connection_usable(connection: Connection) -> None:
    slow = Prepared("SELECT pg_sleep(%(seconds)s::int)", {})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(exchange(connection, kept(1), Step(slow, {"seconds": 60})), 0.2)
    assert await numbers(connection) == []


async def test_a_cut_connection_fails_and_is_known_to_be_closed(
    connection: Connection, database: Database
) -> None:
    with psycopg.connect(database.superuser_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        await exchange(connection, Step(ONE), Step(ONE))
    assert connection.closed


async def test_rows_are_named_as_their_columns(connection: Connection) -> None:
    rows: list[Any] = list(await fetch(connection, ONE, {}))
    assert rows[0].one == 1
    assert await fetch(connection, Prepared("SELECT 1 WHERE false", {}), {}) == []
    assert await fetch(connection, Prepared("CREATE TABLE empty ()", {}), {}) == []
