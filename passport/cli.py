"""The `passport` command: one installation, its service, its workers, and the demo that shows them.

https://click.palletsprojects.com/
"""

import signal
import sys
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, Final, NoReturn

import click
import psycopg
from sqlalchemy.exc import DBAPIError

from fhirmap.errors import MappingError
from fhirmap.formats import FORMATS
from fhirmap.jsonformat import dumps
from passport import database, installation
from passport.addresses import DatabaseAddress
from passport.backup.commands import backup, restore
from passport.demo.errors import DemoError
from passport.doctor.commands import doctor
from passport.embedded import EmbeddedPostgresError
from passport.evaluation.command import evaluate
from passport.identity.installation import DEMO_LIFETIME
from passport.identity.sign_in_codes.handing_out import Handed
from passport.installation.existing import existing
from passport.installation.operators import another_operator, first_operators
from passport.installation.tokens import Wanted, hand_out
from passport.outcomes import PassportError
from passport.receipts.commands import verify
from passport.replay.commands import replay
from passport.rotation.commands import keys
from passport.rotation.device_ca import device_ca
from passport.runtime import utc_now
from passport.subjects import CITY

ENDED_BY_HAND: Final = 130
"""As a shell says of what SIGINT ended: 128 and the number of the signal."""

EXPECTED: Final = (
    PassportError,
    DemoError,
    EmbeddedPostgresError,
    MappingError,
    psycopg.OperationalError,
    DBAPIError,
    OSError,
)
"""What may go wrong without a fault of ours: one line, and exit code 1."""

LABELS_TOLD: Final = 10_000
"""Records after which `relabel` tells how far it is."""

_state = click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The installation's folder: settings, keys, and the database if it has its own.",
)
_port = click.option("--port", type=click.IntRange(0, 65_535), help="Where to listen; 0 takes a free port.")


class Lifetime(click.ParamType[timedelta]):
    """A span such as `300`, `90s`, `15m` or `2h`."""

    name = "lifetime"
    _UNITS: Final = {"s": 1, "m": 60, "h": 3_600}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read the span."""
        if isinstance(value, timedelta):
            return value
        number, unit = (value[:-1], value[-1:]) if value[-1:] in self._UNITS else (value, "s")
        if not number.isascii() or not number.isdigit():
            self.fail(f"got `{value}`, expected seconds, or such as 90s, 15m, 2h", param, ctx)
        return timedelta(seconds=int(number) * self._UNITS[unit])


class OneLine(click.Group):
    """A group whose commands tell an expected failure in one line and never by a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            raise click.ClickException(" ".join(_reason(error).split())) from None
        except KeyboardInterrupt:
            # Whoever ends a service by Ctrl-C has not aborted anything.
            click.echo("Ended.", err=True)
            ctx.exit(ENDED_BY_HAND)


