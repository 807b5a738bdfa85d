"""A pipeline that leaves in one piece: nothing is sent before its answers are waited for, and none is lost."""

import select
from collections.abc import AsyncIterator
from typing import Final

import psycopg
import pytest

from fhirstore.line import Line
from passport.database import open_pool
from passport.sql import Prepared, fetch, start
from tests.databases import Database

pytestmark = pytest.mark.anyio

MANY: Final = 50
SQUARE: Final = Prepared("SELECT %(number)s::bigint * %(number)s::bigint AS square", {})
DIVIDED: Final = Prepared("SELECT 1 / %(number)s::bigint AS divided", {})


@pytest.fixture
async def line(module_database: Database) -> AsyncIterator[Line]:
    async with open_pool(module_database.service_url, size=1) as pool, pool.connection() as one:
        assert isinstance(one, Line)
        yield one


def answered(line: Line) -> bool:
    """Whether the server has something to say within a moment."""
    return bool(select.select([line.pgconn.socket], [], [], 0.2)[0])


async def test_nothing_is_sent_before_an_answer_is_waited_for(line: Line) -> None:
    async with line.pipeline():
        cursors = [await start(line, SQUARE, {"number": number}) for number in range(MANY)]
        assert not answered(line)
    squares = [row.square for cursor in cursors for row in await cursor.fetchall()]
    assert squares == [number * number for number in range(MANY)]


async def test_an_answer_in_the_midst_of_a_pipeline_comes_with_those_before_it(line: Line) -> None:
    async with line.pipeline():
        first = await start(line, SQUARE, {"number": 2})
        (second,) = await fetch(line, SQUARE, {"number": 3})
        # It has come: to read it waits for nothing.
        (earlier,) = await first.fetchall()
        third = await start(line, SQUARE, {"number": 4})
    (later,) = await third.fetchall()
    assert (earlier.square, second.square, later.square) == (4, 9, 16)


async def test_the_first_error_of_a_pipeline_is_raised_and_what_follows_it_is_undone(line: Line) -> None:
    await line.execute("CREATE TEMPORARY TABLE kept (number bigint)")
    await line.execute("BEGIN")

    async def said() -> None:
        async with line.pipeline():
            await line.execute("INSERT INTO kept VALUES (1)")
            await start(line, DIVIDED, {"number": 0})
            await line.execute("INSERT INTO kept VALUES ('none')")
            await line.execute("COMMIT")

    with pytest.raises(psycopg.errors.DivisionByZero):
        await said()
    await line.rollback()
    assert await fetch(line, Prepared("SELECT number FROM kept", {}), {}) == []


async def test_an_error_between_the_statements_is_the_one_that_is_raised(line: Line) -> None:
    async def interrupted() -> None:
        async with line.pipeline():
            await start(line, DIVIDED, {"number": 0})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted()
    (row,) = await fetch(line, SQUARE, {"number": 5})
    assert row.square == 25


async def test_a_pipeline_within_another_ends_what_was_said_before_it(line: Line) -> None:
    async with line.pipeline():
        outer = await start(line, SQUARE, {"number": 6})
        async with line.pipeline():
            inner = await start(line, SQUARE, {"number": 7})
    rows = [row.square for cursor in (outer, inner) for row in await cursor.fetchall()]
    assert rows == [36, 49]
