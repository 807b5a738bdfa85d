"""Carries the keys of due outbox rows to the broker, and carries them again when they stay.

https://microservices.io/patterns/data/transactional-outbox.html

It looks for rows instead of listening for them: `NOTIFY` makes every commit of a request wait for a lock
that the whole server shares, and a missed notification would need the look anyway. It may be killed at any
moment: what it did not send is still due, and what it sent twice is kept once.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

import psycopg
from celery import Celery
from kombu.exceptions import KombuError
from kombu.messaging import Producer
from psycopg.rows import namedtuple_row

from passport.identity.forgetting import store as forgetting
from passport.outbox import store
from workers.app import POLL_SECONDS, celery_name
from workers.ending import within

BATCH: Final = 100

HANG_SECONDS: Final = 30
"""kombu may wait for ever on a broker that went away; a pass that takes so long ends the process."""

RETRY_SECONDS: Final = 1.0

KEPT_DAYS: Final = 30
"""Rows that are done are removed after so long; those that failed stay."""

FORGET_EVERY: Final = timedelta(hours=1)

log: Final = logging.getLogger(__name__)

Database = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Relay:
    """What one relay works with; any number of relays may run."""

    app: Celery
    database_url: str
    resend_seconds: int
    clock: Callable[[], datetime]

    def run(self) -> NoReturn:
        """Carry rows for ever, through every restart of the database and of the broker."""
        while True:
            try:
                with self.connect() as connection, self.app.connection_for_write() as broker:
                    self._carry_on(connection, self.app.amqp.Producer(broker))
            except (psycopg.Error, KombuError, OSError) as error:
                log.warning("no database or no broker (%s), trying again", type(error).__name__)
                time.sleep(RETRY_SECONDS)

    def connect(self) -> Database:
        """Open the relay's own connection, each statement its own transaction."""
        return psycopg.connect(
            self.database_url, autocommit=True, connect_timeout=5, row_factory=namedtuple_row
        )

    def _carry_on(self, connection: Database, producer: Producer) -> NoReturn:
        forget_at = self.clock()
        while True:
            with within(HANG_SECONDS):
                if self.clock() >= forget_at:
                    more = self.forget(connection)
                    forget_at = self.clock() + (timedelta() if more else FORGET_EVERY)
                carried = self.carry(connection, producer)
            if carried < BATCH:
                time.sleep(POLL_SECONDS)

    def carry(self, connection: Database, producer: Producer) -> int:
        """Send the rows that are due, new ones and those that stayed; returns how many.

        A relay that is killed in between leaves rows that are due again after `resend_seconds`.

        Raises:
            kombu.exceptions.KombuError, OSError: the broker takes nothing; what it did not take is due again.
        """
        now = self.clock()
        again_at = now + timedelta(seconds=self.resend_seconds)
        taken = {"now": now, "again_at": again_at}
        rows = connection.execute(store.TAKE.text, {**taken, "limit": BATCH}).fetchall()
        sent = 0
        try:
            for row in rows:
                self._send(producer, row)
                sent += 1
        finally:
            if sent < len(rows):
                unsent = {
                    "patient_keys": [row.patient_key for row in rows[sent:]],
                    "outbox_ids": [row.outbox_id for row in rows[sent:]],
                }
                connection.execute(store.RETURN.text, {**taken, **unsent})
        return sent

    def _send(self, producer: Producer, row: Any) -> None:
        self.app.send_task(
            celery_name(row.task),
            args=(row.patient_key, str(row.outbox_id)),
            producer=producer,
            retry=False,
        )

    def forget(self, connection: Database) -> bool:
        """Remove the rows that were done long ago, and a batch of what is over of sign-ins; whether there is more."""
        connection.execute(store.FORGET.text, {"before": self.clock() - timedelta(days=KEPT_DAYS)})
        over = {"before": self.clock() - forgetting.AFTER, "limit": forgetting.BATCH}
        removed = [connection.execute(one.text, over).rowcount for one in forgetting.FORGET.values()]
        return max(removed) >= forgetting.BATCH
