"""One attempt at one promise: claim it, carry it out within its time, note what became of it.

A task that fails is tried again after a pause, and ends with its reason when it failed too often. Every error
ends here, so that no message of an error, which could quote a record, reaches Celery's log.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

from passport.outbox import MAX_ATTEMPTS, Promise, Taken, claim, defer
from passport.runtime import Runtime

Handler = Callable[[Runtime, Promise], Awaitable[None]]
"""Keeps a promise in one transaction: hold the row, do the work, mark the row.

Raises:
    Taken: another attempt holds the row, or has kept the promise.
"""

log: Final = logging.getLogger(__name__)


async def attempt(
    runtime: Runtime,
    handlers: Mapping[str, Handler],
    patient_key: int,
    outbox_id: UUID,
    *,
    limit_seconds: float,
) -> None:
    """Attempt the promise of one row, if nobody else is at it and it is not kept yet."""
    async with runtime.pool.connection() as connection:
        promise = await claim(connection, patient_key, outbox_id, now=runtime.clock())
    if promise is None:
        return
    failure = await _failure(runtime, handlers, promise, limit_seconds)
    if failure is None:
        return
    log.warning("%s %s: attempt %d failed: %s", promise.task, outbox_id, promise.attempt, failure)
    async with runtime.pool.connection() as connection:
        await defer(connection, promise, failure=failure, now=runtime.clock())


async def _failure(
    runtime: Runtime, handlers: Mapping[str, Handler], promise: Promise, limit_seconds: float
) -> str | None:
    """The name of what went wrong, None when nothing did."""
    if promise.attempt > MAX_ATTEMPTS:
        return "its workers ended before they could say why"
    handler = handlers.get(promise.task)
    if handler is None:
        return "unknown task"
    work = asyncio.ensure_future(handler(runtime, promise))
    await asyncio.wait({work}, timeout=limit_seconds)
    if not work.done():
        work.cancel()
        await asyncio.wait({work})
        return f"not done within {limit_seconds:g} seconds"
    error = work.exception()
    return None if error is None or isinstance(error, Taken) else type(error).__name__
