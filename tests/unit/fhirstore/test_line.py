"""A connection that stays watched: every answer belongs to its question, whatever happens to the others."""

import asyncio
import random
import select
from collections.abc import AsyncIterator
from typing import Any, Final

import psycopg
import pytest
from psycopg.abc import PQGen
from psycopg.waiting import Wait

from fhirstore.line import Line
from passport.database import Connection, Pool, open_pool
from passport.sql import Prepared, fetch, fetch_alone, start
from tests.databases import Database

pytestmark = pytest.mark.anyio

SIZE: Final = 4
LARGE: Final = 20_000_000
"""Bytes that no socket takes at once."""

ECHO: Final = Prepared("SELECT %(said)s::text AS said", {})
LOCKED: Final = Prepared("SELECT %(said)s::text AS said FROM pg_advisory_xact_lock(7)", {})
HOLDING: Final = Prepared("SELECT pg_advisory_xact_lock(7), pg_sleep(%(seconds)s)", {})


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """The service runs on uvloop, its workers on the loop of the language."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def database(module_database: Database) -> Database:
    return module_database


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    async with open_pool(database.service_url, size=SIZE) as opened:
        yield opened


@pytest.fixture
async def line(pool: Pool) -> AsyncIterator[Line]:
    async with pool.connection() as one:
        assert isinstance(one, Line)
        await echoes(one)
        yield one


async def echoes(line: Connection, said: str = "here") -> None:
    for ask in (fetch, fetch_alone):
        (row,) = await ask(line, ECHO, {"said": said})
        assert row.said == said


async def turn() -> None:
    """Let the loop turn once."""
    turned = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(turned.set_result, None)
    await turned


def unwatched(descriptor: int) -> bool:
    """Whether the loop watches a socket no longer."""
    return not asyncio.get_running_loop().remove_reader(descriptor)


async def test_every_answer_belongs_to_its_question_whoever_is_cancelled(pool: Pool) -> None:
    drawn = random.Random(20261122)
    answers: dict[str, list[str]] = {}

    async def alone(name: str) -> None:
        async with pool.connection() as line:
            answers[name] = [row.said for row in await fetch_alone(line, ECHO, {"said": name})]

    async def by_a_cursor(name: str) -> None:
        async with pool.connection() as line:
            answers[name] = [row.said for row in await fetch(line, ECHO, {"said": name})]

    async def in_a_pipeline(name: str) -> None:
        async with pool.connection() as line:
            async with line.pipeline():
                await line.execute("BEGIN")
                first = await start(line, ECHO, {"said": name})
                second = await start(line, ECHO, {"said": name})
                await line.execute("COMMIT")
            answers[name] = [row.said for cursor in (first, second) for row in await cursor.fetchall()]

    async def cancelled(name: str) -> None:
        asked = asyncio.create_task(drawn.choice((alone, by_a_cursor, in_a_pipeline))(name))
        for _ in range(drawn.randrange(1, 30)):
            await turn()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)

    kinds = [drawn.choice((alone, by_a_cursor, in_a_pipeline, cancelled)) for _ in range(400)]
    await asyncio.gather(*(kind(f"question {number}") for number, kind in enumerate(kinds)))
    assert all(set(answer) == {name} for name, answer in answers.items())
    expected = {f"question {number}" for number, kind in enumerate(kinds) if kind is not cancelled}
    assert expected <= set(answers)
    assert len(answers) < len(kinds)


async def test_a_statement_that_is_cancelled_is_given_up_and_its_connection_closed(
    pool: Pool, line: Line
) -> None:
    descriptor = line.pgconn.socket
    asked = asyncio.create_task(fetch_alone(line, HOLDING, {"seconds": 60}))
    async with pool.connection() as other:
        while not await fetch(other, Prepared("SELECT FROM pg_locks WHERE locktype = 'advisory'", {}), {}):
            pass
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert line.closed
        assert unwatched(descriptor)
        # It waits for the lock that the other held until the server heard of it.
        assert [row.said for row in await fetch(other, LOCKED, {"said": "next"})] == ["next"]


async def test_a_connection_whose_backend_ends_between_two_exchanges_is_left_and_replaced(
    pool: Pool, database: Database
) -> None:
    async with pool.connection() as line:
        await echoes(line)
        descriptor, backend = line.pgconn.socket, line.info.backend_pid
    with psycopg.connect(database.superuser_url) as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 10000)", (backend,))
    await _seen(descriptor)
    assert unwatched(descriptor)
    lost = 0
    for _ in range(2 * SIZE):
        try:
            async with pool.connection() as one:
                await echoes(one)
        except psycopg.OperationalError:
            lost += 1
    assert lost == 1


async def test_a_backend_that_ends_during_an_exchange_fails_it_and_is_watched_no_more(line: Line) -> None:
    descriptor = line.pgconn.socket
    with pytest.raises(psycopg.OperationalError):
        await line.execute("SELECT pg_terminate_backend(pg_backend_pid(), 0)")
    assert line.closed
    assert unwatched(descriptor)


async def test_what_the_socket_does_not_take_at_once_arrives(line: Line) -> None:
    said = "x" * LARGE
    await echoes(line, said)
    async with line.pipeline():
        several = [await start(line, ECHO, {"said": f"{number}{said[:1_000_000]}"}) for number in range(20)]
    for number, cursor in enumerate(several):
        (row,) = await cursor.fetchall()
        assert row.said == f"{number}{said[:1_000_000]}"


async def test_a_notice_and_a_notification_disturb_no_answer(line: Line, database: Database) -> None:
    notices: list[str | None] = []
    notifications: list[str] = []
    line.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    await line.execute("LISTEN told")
    await line.execute("DO $$ BEGIN RAISE WARNING 'noticed'; END $$")
    line.add_notify_handler(lambda notification: notifications.append(notification.payload))
    with psycopg.connect(database.superuser_url, autocommit=True) as other:
        other.execute("NOTIFY told, 'between'")
    await _seen(line.pgconn.socket)
    assert unwatched(line.pgconn.socket)
    await echoes(line)
    assert (notices, notifications) == (["noticed"], ["between"])


async def test_a_wait_with_an_end_leaves_the_next_one_right(line: Line) -> None:
    await line.execute("LISTEN told")
    assert [told async for told in line.notifies(timeout=0.01)] == []
    await echoes(line)


async def test_a_statement_that_takes_too_long_is_told_so_and_the_connection_goes_on(line: Line) -> None:
    await line.execute("SET statement_timeout = 50")
    with pytest.raises(psycopg.errors.QueryCanceled) as error:
        await line.execute("SELECT pg_sleep(60)")
    assert error.value.sqlstate == "57014"
    assert error.value.diag.message_primary
    await echoes(line)


async def test_a_connection_that_is_closed_fails_who_waits_for_it(line: Line) -> None:
    descriptor = line.pgconn.socket
    asked = asyncio.create_task(line.execute("SELECT pg_sleep(60)"))
    await _sent(line)
    await line.close()
    with pytest.raises(psycopg.OperationalError):
        await asked
    assert unwatched(descriptor)


async def test_nobody_asks_while_another_answer_is_awaited(line: Line) -> None:
    asked = asyncio.create_task(line.execute("SELECT pg_sleep(60)"))
    await _sent(line)
    with pytest.raises(psycopg.InterfaceError):
        await line.wait(_never())
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


async def test_a_fault_that_nobody_foresaw_leaves_nobody_waiting(line: Line) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    line.pgconn.send_query(b"SELECT 1")
    line.pgconn.flush()
    with pytest.raises(psycopg.InterfaceError):
        await line.wait(_faulty())
    assert [type(each["exception"]) for each in reported] == [ZeroDivisionError]
    await line.close()


def _faulty() -> PQGen[None]:
    yield Wait.R
    raise ZeroDivisionError


def _never() -> PQGen[None]:
    while True:
        yield Wait.R


async def _seen(descriptor: int) -> None:
    """Let the loop find that there is something to read."""
    assert select.select([descriptor], [], [], 10)[0]
    for _ in range(5):
        await turn()


async def _sent(line: Line) -> None:
    while line.pgconn.transaction_status != psycopg.pq.TransactionStatus.ACTIVE:
        await turn()
