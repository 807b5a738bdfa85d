"""The relay: what is due is sent, what stays is sent again, what is worked on is left alone."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from celery import Celery

from passport.outbox import claim, hold
from passport.outbox.promise import CLAIM_SECONDS
from passport.runtime import Runtime
from tests.databases import Database
from tests.unit.workers.conftest import PATIENT, Clock, Promised
from workers.app import QUEUE, create_app
from workers.relay import KEPT_DAYS, Relay

pytestmark = pytest.mark.anyio

RESEND_SECONDS = 60


@pytest.fixture
def app(broker_url: str) -> Iterator[Celery]:
    made = create_app(broker_url, resend_seconds=RESEND_SECONDS)
    yield made
    made.close()


@pytest.fixture
def relay(app: Celery, database: Database, clock: Clock) -> Relay:
    return Relay(app, database.service_url, RESEND_SECONDS, clock)


@pytest.fixture
def connection(relay: Relay) -> Iterator[psycopg.Connection[Any]]:
    with relay.connect() as opened:
        yield opened


@pytest.fixture
def carry(app: Celery, relay: Relay, connection: psycopg.Connection[Any]) -> Iterator[Callable[[], int]]:
    """One pass of the relay; returns how many rows it sent."""
    with app.connection_for_write() as broker:
        producer = app.amqp.Producer(broker)
        yield lambda: relay.carry(connection, producer)


def sent(app: Celery) -> list[tuple[str, list[Any]]]:
    """Take what is in the queue: task names and arguments."""
    found = []
    with app.connection_for_read() as broker, broker.SimpleQueue(QUEUE) as queue:
        while queue.qsize():
            message = queue.get(block=False)
            message.ack()
            found.append((message.headers["task"], message.payload[0]))
    return found


async def test_a_due_row_is_sent_once_by_its_key(
    carry: Callable[[], int], promised: Promised, app: Celery
) -> None:
    outbox_id = await promised()
    assert [carry() for _ in range(3)] == [1, 0, 0]
    assert sent(app) == [("passport.count", [PATIENT, str(outbox_id)])]


async def test_a_worker_that_takes_up_a_message_at_once_finds_its_row_free(
    app: Celery, relay: Relay, connection: psycopg.Connection[Any], promised: Promised
) -> None:
    """A relay that notes a sending after it locks the row just when its message arrives, and the work waits."""
    for _ in range(3):
        await promised()
    ready: list[int] = []

    class Watched(Relay):
        def _send(self, producer: Any, row: Any) -> None:
            with self.connect() as other:
                noted = other.execute(
                    "SELECT FROM outbox WHERE outbox_id = %s AND due_at > %s FOR UPDATE SKIP LOCKED",
                    [row.outbox_id, self.clock()],
                )
                ready.append(noted.rowcount)

    with app.connection_for_write() as broker:
        watched = Watched(relay.app, relay.database_url, relay.resend_seconds, relay.clock)
        assert watched.carry(connection, app.amqp.Producer(broker)) == 3
    assert ready == [1, 1, 1]


async def test_what_a_broker_did_not_take_is_due_again_at_once(
    carry: Callable[[], int],
    app: Celery,
    relay: Relay,
    connection: psycopg.Connection[Any],
    promised: Promised,
) -> None:
    await promised()

    class Refused(Relay):
        def _send(self, producer: Any, row: Any) -> None:
            raise OSError

    refused = Refused(relay.app, relay.database_url, relay.resend_seconds, relay.clock)
    with app.connection_for_write() as broker, pytest.raises(OSError):
        refused.carry(connection, app.amqp.Producer(broker))
    assert carry() == 1


async def test_a_row_that_stays_is_sent_again(
    carry: Callable[[], int], promised: Promised, app: Celery, clock: Clock
) -> None:
    await promised()
    carry()
    clock.pass_(RESEND_SECONDS)
    carry()
    assert len(sent(app)) == 2


async def test_a_row_that_a_worker_holds_is_not_sent_again_and_at_once_when_the_worker_dies(
    carry: Callable[[], int], promised: Promised, app: Celery, clock: Clock, runtime: Runtime
) -> None:
    outbox_id = await promised()
    async with runtime.pool.connection() as worker:
        mine = await claim(worker, PATIENT, outbox_id, now=clock.now)
        assert mine is not None
        clock.pass_(CLAIM_SECONDS)
        async with worker.transaction():
            await hold(worker, mine)
            assert carry() == 0
    assert carry() == 1
    assert len(sent(app)) == 1


async def test_rows_of_a_rolled_back_request_are_never_sent(
    carry: Callable[[], int], database: Database
) -> None:
    with psycopg.connect(database.service_url) as request:
        request.execute(
            "INSERT INTO outbox (patient_key, outbox_id, task, arguments, created_at, due_at) "
            "VALUES (7, gen_random_uuid(), 'count', '{}', '2031-01-01', '2031-01-01')"
        )
        request.rollback()
    assert carry() == 0


async def test_old_rows_are_forgotten_unless_they_failed(
    relay: Relay, connection: psycopg.Connection[Any], promised: Promised, clock: Clock
) -> None:
    kept, failed, waiting = await promised(), await promised(), await promised()
    connection.execute("UPDATE outbox SET done_at = %s WHERE outbox_id <> %s", (clock.now, waiting))
    connection.execute("UPDATE outbox SET failure = 'x' WHERE outbox_id = %s", (failed,))
    clock.pass_(KEPT_DAYS * 86_400 + 1)
    relay.forget(connection)
    left = {row.outbox_id for row in connection.execute("SELECT outbox_id FROM outbox")}
    assert left == {failed, waiting}
    assert kept not in left
