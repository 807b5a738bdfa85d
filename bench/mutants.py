"""Mutation testing of the consent engine: each small change to it has to be noticed by a test.

https://hypothesis.works/articles/what-is-property-based-testing/

One change at a time is made in a copy of the sources, and the tests of the engine run there until one fails. A
change that no test notices is either a test that is missing, or stands in `equivalent.toml` with the reason why
nothing can come of it.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from secrets import randbelow
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import click

from bench.mutations import Mutant, mutants

ROOT: Final = Path(__file__).parent.parent
ENGINE: Final = (
    *(
        f"consent/{name}.py"
        for name in (
            "reference", "kleene", "model", "sql", "facts", "compile", "provision", "period", "shape", "standing",
            "directory", "read", "element",
        )
    ),
    "passport/standing.py",
    "passport/decision.py",
)  # fmt: skip
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")

SLOWER: Final = 5
"""A run that takes so many times as long as without a change goes round in a circle, which counts as noticed."""

LAST_SECONDS: Final = 60
"""So long a run that was interrupted has to stop what it started."""

_COPIED: Final = (
    "bench", "consent", "docs", "fhir", "migrations", "passport", "tests", "workers", "pyproject.toml", "README.md",
)  # fmt: skip
_EXAMPLES: Final = "tests/unit/consent"
# What notices most, and soonest, comes first: what needs no database, the examples, and what is drawn.
_STAGES: Final = {
    "consent": (
        (_EXAMPLES, "-k", "not sql"),
        (_EXAMPLES,),
        ("tests/properties/test_consent_worlds.py", "-k", "every_server and postgresql-18"),
        ("tests/properties/test_consent_sql.py", "-k", "not postgresql-16"),
        ("tests/properties/test_consent_laws.py",),
    ),
    # The same engine as the service asks it: whose standing it is, and which rows it is asked of.
    "passport": (
        ("tests/unit/passport/evaluation/test_trial.py", "tests/unit/passport/core"),
        ("tests/http/test_fhir_consent_cases.py", "tests/http/test_fhir_consents.py"),
        ("tests/attacks/test_second_wall.py", "tests/attacks/test_guessed_standing.py"),
        (
            "tests/http/test_fhir_audit.py",
            "tests/http/test_fhir_patients.py",
            "tests/http/test_fhir_authority.py",
        ),
        (
            "tests/http/test_auth.py",
            "tests/http/test_identity_of_patients.py",
            "tests/http/test_sharing_preview.py",
        ),
    ),
}


class Named(NamedTuple):
    """A mutant by its file; how `equivalent.toml` names it."""

    file: str
    mutant: Mutant

    @property
    def part(self) -> str:
        """Which tests have to notice it."""
        return self.file.partition("/")[0]

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when lines move."""
        return self.file, self.mutant.function, self.mutant.change

    def __str__(self) -> str:
        """Where it is and what it changes."""
        return f"{self.file}:{self.mutant.line} {self.mutant.function}: {self.mutant.change}"


@click.command()
@click.option("--seed", type=int, default=None, help="Draws the sample; drawn itself if it is not given.")
@click.option("--sample", default=40, show_default=True, help="How many changes to try; 0 is all.")
@click.option("--minutes", default=30, show_default=True, help="No further change is tried after so long.")
@click.option("--file", "files", multiple=True, default=ENGINE, help="A file of the engine; may be repeated.")
def main(seed: int | None, sample: int, minutes: int, files: Sequence[str]) -> None:
    """Try changes to the consent engine; fails if one goes unnoticed and has no reason."""
    drawn = randbelow(2**31) if seed is None else seed
    click.echo(f"seed {drawn}: changes to the consent engine")
    if survivors := tried(files, drawn, sample, minutes):
        raise SystemExit(f"{len(survivors)} survived: write the test, or the reason in {EQUIVALENT.name}")


def tried(files: Sequence[str], seed: int, sample: int, minutes: float) -> list[Named]:
    """The changes of a sample that no test noticed."""
    every = [Named(file, each) for file in files for each in mutants((ROOT / file).read_bytes())]
    chosen = Random(seed).sample(every, min(sample or len(every), len(every)))
    ends, reasons = time.monotonic() + minutes * 60, known_reasons()
    survivors, killed, explained = [], 0, 0
    with _copied() as copy:
        longest = {
            part: SLOWER * _unchanged(copy, part, seed)
            for part in {one.part for one in chosen if one.key not in reasons}
        }
        for one in _until(ends, chosen):
            if one.key in reasons:
                explained += 1
                continue
            if _killed(copy, one, seed, longest[one.part]):
                killed += 1
                click.echo(f"noticed: {one}")
            else:
                survivors.append(one)
                click.echo(f"SURVIVED: {one}")
    click.echo(f"{killed} noticed, {len(survivors)} survived, {explained} equivalent, of {len(chosen)} drawn")
    return survivors


def known_reasons() -> dict[tuple[str, str, str], str]:
    """Why a change makes no difference, by file, function and change."""
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8")).get("mutant", [])
    return {(one["file"], one["function"], one["change"]): one["reason"] for one in listed}


def _until(ends: float, chosen: Iterable[Named]) -> Iterator[Named]:
    for one in chosen:
        if time.monotonic() > ends:
            click.echo("the time is over; the rest of the sample was not tried")
            return
        yield one


@contextmanager
def _copied() -> Iterator[Path]:
    with TemporaryDirectory(prefix="mutants-") as folder:
        for name in _COPIED:
            source, target = ROOT / name, Path(folder, name)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
            else:
                shutil.copy(source, target)
        yield Path(folder)


def _unchanged(copy: Path, part: str, seed: int) -> float:
    """How many seconds all tests take where nothing is changed, which they must not notice."""
    began = time.monotonic()
    if _noticed(copy, part, seed, None):
        raise SystemExit("the tests of the engine fail without any change")
    return time.monotonic() - began


def _killed(copy: Path, one: Named, seed: int, longest: float) -> bool:
    target = copy / one.file
    source = target.read_bytes()
    target.write_bytes(one.mutant.applied(source))
    try:
        return _noticed(copy, one.part, seed, longest)
    finally:
        target.write_bytes(source)


def _noticed(copy: Path, part: str, seed: int, longest: float | None) -> bool:
    return any(_fails(copy, seed, longest, stage) for stage in _STAGES[part])


def _fails(copy: Path, seed: int, longest: float | None, tests: Sequence[str]) -> bool:
    """Whether one of the tests fails in the copy, or runs without end."""
    drawn = ("--hypothesis-profile=mutants", f"--hypothesis-seed={seed}")
    # Two texts of one size within a second would share their compiled form.
    surroundings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-x", "-pno:cacheprovider", *drawn, *tests],
        cwd=copy,
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        try:
            return run.wait(longest) != 0
        except subprocess.TimeoutExpired:
            _ended(run)
            return True


def _ended(run: subprocess.Popen[bytes]) -> None:
    """End it as a person would, so that it stops its servers; only then by force."""
    run.send_signal(signal.SIGINT)
    try:
        run.wait(LAST_SECONDS)
    except subprocess.TimeoutExpired:
        run.kill()


if __name__ == "__main__":
    main()
