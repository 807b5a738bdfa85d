"""`passport consent evaluate`: what consents would decide, before anybody is asked to sign them.

https://click.palletsprojects.com/
"""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast
from zoneinfo import ZoneInfo

import click

from passport import installation
from passport.embedded import EmbeddedPostgres
from passport.settings import DEFAULT_ZONE, FILE_NAME, Settings

SECRET_BYTES: Final = 32


@click.command()
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="An installation whose server and time zone to use; without it a temporary server is started.",
)
def evaluate(state: Path | None) -> None:
    """Decide worlds: JSON lines on stdin, each answered by one line. Nothing is stored or read.

    A world is {"consents": [Consent...], "directory": [Practitioner, PractitionerRole, Organization, CareTeam,
    Group...], "records": [any resources...], "request": {"actors": ["PractitionerRole/x"], "purpose": "TREAT",
    "action": "access", "time": "2026-01-01T00:00:00Z"}}. The answer says of each record permit or deny, by the
    reference and by the SQL, and which consents are refused, and why; these decide nothing.
    """
    # What only this command needs.
    from passport.evaluation.lines import answers
    from passport.evaluation.store import connected

    differing = []
    with _server(state) as (url, zone), connected(url) as connection:
        # Standard input is buffered, whatever it is declared as.
        stream = cast(BufferedIOBase, sys.stdin.buffer)
        output = sys.stdout.buffer
        secret = secrets.token_bytes(SECRET_BYTES)
        for number, answer in enumerate(answers(stream, connection, secret, zone), 1):
            output.write(answer.line + b"\n")
            output.flush()
            if not answer.agrees:
                differing.append(number)
    if differing:
        click.echo(f"the reference and the SQL differ in answer {', '.join(map(str, differing))}", err=True)
        sys.exit(1)


@contextmanager
def _server(state: Path | None) -> Iterator[tuple[str, ZoneInfo]]:
    """The address of a running server, and the time zone."""
    if state is None:
        with (
            TemporaryDirectory(prefix="passport-evaluate-") as folder,
            EmbeddedPostgres.start(Path(folder), unsafe_fast=True) as server,
        ):
            yield server.superuser_dsn(), DEFAULT_ZONE
        return
    if not (state / FILE_NAME).exists():
        raise click.ClickException(f"`{state}` is no installation, expected one that `passport init` made")
    with installation.opened(Settings.load(state)) as ready:
        yield ready.database_url, ready.zone