def _reason(error: Exception) -> str:
    """What went wrong, in words: the system's own of a file, without its number."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"cannot use `{error.filename}`: {(error.strerror or type(error).__name__).lower()}"
    return str(error.orig if isinstance(error, DBAPIError) else error)


@click.group(cls=OneLine)
@click.version_option(package_name="healthcare-passport")
def main() -> None:
    """ヘルスケアパスポート: vitals and prescriptions, shown to each reader exactly as the person consents."""
    signal.signal(signal.SIGTERM, _end)


@main.command()
@_state
def init(state: Path) -> None:
    """Make DIR a production installation: settings, keys, and a migrated database."""
    settings = installation.initialise(state, "production")
    with installation.opened(settings) as ready:
        installation.prepare(ready, utc_now())
        handed = first_operators(ready)
    click.echo(f"{state}: ready. Keep a copy of {settings.key_file} apart from the database's.")
    for operator in handed:
        _echo_code(operator)


@main.command("operator")
@_state
@click.option("--login", required=True, help="Whom it is for, such as `operator-1` or a new one.")
@click.option("--instead-of", multiple=True, help="An operator's login to take back: who signs in no more.")
def operator_command(state: Path, login: str, instead_of: tuple[str, ...]) -> None:
    """Print a new sign-in code for an operator, where no two others are left to hand it out."""
    with installation.opened(existing(state)) as ready:
        handed = another_operator(ready, login, instead_of)
    _echo_code(handed)


@main.command()
@_state
@_port
@click.option("--host", help="The address to listen on; 127.0.0.1 by default, behind the city's proxy.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Service processes.")
def serve(state: Path, port: int | None, host: str | None, workers: int) -> None:
    """Serve a production installation; what a demo made is refused."""
    settings = existing(state, port=port, host=host)
    installation.require_production(settings)
    # Only those who serve wait for the service to be imported.
    from passport.serving import serve as run

    with installation.opened(settings) as ready:
        installation.prepare(ready, utc_now())
        if installation.labels_wait(ready):
            click.echo(f"labels: stored records wait for `passport relabel --state {state}`", err=True)
        run(ready, workers=workers)


@main.command()
@_state
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Worker processes.")
def worker(state: Path, processes: int) -> NoReturn:
    """Carry out what requests left to be done: imports."""
    from passport.working import work

    with installation.opened(existing(state)) as ready:
        several = "1 process" if processes == 1 else f"{processes} processes"
        click.echo(f"{state}: {several} at work on what requests left to be done; Ctrl-C ends them", err=True)
        code = work(ready, processes=processes)
    sys.exit(code)


@main.command()
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Where the town is kept.")
@_port
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the personas there, once the story is told and the town is served.",
)
@click.option(
    "--sandbox", is_flag=True, help="Add a persona that reads and writes everything, for test suites."
)
@click.option(
    "--check", is_flag=True, help="Tell the story on a temporary database, and end with its result."
)
def demo(state: Path | None, port: int | None, json_file: Path | None, sandbox: bool, check: bool) -> None:
    """Load a fictional town, tell the story of one consent, and serve it."""
    from passport.demo import running

    if check:
        sys.exit(0 if running.check() else 1)
    if state is None:
        raise click.UsageError("--state is needed, or --check")
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise click.UsageError(f"--json: there is no folder `{json_file.absolute().parent}`")
    try:
        running.demo(state, port=8000 if port is None else port, json_file=json_file, sandbox=sandbox)
    except KeyboardInterrupt:
        click.echo(f"\nEnded. {running.how_it_goes_on(state)}".rstrip())


@main.command()
@_state
@click.option(
    "--as", "reference", required=True, help=f"Patient/…, PractitionerRole/…, …, {', '.join(sorted(CITY))}."
)
@click.option("--purpose", required=True, help="The purpose of use, such as TREAT or PATRQT.")
@click.option("--scope", default="", help="SMART scopes, separated by spaces; none narrows nothing.")
@click.option(
    "--ttl",
    type=Lifetime(),
    default=DEMO_LIFETIME,
    show_default=f"{DEMO_LIFETIME // timedelta(hours=1)}h",
    help="How long it is good for: seconds, or such as 15m; a day at most.",
)
def token(state: Path, reference: str, purpose: str, scope: str, ttl: timedelta) -> None:
    """Print a token to act as somebody; only on demo and sandbox installations."""
    with installation.opened(existing(state)) as ready:
        (text,) = hand_out(ready, [Wanted(reference, purpose, scope, ttl)])
    click.echo(text)


@main.command("map")
@click.argument("form", metavar="FORMAT", type=click.Choice(sorted(FORMATS)))
@click.argument("file", type=click.File("rb"))
def map_command(form: str, file: BinaryIO) -> None:
    """Print the FHIR Bundle that FILE becomes; deviations from the format on stderr. Stores nothing.

    FORMAT is `gatt` for Bluetooth payloads as JSON (`{"gatt": "2A35", "hex": …, "time": …}`, one, a list or one
    a line), or `jahis` for an お薬手帳 file.
    """
    mapped = FORMATS[form](file.read())
    for deviation in mapped.deviations:
        click.echo(f"line {deviation.line}, record {deviation.record}: {deviation.text}", err=True)
    click.echo(dumps(mapped.bundle, indent=True))


@main.group()
def db() -> None:
    """Prepare a PostgreSQL server of your own."""


@db.command()
@click.option("--url", type=DatabaseAddress(), required=True, help="Address by which a superuser connects.")
@click.option("--database", "name", default=installation.DATABASE, show_default=True)
def bootstrap(url: str, name: str) -> None:
    """Create the roles and the database; print what PASSPORT_MIGRATION_URL and PASSPORT_DATABASE_URL are."""
    owner, service = database.bootstrap(url, name)
    click.echo(f"PASSPORT_MIGRATION_URL='{owner}'\nPASSPORT_DATABASE_URL='{service}'")


@db.command()
@_state
def migrate(state: Path) -> None:
    """Bring the database of an installation to the newest revision."""
    with installation.opened(existing(state)) as ready:
        installation.prepare(ready, utc_now())


@main.command()
@_state
@click.option(
    "--batch",
    type=click.IntRange(1, 5_000),
    default=200,
    show_default=True,
    help="Records in one transaction, in which those that are raised are locked.",
)
@click.option("--again", is_flag=True, help="Go over everything, though it was gone over with this table.")
def relabel(state: Path, batch: int, again: bool) -> None:
    """Label what is stored by the table of this release; safe beside the service, and to break off."""
    from passport.installation.labels import relabel_all

    with installation.opened(existing(state)) as ready:
        count = relabel_all(ready, limit=batch, again=again, tell=_tell_of_labels)
    click.echo(f"{count.looked} records looked at, {count.raised} of them raised")


def _tell_of_labels(before: int, looked: int) -> None:
    """How far it is, every so often."""
    if looked // LABELS_TOLD > before // LABELS_TOLD:
        click.echo(f"{looked} records looked at", err=True)


main.add_command(backup)
main.add_command(keys)
main.add_command(device_ca)
main.add_command(doctor)
main.add_command(restore)


@main.group("consent")
def consent_group() -> None:
    """What was granted and decided: prove it, and decide it again."""


consent_group.add_command(verify)
consent_group.add_command(replay)
consent_group.add_command(evaluate)


def _echo_code(handed: Handed) -> None:
    click.echo(f"sign-in code, shown this once:  {handed.login}  {handed.code}")


def _end(signum: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM is the ordinary end of a command; whatever it started ends with it."""
    sys.exit(0)


if __name__ == "__main__":
    main()
