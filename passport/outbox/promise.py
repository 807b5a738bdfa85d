"""A promised task, from the request that leaves it to the worker that keeps it, once.

https://docs.celeryq.dev/en/stable/userguide/tasks.html

An attempt is counted first, in a transaction of its own. The work itself runs in one transaction that locks
the row, does what is to be done and marks the row: all of it is there afterwards, or nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from passport.outbox import store
from passport.sql import Connection, fetch

MAX_ATTEMPTS: Final = 10
"""After so many failures a promise ends; with the pauses between them that takes about twenty minutes."""

LONGEST_PAUSE_SECONDS: Final = 300

CLAIM_SECONDS: Final = 10
"""Between the counting of an attempt and its lock the row is left alone so long, longer with each attempt."""


class OutboxError(Exception):
    """Anything that the outbox raises."""


class Taken(OutboxError):
    """Another worker is keeping this promise, or has kept it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One attempt at one row of the outbox.

    `arguments` hold references and codes, never health data.
    """

    patient_key: int
    outbox_id: UUID
    task: str
    arguments: Mapping[str, Any]
    attempt: int

    @property
    def _row(self) -> dict[str, object]:
        return {"patient_key": self.patient_key, "outbox_id": self.outbox_id, "attempt": self.attempt}


async def leave(
    connection: Connection,
    patient_key: int,
    task: str,
    arguments: Mapping[str, Any],
    *,
    outbox_id: UUID,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Promise `task` for a patient: it happens if and only if the transaction of `connection` commits.

    Nobody is to look at it before `due_at`, where that is said.
    """
    await fetch(
        connection,
        store.LEAVE,
        {
            "patient_key": patient_key,
            "outbox_id": outbox_id,
            "task": task,
            "arguments": Jsonb(dict(arguments)),
            "now": now,
            "due_at": due_at or now,
        },
    )


async def claim(
    connection: Connection, patient_key: int, outbox_id: UUID, *, now: datetime
) -> Promise | None:
    """Count an attempt; None when the promise is kept, or another worker is busy with it."""
    rows = await fetch(
        connection,
        store.CLAIM,
        {
            "patient_key": patient_key,
            "outbox_id": outbox_id,
            "now": now,
            "claim_seconds": CLAIM_SECONDS,
            "most_seconds": LONGEST_PAUSE_SECONDS,
        },
    )
    if not rows:
        return None
    (row,) = rows
    return Promise(patient_key, outbox_id, row.task, row.arguments, row.attempts)


async def hold(connection: Connection, promise: Promise) -> bool:
    """Lock the promise's row until the transaction of `connection` ends, before any work in it.

    False when another attempt holds the row, or has kept the promise: then there is nothing to do.
    """
    return bool(await fetch(connection, store.HOLD, promise._row))


async def keep(connection: Connection, promise: Promise, *, now: datetime) -> None:
    """Mark the promise kept, in the transaction that did the work."""
    await fetch(connection, store.KEEP, {**promise._row, "now": now})


async def defer(connection: Connection, promise: Promise, *, failure: str, now: datetime) -> None:
    """Note that the attempt failed: try again after a pause that doubles, or end the row if it was the last.

    `failure` names the kind of error; it never quotes a message, which could quote a record.
    """
    if promise.attempt >= MAX_ATTEMPTS:
        text = f"gave up after {promise.attempt} attempts: {failure}"
        await fetch(connection, store.GIVE_UP, {**promise._row, "failure": text, "now": now})
    else:
        due_at = now + timedelta(seconds=min(2**promise.attempt, LONGEST_PAUSE_SECONDS))
        await fetch(connection, store.DEFER, {**promise._row, "failure": failure, "due_at": due_at})
