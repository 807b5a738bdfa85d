"""A long run: generated worlds, hostile input and killed parts, round after round with new seeds.

https://hypothesis.readthedocs.io/en/latest/reproducing.html

Each round draws new examples for every property and kills every part once more. The seed is printed before its
round, so that a failure can be had again; a failure ends the run and becomes a test.
"""

import subprocess
import sys
import time
from secrets import randbelow
from typing import Final

import click

ROUNDS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("laws, and SQL against the reference", ("tests/properties",)),
    ("hostile messages and bodies", ("tests/attacks", "tests/unit/passport/devices", "tests/unit/fhirstore")),
    ("killed parts", ("tests/faults",)),
)


@click.command()
@click.option("--minutes", default=60, show_default=True, help="No new round begins after so long.")
@click.option("--seed", type=int, default=None, help="The seed of the first round; drawn if it is not given.")
def main(minutes: int, seed: int | None) -> None:
    """Run rounds of tests with new seeds until the time is over or one fails."""
    first = randbelow(2**31) if seed is None else seed
    ends = time.monotonic() + minutes * 60
    done = 0
    while done == 0 or time.monotonic() < ends:
        _round(first + done)
        done += 1
    click.echo(f"{done} rounds without a failure, seeds {first} to {first + done - 1}")


def _round(seed: int) -> None:
    for name, paths in ROUNDS:
        click.echo(f"seed {seed}: {name}")
        drawn = (f"--hypothesis-seed={seed}", "--hypothesis-profile=soak")
        command = [sys.executable, "-m", "pytest", "-q", *drawn, *paths]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(f"failed; again with: python -m bench.soak --seed {seed}")


if __name__ == "__main__":
    main()
