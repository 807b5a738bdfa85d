"""`make bench`: what consent, audit and HTTP cost here and now, each figure beside its floor of the same run.

No figure is asserted: a machine says how fast it is, a test says whether it is right.
"""

import asyncio
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click
import psycopg

from bench import crowd, guarding, room, starting
from bench.filling import Size, fill
from bench.measuring import BATCH, Bench, Figure, NotMeasured
from bench.pace import CONNECTIONS
from bench.statements import BARE_TABLE
from bench.town import SERVICE, Office, serving
from fhirstore.keys import KeyMaker
from passport.database import bootstrap
from passport.embedded import EmbeddedPostgres
from passport.installation import DATABASE, initialise, prepare
from passport.keys import KeyRing
from passport.runtime import utc_now

FULL: Final = Size(patients=1_000, observations=200)
SMALL: Final = Size(patients=200, observations=200)


class Chapter(NamedTuple):
    """One thing that is measured in several ways; `counted` is what its figures count, or its sizes are in.

    Of some there are `lines` alone.
    """

    title: str
    counted: str = ""
    figures: Callable[[Bench], Iterable[Figure]] = lambda _: ()
    sizes: Callable[[Bench], Iterable[tuple[float, str]]] = lambda _: ()
    lines: Callable[[Bench], Iterable[str]] = lambda _: ()


CHAPTERS: Final = {
    "start": Chapter("The embedded PostgreSQL until it answers", lines=starting.lines),
    "search": Chapter(
        "Page of 50 blood pressures of one patient, by patient, code and date",
        "searches/s",
        lambda bench: bench.search((1, 2)),
    ),
    "compartment": Chapter(
        "Page of 50 Observations of one patient, by compartment",
        "searches/s",
        lambda bench: bench.compartment((1, 2)),
    ),
    "read": Chapter("Read by id", "reads/s", lambda bench: bench.read((1, 2))),
    "total": Chapter("Accurate total of the blood pressures of all who share", "totals/s", Bench.total),
    "bytes": Chapter(
        "A stored Observation with its indexes", "bytes", sizes=lambda bench: room.sizes(bench.superuser_url)
    ),
    "create": Chapter("Create one Observation", "creates/s", lambda bench: bench.create((1, 2))),
    "batch": Chapter(
        f"Transactions of {BATCH} Observations", "resources/s", lambda bench: bench.batch((1, 2))
    ),
    "devices": Chapter(
        f"Signed device messages of {BATCH} readings", "readings/s", lambda bench: bench.devices((1, 2))
    ),
    "consent": Chapter(
        "A search with its condition and its wall: times the time of one without", lines=guarding.lines
    ),
    "crowd": Chapter("A physician with whom few of very many share", lines=crowd.lines),
}

_WAYS: Final = {
    "bare SQL": "bare SQL",
    "bare HTTP": "HTTP without token, consent, audit",
    "service": "HTTP with token, consent, audit",
}


@contextmanager
def installed(state: Path, size: Size, seconds: float) -> Iterator[Bench]:
    """A filled passport on an embedded PostgreSQL of its own, durable as in production."""
    with EmbeddedPostgres.start(state) as server:
        owner_url, service_url = bootstrap(server.superuser_dsn(), DATABASE)
        superuser_url = server.superuser_dsn(DATABASE)
        settings = initialise(state, "demo").at(database_url=service_url, migration_url=owner_url)
        prepare(settings, utc_now())
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            connection.execute(BARE_TABLE)
        with serving(settings, SERVICE, 1) as ports:
            directory = Office(settings, *ports).directory()
        filled = asyncio.run(fill(settings, superuser_url, size, directory.institutions))
        yield Bench(
            settings=settings,
            superuser_url=superuser_url,
            keys=KeyMaker(KeyRing.load(settings.key_file).index_secret),
            filled=filled,
            physician=directory.physician,
            institution=directory.institutions[0],
            seconds=seconds,
            full=size == FULL,
        )


@click.command()
@click.option("--full", is_flag=True, help="A thousand residents in place of two hundred.")
@click.option("--seconds", default=4.0, show_default=True, help="For how long each figure is measured.")
@click.option("--only", multiple=True, type=click.Choice(list(CHAPTERS)), help="Only this chapter.")
@click.option("--folder", type=click.Path(path_type=Path), default=".bench", help="On which disk to measure.")
def main(full: bool, seconds: float, only: tuple[str, ...], folder: Path) -> None:
    """Fill a passport on an embedded PostgreSQL with fsync on, and measure it."""
    # What was started ends with whoever is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    size = FULL if full else SMALL
    click.echo(f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}")
    click.echo(
        f"{size.patients} residents with {size.observations} Observations each, {CONNECTIONS} connections"
    )
    folder.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=folder.absolute()) as state,
        installed(Path(state), size, seconds) as bench,
    ):
        for name in only or CHAPTERS:
            chapter = CHAPTERS[name]
            click.echo(f"\n{chapter.title}")
            try:
                _print(chapter.counted, chapter.figures(bench))
            except NotMeasured as reason:
                click.echo(f"  not measured: {reason}")
            for taken, what in chapter.sizes(bench):
                click.echo(f"{taken:>12,.0f} {chapter.counted}  {what}")
            for line in chapter.lines(bench):
                click.echo(line)


def _print(counted: str, figures: Iterable[Figure]) -> None:
    rates: dict[str, float] = {}
    for figure in figures:
        if not rates:
            click.echo(_row(counted, "p50 ms", "p99 ms", "of SQL", "of bare HTTP"))
        rates[figure.way] = figure.rate
        ratios = [
            f"{figure.rate / rates[way]:.2f}" if way in rates and way != figure.way else ""
            for way in ("bare SQL", "bare HTTP")
        ]
        times = (f"{figure.counted.p50_ms:.1f}", f"{figure.counted.p99_ms:.1f}")
        processes = f", {figure.processes} processes" if figure.processes > 1 else ""
        click.echo(_row(f"{figure.rate:,.0f}", *times, *ratios, f"{_WAYS[figure.way]}{processes}"))


def _row(*cells: str) -> str:
    widths = (12, 8, 8, 8, 14)
    *numbers, last = [*cells, *([""] * (6 - len(cells)))]
    return "".join(f"{cell:>{width}}" for cell, width in zip(numbers, widths, strict=True)) + f"  {last}"


if __name__ == "__main__":
    main()
