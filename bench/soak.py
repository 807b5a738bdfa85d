"""A long run: more of every kind of trial, with new seeds, round after round.

https://hypothesis.readthedocs.io/en/latest/tutorial/replaying-failures.html

The seed is printed before its round, so that a failure can be had again; a failure ends the run and becomes a test.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from secrets import randbelow
from typing import Final, NamedTuple

import click


class Round(NamedTuple):
    """One kind of trial: what it tries, the command of a seed, and what makes it brief."""

    what: str
    command: tuple[str, ...]
    brief: tuple[str, ...] = ()


def _tests(*paths: str) -> tuple[str, ...]:
    return ("pytest", "-q", "--hypothesis-seed={seed}", *paths, "--hypothesis-profile={profile}")


# Ten times the usual examples, whatever machine it is, or just these: see the profile in tests/conftest.py.
_LONG: Final = "soak"
_BRIEF: Final = "default"

ROUNDS: Final = {
    "worlds": Round(
        "an hour of worlds, decided by the reference and by the SQL",
        ("bench.worlds", "--seed", "{seed}"),
        ("--minutes", "0"),
    ),
    "laws": Round("the laws, and the SQL against the reference", _tests("tests/properties")),
    "leaks": Round("hidden records change no byte of any answer", _tests("tests/attacks")),
    "fuzz": Round("hostile requests to the live service", _tests("tests/http/test_fuzz.py")),
    "hostile": Round(
        "hostile messages, bodies and intervals",
        _tests("tests/unit/passport/devices", "tests/unit/fhirstore"),
    ),
    "kills": Round("parts that are killed", _tests("tests/faults")),
    "mutants": Round(
        "changes to the consent engine",
        ("bench.mutants", "--seed", "{seed}"),
        ("--sample", "4", "--minutes", "5"),
    ),
}


@click.command()
@click.option("--minutes", default=60, show_default=True, help="No further pass goes on after so long.")
@click.option("--seed", type=int, default=None, help="The seed of the first pass; drawn if it is not given.")
@click.option("--only", multiple=True, type=click.Choice(list(ROUNDS)), help="This round; may be repeated.")
@click.option("--brief", is_flag=True, help="The usual number of examples: does every round come to its end?")
def main(minutes: int, seed: int | None, only: Sequence[str], *, brief: bool) -> None:
    """Pass once through all rounds, then on with new seeds until the time is over or one fails."""
    first = randbelow(2**31) if seed is None else seed
    ends = time.monotonic() + minutes * 60
    rounds, done = list(only or ROUNDS), 0
    while done < len(rounds) or time.monotonic() < ends:
        _run(rounds[done % len(rounds)], first + done // len(rounds), brief=brief)
        done += 1
    click.echo(f"{done} rounds without a failure, from seed {first}")


def _run(name: str, seed: int, *, brief: bool) -> None:
    what, command, less = ROUNDS[name]
    click.echo(f"seed {seed}, {name}: {what}")
    parts = [*command, *(less if brief else ())]
    given = [part.format(seed=seed, profile=_BRIEF if brief else _LONG) for part in parts]
    if subprocess.run([sys.executable, "-m", *given], check=False).returncode:
        again = f"python -m bench.soak --minutes 0 --seed {seed} --only {name}{' --brief' if brief else ''}"
        raise SystemExit(f"{name} failed; again with: {again}")


if __name__ == "__main__":
    main()
