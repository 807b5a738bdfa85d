"""Which test notices what was changed: runs of the tests, each in a fork of one process that has loaded all the rest.

https://docs.python.org/3/library/os.html#os.fork

It runs in a copy of the sources. What no change touches, the libraries and the store, is loaded once; the engine, the
service and the tests are loaded anew by each run. Tasks come as JSON lines, and so do the answers.
"""

import gc
import json
import multiprocessing
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    """Tests to run until one fails: `first` those that noticed other changes lately, then stage by stage."""

    stages: Stages
    first: Sequence[str]
    seed: int
    longest: float | None


class Noted(NamedTuple):
    """What came of a run: the test that failed, None if none did, and how many seconds each took until then."""

    failed: str | None
    seconds: Mapping[str, float]


class Watch:
    """The plugin of a run: the quickest module comes first in it; which test failed first."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self.failed: str | None = None
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._of_modules: defaultdict[str, float] = defaultdict(float)
        for test, taken in seconds.items():
            self._of_modules[_module(test)] += taken

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Modules stay together, as they share databases."""
        items.sort(key=self._place)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be loaded any more notices as well."""
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One of the three steps of a test is over."""
        self.seconds[report.nodeid] += report.duration
        self._note(report)

    def _place(self, item: pytest.Item) -> tuple[float, str]:
        module = _module(item.nodeid)
        return self._of_modules[module], module

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.failed and self.failed is None:
            self.failed = report.nodeid or "what loads the tests"


def _module(test: str) -> str:
    return test.partition("::")[0]


def noticed_by(task: Task, seconds: Mapping[str, float]) -> Noted:
    """What comes of the tests in a process of its own, where they usually take so many seconds each."""
    ours, theirs = _FORKING.Pipe(duplex=False)
    run = _FORKING.Process(target=_run, args=(theirs, task, seconds))
    run.start()
    theirs.close()
    try:
        if not ours.poll(task.longest):
            _end(run.pid)
            return Noted(NEVER_ENDS, {})
        found: Noted = ours.recv()
        return found
    except EOFError:
        return Noted("its own process, which fell", {})
    finally:
        run.join(LAST_SECONDS)
        run.kill()


def _run(answer: Connection, task: Task, seconds: Mapping[str, float]) -> None:
    _quieten()
    taken: dict[str, float] = {}
    gc.disable()
    # Those that noticed something lately are asked before anything else is even loaded; there may be none, or no more.
    lately = [task.first] if task.first else []
    for stage in (*lately, *task.stages):
        watch = Watch(seconds)
        code = pytest.main([*_ALWAYS, f"--hypothesis-seed={task.seed}", *stage], plugins=[watch])
        taken |= watch.seconds
        if watch.failed is None and stage in lately:
            continue
        if code != pytest.ExitCode.OK:
            answer.send(Noted(watch.failed or f"what runs the tests: {code}", taken))
            return
    answer.send(Noted(None, taken))


# Which test fails is all that is asked: to tell why, modules would be compiled in a form of their own, in each run.
_ALWAYS: Final = ("-q", "-x", "-pno:cacheprovider", "--assert=plain", "--hypothesis-profile=mutants")


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
    gc.freeze()


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
    seconds: dict[str, float] = {}
    for line in sys.stdin:
        noted = noticed_by(Task(*json.loads(line)), seconds)
        if noted.failed is None:
            seconds |= noted.seconds
        print(json.dumps(noted.failed), flush=True)


if __name__ == "__main__":
    main()
