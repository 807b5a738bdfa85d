"""The one transaction of a task that the service does in its own name: row locked, work done, row marked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from passport.outbox import store
from passport.outbox.promise import Promise, Taken, hold, keep
from passport.runtime import Runtime
from passport.sql import Connection, fetch


async def enter(connection: Connection, patient_key: int) -> None:
    """Put the rest of the open transaction behind the wall of one patient."""
    await fetch(connection, store.WALL, {"patients": f"{{{patient_key:d}}}"})


@asynccontextmanager
async def keeping(runtime: Runtime, promise: Promise) -> AsyncIterator[Connection]:
    """Open a transaction behind the wall of the promise's patient; it is kept if the block ends well.

    Raises:
        Taken: another attempt holds the row, or has kept the promise.
    """
    async with runtime.pool.connection() as connection, connection.transaction():
        await enter(connection, promise.patient_key)
        if not await hold(connection, promise):
            raise Taken
        yield connection
        await keep(connection, promise, now=runtime.clock())
