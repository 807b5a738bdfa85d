"""Worlds without end: the reference against the SQL on PostgreSQL, for as long as there is time.

http://hl7.org/fhir/R4/consent.html

Each world has a seed, which is told if the two differ: `tests.properties.drawn_worlds.drawn_world(seed)` is the world
again, and its JSON is what `passport consent evaluate` takes.
"""

import time
from pathlib import Path
from secrets import randbelow
from tempfile import TemporaryDirectory
from typing import Final

import click

from passport.embedded import EmbeddedPostgres
from passport.evaluation.store import connected
from passport.evaluation.trial import Trial
from tests.properties.agreeing import SECRET, Agreement
from tests.unit.consent.words import TOKYO

TOLD_AFTER: Final = 10_000
"""So many worlds lie between two lines of progress."""


@click.command()
@click.option("--seed", type=int, default=None, help="What all seeds begin with; drawn if it is not given.")
@click.option("--minutes", default=60, show_default=True, help="How long to go on.")
def main(seed: int | None, minutes: int) -> None:
    """Decide worlds both ways until the time is over; fails with the seed of the first that differs."""
    first = randbelow(2**31) if seed is None else seed
    click.echo(f"seed {first}: worlds for {minutes} minutes")
    ends, decided = time.monotonic() + minutes * 60, 0
    with (
        TemporaryDirectory(prefix="passport-worlds-") as folder,
        EmbeddedPostgres.start(Path(folder), unsafe_fast=True) as server,
        connected(server.superuser_dsn()) as connection,
    ):
        agreement = Agreement(Trial(connection, SECRET, TOKYO))
        while decided == 0 or time.monotonic() < ends:
            agreement.hold(f"{first}/{number}" for number in range(decided, decided + TOLD_AFTER))
            agreement.check_share()
            decided += TOLD_AFTER
            click.echo(f"{decided} worlds, {agreement.shown} of {agreement.asked} records permitted")


if __name__ == "__main__":
    main()
