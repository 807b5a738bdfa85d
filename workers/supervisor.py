"""Starts the worker's processes, starts again what dies, and ends them all when it ends.

A process that dies at once is started again after a pause that doubles. No child outlives the supervisor: the
kernel ends it (see `workers.ending`), even when the supervisor is killed.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

TEND_SECONDS: Final = 0.2
STOP_SECONDS: Final = 5
"""How long children may take to finish their task before they are killed; the outbox keeps it promised."""

STEADY_SECONDS: Final = 60
"""A process that lived so long was healthy: its next start does not wait."""
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0

log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class Child:
    """One process of the worker, running or to be started again."""

    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 0.0

    def tend(self, now: float) -> None:
        """Start the process if it does not run and its pause is over; `now` in seconds, monotonic."""
        if self.process is not None and (status := self.process.poll()) is not None:
            log.warning("%s ended with status %d", self.arguments[0], status)
            self.process = None
            steady = now - self.started_at >= STEADY_SECONDS
            longer = min(self.pause * 2, LONGEST_PAUSE_SECONDS)
            self.pause = FIRST_PAUSE_SECONDS if steady else max(longer, FIRST_PAUSE_SECONDS)
            self.started_at = now
        if self.process is None and now >= self.started_at + self.pause:
            self.process = self._start()
            self.started_at = now

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "workers", *self.arguments, "--follow", str(os.getpid())]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop(self, deadline: float) -> None:
        """Wait for the process to end, which was asked to; kill it at `deadline`, monotonic."""
        if self.process is None:
            return
        try:
            self.process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(slots=True)
class Stop:
    """Whether the supervisor was asked to end."""

    asked: bool = field(default=False)

    @classmethod
    @contextmanager
    def by_signal(cls) -> Iterator["Stop"]:
        """A `Stop` that SIGTERM and SIGINT ask for while the block runs."""
        stop = cls()

        def ask(signum: int, frame: object) -> None:
            stop.asked = True

        before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield stop
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def supervise(commands: Sequence[Sequence[str]]) -> None:
    """Run `python -m workers` once per command, until SIGTERM or SIGINT, then end what runs."""
    children = [Child(tuple(command)) for command in commands]
    with Stop.by_signal() as stop:
        try:
            while not stop.asked:
                for child in children:
                    child.tend(time.monotonic())
                time.sleep(TEND_SECONDS)
        finally:
            _end(children)


def _end(children: Sequence[Child]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        if child.process is not None:
            child.process.terminate()
    for child in children:
        child.stop(deadline)
