"""`python -m workers`: the supervisor, and the processes that it starts.

`passport worker` comes here. Where the database, the broker and the keys are stands in the installation's
folder and in the environment (see `passport.settings`).
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import click
from celery.exceptions import SecurityWarning
from psycopg.conninfo import make_conninfo

from fhirstore.keys import KeyMaker
from passport.database import BROKER_ROLE, open_pool
from passport.keys import KeyRing
from passport.runtime import Runtime, utc_now
from passport.settings import Settings
from workers.app import LIMIT_SECONDS, RESEND_SECONDS, create_app
from workers.ending import follow
from workers.relay import Relay
from workers.runner import Runner
from workers.supervisor import supervise
from workers.tasks import register

POOL_SIZE: Final = 2
"""A task holds one connection; a refusal writes its audit row through another."""

_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The installation's folder.",
)
_follow = click.option("--follow", type=int, help="End when the process of this number, our parent, ends.")
_resend = click.option("--resend-seconds", type=click.IntRange(1), default=RESEND_SECONDS, show_default=True)


@click.group()
def main() -> None:
    """Carry out what requests left to be done."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    # The warning is about pickled messages; this application takes JSON alone.
    warnings.simplefilter("ignore", SecurityWarning)


@main.command("supervise")
@_state
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True)
@_resend
@_follow
def supervise_command(state: Path, processes: int, resend_seconds: int, follow: int | None) -> None:
    """Run one relay and a number of workers, and start again what dies."""
    _follow_parent(follow, signal.SIGTERM)
    options = ("--state", str(state), "--resend-seconds", str(resend_seconds))
    supervise([("relay", *options), *(("work", *options) for _ in range(processes))])


@main.command()
@_state
@_resend
@_follow
def relay(state: Path, resend_seconds: int, follow: int | None) -> None:
    """Carry the keys of due outbox rows to the broker."""
    _follow_parent(follow, signal.SIGKILL)
    settings = _settings(state)
    app = create_app(_broker_url(settings), resend_seconds=resend_seconds)
    Relay(app, settings.database_url, resend_seconds, utc_now).run()


@main.command()
@_state
@_resend
@_follow
def work(state: Path, resend_seconds: int, follow: int | None) -> None:
    """Carry out tasks, one at a time."""
    _follow_parent(follow, signal.SIGKILL)
    settings = _settings(state)
    app = create_app(_broker_url(settings), resend_seconds=resend_seconds)
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
    sys.exit(worker.exitcode)


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Build what a worker process works with."""
    ring = KeyRing.load(settings.key_file)
    async with open_pool(settings.database_url, size=POOL_SIZE) as pool:
        yield Runtime(settings, pool, ring, KeyMaker(ring.index_secret))


def _follow_parent(parent: int | None, signum: signal.Signals) -> None:
    if parent is not None:
        follow(parent, signum)


def _settings(state: Path) -> Settings:
    settings = Settings.load(state)
    if not settings.database_url:
        message = "no database: set PASSPORT_DATABASE_URL, or use `passport serve --workers`"
        raise click.UsageError(message)
    return settings


def _broker_url(settings: Settings) -> str:
    """The broker's address; by default queues in the same database, used by the broker's own role."""
    return settings.broker_url or make_conninfo(settings.database_url, user=BROKER_ROLE)


if __name__ == "__main__":
    main()
