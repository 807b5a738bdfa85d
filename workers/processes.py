"""What the worker's processes are made of: the relay's and a worker's, from an installation's settings."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from psycopg.conninfo import make_conninfo

from fhirstore.keys import KeyMaker
from passport.audit.rules import written_down
from passport.database import BROKER_ROLE, TASK_STATEMENT_TIMEOUT_MS, open_pool
from passport.dictionaries import open_dictionaries
from passport.keys import KeyRing
from passport.runtime import Runtime, utc_now
from passport.settings import Settings
from workers.app import LIMIT_SECONDS, create_app
from workers.relay import Relay
from workers.runner import Runner
from workers.tasks import register

POOL_SIZE: Final = 2
"""A task holds one connection at a time; the second bridges the replacement of a broken one."""


def run_relay(settings: Settings, *, resend_seconds: int) -> None:
    """Relay until the process is ended."""
    app = create_app(broker_url(settings), resend_seconds=resend_seconds)
    Relay(app, settings.database_url, resend_seconds, utc_now).run()


def run_worker(settings: Settings, *, resend_seconds: int) -> int:
    """Carry out tasks, one at a time, until SIGTERM; returns the exit code."""
    app = create_app(broker_url(settings), resend_seconds=resend_seconds)
    with Runner(lambda: open_runtime(settings), limit_seconds=LIMIT_SECONDS) as runner:
        register(app, runner)
        worker = app.Worker(
            pool="solo",
            concurrency=1,
            hostname=f"passport-{os.getpid()}@localhost",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            loglevel="WARNING",
            quiet=True,
        )
        worker.start()
    return int(worker.exitcode or 0)


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Build what a worker's tasks work with."""
    ring, url = KeyRing.load(settings.key_file), settings.database_url
    rules = await written_down(url, settings, utc_now())
    async with open_pool(url, size=POOL_SIZE, timeout_ms=TASK_STATEMENT_TIMEOUT_MS, rules=rules) as pool:
        runtime = Runtime(settings, pool, ring, KeyMaker(ring.index_secret))
        await open_dictionaries(runtime)
        yield runtime


def broker_url(settings: Settings) -> str:
    """The broker's address; by default queues in the same database, used by the broker's own role."""
    return settings.broker_url or make_conninfo(settings.database_url, user=BROKER_ROLE)
