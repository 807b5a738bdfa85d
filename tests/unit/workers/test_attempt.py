"""Attempts: once each, in one transaction, and never for ever."""

import asyncio
import logging
from typing import Any
from uuid import UUID

import psycopg
import pytest

from passport.outbox.keeping import keeping
from passport.outbox.promise import CLAIM_SECONDS, LONGEST_PAUSE_SECONDS, MAX_ATTEMPTS, Promise, claim, hold
from passport.runtime import Runtime
from tests.databases import Database
from tests.unit.workers.conftest import PATIENT, Clock, Promised
from workers.attempt import attempt

pytestmark = pytest.mark.anyio


class Counted:
    """A handler that keeps its promise and counts how often."""

    def __init__(self) -> None:
        self.kept: list[UUID] = []

    async def __call__(self, runtime: Runtime, promise: Promise) -> None:
        async with keeping(runtime, promise):
            self.kept.append(promise.outbox_id)


async def failing(runtime: Runtime, promise: Promise) -> None:
    """A handler that fails with what it must not say."""
    async with keeping(runtime, promise) as connection:
        await connection.execute("INSERT INTO import_entry VALUES (7, 'x', 1, 'x')")
        raise ValueError("the value of a record")


async def hanging(runtime: Runtime, promise: Promise) -> None:
    async with keeping(runtime, promise):
        await asyncio.Event().wait()


async def attempted(runtime: Runtime, outbox_id: UUID, handler: Any) -> None:
    await attempt(runtime, {"count": handler}, PATIENT, outbox_id, limit_seconds=0.2)


def row(database: Database, outbox_id: UUID) -> Any:
    with psycopg.connect(database.superuser_url) as connection:
        return connection.execute(
            "SELECT attempts, done_at, failure, due_at FROM outbox WHERE outbox_id = %s", (outbox_id,)
        ).fetchone()


async def test_a_promise_is_kept_once_however_often_its_message_arrives(
    runtime: Runtime, promised: Promised, database: Database, clock: Clock
) -> None:
    outbox_id, counted = await promised(), Counted()
    for _ in range(3):
        await attempted(runtime, outbox_id, counted)
    assert counted.kept == [outbox_id]
    assert row(database, outbox_id)[:3] == (1, clock.now, None)


async def test_two_workers_at_once_keep_a_promise_once(runtime: Runtime, promised: Promised) -> None:
    outbox_id, counted = await promised(), Counted()
    await asyncio.gather(*(attempted(runtime, outbox_id, counted) for _ in range(4)))
    assert counted.kept == [outbox_id]


async def test_a_row_that_another_transaction_holds_is_left_alone(
    runtime: Runtime, promised: Promised
) -> None:
    outbox_id = await promised()
    async with runtime.pool.connection() as first, runtime.pool.connection() as second:
        mine = await claim(first, PATIENT, outbox_id, now=runtime.clock())
        assert mine is not None
        async with first.transaction():
            assert await hold(first, mine)
            assert await claim(second, PATIENT, outbox_id, now=runtime.clock()) is None
            assert not await hold(second, mine)


async def test_an_attempt_that_was_overtaken_does_not_work(runtime: Runtime, promised: Promised) -> None:
    outbox_id = await promised()
    async with runtime.pool.connection() as connection:
        late = await claim(connection, PATIENT, outbox_id, now=runtime.clock())
        assert late is not None
        assert await claim(connection, PATIENT, outbox_id, now=runtime.clock()) is not None
        assert not await hold(connection, late)


async def test_a_failed_attempt_leaves_nothing_but_its_reason_and_comes_again_later(
    runtime: Runtime, promised: Promised, database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outbox_id = await promised()
    with caplog.at_level(logging.DEBUG):
        await attempted(runtime, outbox_id, failing)
    attempts, done_at, failure, due_at = row(database, outbox_id)
    assert (attempts, done_at, failure) == (1, None, "ValueError")
    assert (due_at - clock.now).total_seconds() == 2
    assert "value of a record" not in caplog.text
    with psycopg.connect(database.superuser_url) as connection:
        assert connection.execute("SELECT count(*) FROM import_entry").fetchone() == (0,)


async def test_a_task_that_always_fails_ends_with_its_reason(
    runtime: Runtime, promised: Promised, database: Database, clock: Clock
) -> None:
    outbox_id = await promised()
    for _ in range(MAX_ATTEMPTS + 3):
        await attempted(runtime, outbox_id, failing)
    attempts, done_at, failure, _ = row(database, outbox_id)
    assert attempts == MAX_ATTEMPTS
    assert done_at == clock.now
    assert failure == f"gave up after {MAX_ATTEMPTS} attempts: ValueError"


async def test_a_task_that_kills_its_worker_is_counted_and_ends(
    runtime: Runtime, promised: Promised, database: Database
) -> None:
    outbox_id, counted = await promised(), Counted()
    async with runtime.pool.connection() as connection:
        for _ in range(MAX_ATTEMPTS):
            await claim(connection, PATIENT, outbox_id, now=runtime.clock())
    await attempted(runtime, outbox_id, counted)
    _, done_at, failure, _ = row(database, outbox_id)
    assert counted.kept == []
    assert done_at is not None
    assert failure.endswith("its workers ended before they could say why")


async def test_a_task_that_hangs_is_cancelled_and_comes_again(
    runtime: Runtime, promised: Promised, database: Database
) -> None:
    outbox_id = await promised()
    await attempted(runtime, outbox_id, hanging)
    assert row(database, outbox_id)[:3] == (1, None, "not done within 0.2 seconds")


async def test_a_claim_protects_the_row_until_it_is_locked_longer_each_time(
    runtime: Runtime, promised: Promised, database: Database, clock: Clock
) -> None:
    outbox_id, protected = await promised(), []
    async with runtime.pool.connection() as connection:
        for _ in range(7):
            await claim(connection, PATIENT, outbox_id, now=runtime.clock())
            protected.append((row(database, outbox_id)[3] - clock.now).total_seconds())
    assert protected == [min(CLAIM_SECONDS * 2**at, LONGEST_PAUSE_SECONDS) for at in range(7)]


async def test_an_unknown_task_waits_for_a_worker_that_knows_it(
    runtime: Runtime, promised: Promised, database: Database
) -> None:
    outbox_id = await promised("of a later version")
    await attempted(runtime, outbox_id, Counted())
    assert row(database, outbox_id)[:3] == (1, None, "unknown task")
