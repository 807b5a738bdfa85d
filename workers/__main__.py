"""`python -m workers`: the supervisor, and the processes that it starts.

`passport worker` comes here. Where the database, the broker and the keys are stands in the installation's
folder and in the environment (see `passport.settings`).
"""

import logging
import signal
import sys
import warnings
from pathlib import Path
from typing import Final

import click

from passport.settings import Settings
from workers.ending import follow as follow_parent
from workers.ending import limit_memory
from workers.supervisor import supervise as run_supervisor

RESEND_SECONDS: Final = 60
"""A message that nobody answered for is seen again after so long, and a row that stayed is sent again."""

MEMORY_MOST_BYTES: Final = 2_147_483_648
"""What a worker may take: ten times what the largest file becomes."""

_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The installation's folder.",
)
_follow = click.option("--follow", type=int, help="End when the process of this number, our parent, ends.")
_resend = click.option(
    "--resend-seconds",
    type=click.IntRange(1),
    default=RESEND_SECONDS,
    show_default=True,
    help="Send again what was not taken up.",
)


@click.group()
def main() -> None:
    """Carry out what requests left to be done."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")


@main.command()
@_state
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Workers.")
@_resend
@_follow
def supervise(state: Path, processes: int, resend_seconds: int, follow: int | None) -> None:
    """Run one relay and a number of workers, and start again what dies."""
    if follow is not None:
        follow_parent(follow, signal.SIGTERM)
    _settings(state)
    options = ("--state", str(state), "--resend-seconds", str(resend_seconds))
    run_supervisor([("relay", *options), *(("work", *options) for _ in range(processes))])


@main.command()
@_state
@_resend
@_follow
def relay(state: Path, resend_seconds: int, follow: int | None) -> None:
    """Carry the keys of due outbox rows to the broker."""
    if follow is not None:
        follow_parent(follow, signal.SIGKILL)
    from workers.processes import run_relay

    run_relay(_settings(state), resend_seconds=resend_seconds)


@main.command()
@_state
@_resend
@_follow
def work(state: Path, resend_seconds: int, follow: int | None) -> None:
    """Carry out tasks, one at a time."""
    if follow is not None:
        follow_parent(follow, signal.SIGKILL)
    limit_memory(MEMORY_MOST_BYTES)
    from celery.exceptions import SecurityWarning

    from workers.processes import run_worker

    # The warning is about pickled messages; this application takes JSON alone.
    warnings.simplefilter("ignore", SecurityWarning)
    sys.exit(run_worker(_settings(state), resend_seconds=resend_seconds))


def _settings(state: Path) -> Settings:
    settings = Settings.load(state)
    if not settings.database_url:
        message = "no database: set PASSPORT_DATABASE_URL, or use `passport worker`"
        raise click.UsageError(message)
    return settings


if __name__ == "__main__":
    main()
