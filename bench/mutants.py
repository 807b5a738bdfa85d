"""Mutation testing of the consent engine: each small change to it has to be noticed by a test.

https://hypothesis.works/articles/what-is-property-based-testing/

One change at a time is made in a copy of the sources, and the tests of the engine run there until one fails, each time
in a fork of a process that has loaded everything else, on a server that they share: `bench/noticing.py`. A change that
no test notices is either a test that is missing, or stands in `equivalent.toml` with the reason why nothing can come
of it.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from secrets import randbelow
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, Self

import click

from bench.mutations import Mutant, mutants
from bench.noticing import Stages, Task
from passport.embedded import EmbeddedPostgres
from tests.databases import RUNNING_URL_VARIABLE, TEMPLATE, Server

ROOT: Final = Path(__file__).parent.parent
ENGINE: Final = (
    *(
        f"consent/{name}.py"
        for name in (
            "reference", "kleene", "model", "sql", "grants", "template", "facts", "formula", "compile", "provision",
            "period", "shape", "standing", "directory", "read", "element", "systems", "store", "explain", "explanation",
            "idle", "comparing",
        )
    ),
    "passport/standing.py",
    "passport/standing_statement.py",
    "passport/decision.py",
)  # fmt: skip
EQUIVALENT: Final = Path(__file__).with_name("equivalent.toml")

SLOWER: Final = 5
"""A run that takes so many times as long as without a change goes round in a circle, which counts as noticed."""

REMEMBERED: Final = 12
"""So many tests that noticed the changes before are asked first about the next one."""

_COPIED: Final = (
    "bench", "consent", "docs", "fhir", "migrations", "passport", "tests", "workers", "pyproject.toml", "README.md",
)  # fmt: skip
_EXAMPLES: Final = "tests/unit/consent"
_EXPLAINED: Final = (_EXAMPLES, "tests/properties/test_consent_explained.py", "-k", "explain")
_COMPARED: Final = (
    "tests/unit/consent/test_comparing.py",
    "tests/unit/consent/test_idle.py",
    "tests/properties/test_consent_idle.py",
)
_WORLDS: Final = ("tests/properties/test_consent_worlds.py", "-k", "every_server and postgresql-18")
_SQL: Final = ("tests/properties/test_consent_sql.py", "-k", "not postgresql-16")
# What notices most, and soonest, comes first: what needs no database, the examples, and what is drawn.
_DECIDED: Final = (
    (_EXAMPLES, "-k", "not sql"),
    (_EXAMPLES, "-k", "sql"),
    ("tests/unit/passport/evaluation/test_trial.py",),
    _WORLDS,
    _SQL,
    ("tests/properties/test_consent_laws.py",),
    ("tests/properties/test_consent_small_scope.py", "-k", "not sql"),
)
_TOLD: Final = (
    _EXPLAINED,
    ("tests/properties/test_stored_explained.py", "tests/http/test_sharing_preview.py"),
)
_STAGES: Final[Mapping[str, Stages]] = {
    "consent": _DECIDED,
    "consent/explain.py": _TOLD,
    "consent/explanation.py": _TOLD,
    "consent/comparing.py": (_COMPARED,),
    "consent/idle.py": (_COMPARED,),
    # The same engine as the service asks it: whose standing it is, and which rows it is asked of.
    "passport": (
        (
            "tests/unit/passport/evaluation/test_trial.py",
            "tests/unit/passport/core",
            "tests/unit/passport/remembering",
        ),
        ("tests/properties/test_membership_walk.py",),
        ("tests/http/test_fhir_consent_cases.py", "tests/http/test_fhir_consents.py"),
        (
            "tests/attacks/test_second_wall.py",
            "tests/attacks/test_guessed_standing.py",
            "tests/attacks/test_remembered_standing.py",
        ),
        (
            "tests/http/test_fhir_audit.py",
            "tests/http/test_fhir_patients.py",
            "tests/http/test_fhir_authority.py",
        ),
        ("tests/http/test_narrowed_scopes.py", "tests/http/test_fhir_sandbox_writes.py"),
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
        """Which tests have to notice it: those of its file, or of its package."""
        return self.file if self.file in _STAGES else self.file.partition("/")[0]

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
    chosen = Random(seed).sample(every, min(sample, len(every))) if sample else every
    ends, reasons = time.monotonic() + minutes * 60, known_reasons()
    survivors, killed, explained = [], 0, 0
    with (
        _copied() as copy,
        Tests(copy, seed, {one.part for one in chosen if one.key not in reasons}) as tests,
    ):
        for one in _until(ends, chosen):
            if one.key in reasons:
                explained += 1
                continue
            if by := _changed(copy, one, tests):
                killed += 1
                click.echo(f"noticed: {one} by {by}")
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


def _changed(copy: Path, one: Named, tests: "Tests") -> str | None:
    """The test that notices a change while it is made."""
    target = copy / one.file
    source = target.read_bytes()
    target.write_bytes(one.mutant.applied(source))
    try:
        return tests.noticed(one)
    finally:
        target.write_bytes(source)


class Tests:
    """The tests in a copy of the sources, by a process that stays and a server that they share."""

    def __init__(self, copy: Path, seed: int, parts: Collection[str]) -> None:
        self._copy, self._seed, self._parts = copy, seed, sorted(parts)
        self._open = ExitStack()
        self._longest: dict[str, float] = {}
        self._lately: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        folder = self._open.enter_context(TemporaryDirectory(prefix="mutants-server-"))
        running = EmbeddedPostgres.start(Path(folder, "server"), major=18, unsafe_fast=True)
        url = self._open.enter_context(running).superuser_dsn()
        Server(url).make_template(TEMPLATE)
        self._process = self._open.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "bench.noticing"],
                cwd=self._copy,
                env={**os.environ, RUNNING_URL_VARIABLE: url},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        self._say([stage[0] for part in self._parts for stage in _STAGES[part]])
        for part in self._parts:
            self._longest[part] = SLOWER * self._unchanged(part)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def noticed(self, one: Named) -> str | None:
        """The first test that fails; those that noticed other changes to the file lately are asked first."""
        lately = self._lately.setdefault(one.file, [])
        by = self._ask(one.part, lately, self._longest[one.part])
        if by is not None and "::" in by:
            lately[:] = [by, *(one for one in lately if one != by)][:REMEMBERED]
        return by

    def _unchanged(self, part: str) -> float:
        """How many seconds all tests of a part take where nothing is changed, which they must not notice."""
        began = time.monotonic()
        if by := self._ask(part, [], None):
            raise SystemExit(f"without any change there fails {by}")
        return time.monotonic() - began

    def _ask(self, part: str, first: Sequence[str], longest: float | None) -> str | None:
        self._say(Task(_STAGES[part], first, self._seed, longest))
        answer = self._process.stdout.readline() if self._process.stdout else ""
        if not answer:
            raise SystemExit("the process that runs the tests is gone")
        by: str | None = json.loads(answer)
        return by

    def _say(self, what: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(f"{json.dumps(what)}\n")
            self._process.stdin.flush()


if __name__ == "__main__":
    main()
