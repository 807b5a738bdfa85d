"""Which test notices what was changed: runs of the tests, each in a fork of one process that has loaded all the rest.

https://docs.python.org/3/library/os.html#os.fork

It runs in a copy of the sources. What no change touches, the libraries and the store, is loaded once; the engine, the
service and the tests are loaded anew by each run. Tasks come as JSON lines, and so do the answers.
"""

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from compileall import compile_dir
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final, NamedTuple

import pytest

Stages = Sequence[Sequence[str]]

LAST_SECONDS: Final = 60
"""So long a run that was interrupted has to stop what it started."""

NEVER_ENDS: Final = "a run without end"
"""What notices a change with which the tests go round in a circle."""

_CHANGED: Final = ("bench", "consent", "passport", "workers", "tests", "migrations")
_FORKING: Final = multiprocessing.get_context("fork")


class Task(NamedTuple):
    """Tests to run until one fails: stage by stage, in each those first that noticed other changes lately."""

    stages: Stages
    first: Sequence[str]
    seed: int
    longest: float | None


class Watch:
    """The plugin of a run: which test failed first."""

    def __init__(self, first: Sequence[str]) -> None:
        self.failed: str | None = None
        self._first = {name: place for place, name in enumerate(first)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """What noticed something lately notices the next change soonest."""
        items.sort(key=lambda item: self._first.get(item.nodeid, len(self._first)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be loaded any more notices as well."""
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One of the three steps of a test is over."""
        self._note(report)

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid or "what loads the tests"


def noticed_by(task: Task) -> str | None:
    """The test that fails in a process of its own, None if none does."""
    ours, theirs = _FORKING.Pipe(duplex=False)
    run = _FORKING.Process(target=_run, args=(theirs, task))
    run.start()
    theirs.close()
    try:
        if not ours.poll(task.longest):
            _end(run.pid)
            return NEVER_ENDS
        found: str | None = ours.recv()
        return found
    except EOFError:
        return "its own process, which fell"
    finally:
        run.join(LAST_SECONDS)
        run.kill()


def _run(answer: Connection, task: Task) -> None:
    _quieten()
    for stage in task.stages:
        watch = Watch(task.first)
        code = pytest.main([*_ALWAYS, f"--hypothesis-seed={task.seed}", *stage], plugins=[watch])
        if code != pytest.ExitCode.OK:
            answer.send(watch.failed or f"what runs the tests: {code}")
            return
    answer.send(None)


_ALWAYS: Final = (
    "-q", "-x", "-pno:cacheprovider", "--hypothesis-profile=mutants",
    # What is loaded once is not rewritten for the next run.
    "-Wignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


def _quieten() -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)


def _end(process: int | None) -> None:
    """Interrupt it as a person would, so that it stops its servers."""
    if process is not None:
        os.kill(process, signal.SIGINT)


def _prepare(tests: Sequence[str]) -> None:
    """Load what these tests need and no change touches."""
    # By its content, not its time, a compiled form is known: two texts of one size within a second would share it.
    for name in _CHANGED:
        compile_dir(name, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    ours, theirs = _FORKING.Pipe(duplex=False)
    collecting = _FORKING.Process(target=_collect, args=(theirs, tests))
    collecting.start()
    theirs.close()
    names: list[str] = ours.recv()
    collecting.join()
    sys.dont_write_bytecode = True
    for name in names:
        import_module(name)


def _collect(answer: Connection, tests: Sequence[str]) -> None:
    _quieten()
    pytest.main([*_ALWAYS, "--collect-only", *tests])
    loaded = [
        name
        for name, module in sys.modules.items()
        if name.partition(".")[0] not in {*_CHANGED, "__main__", "conftest"} and _has_file(module)
    ]
    answer.send(loaded)


def _has_file(module: object) -> bool:
    spec = getattr(module, "__spec__", None)
    return spec is not None and spec.origin is not None and Path(spec.origin).is_file()


def main() -> None:
    """Answer tasks from standard input until it ends; the first line names all tests that can be asked for."""
    sys.path.insert(0, str(Path("fhir").absolute()))
    _prepare(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        print(json.dumps(noticed_by(Task(*json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
