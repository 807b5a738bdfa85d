"""Keeps the server of a state folder up while the keeper lives, and never longer.

https://www.postgresql.org/docs/current/server-shutdown.html
"""

import logging
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import Popen
from threading import Event, Lock, Thread
from typing import Final

from passport.embedded.cluster import Cluster
from passport.embedded.errors import EmbeddedPostgresError, StartFailed
from passport.embedded.processes import FAST_SHUTDOWN_S, IMMEDIATE_SHUTDOWN_S, KILL_S, wait_until

READY_S: Final = 120.0
"""Longest wait for a start; replaying the log of a crash takes its time."""

CRASHES_MAX: Final = 5
CRASHES_WINDOW_S: Final = 60.0
FIRST_PAUSE_S: Final = 0.05
"""A server that crashed is started again, with a pause that doubles from crash to crash."""

_log: Final = logging.getLogger(__name__)


class Supervisor:
    """The server of a cluster whose lock this process holds."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._stopping = Event()
        self._changing = Lock()
        self._process: Popen[bytes] | None = None
        self._thread = Thread(target=self._keep_up, name="embedded-postgres", daemon=True)

    @classmethod
    @contextmanager
    def running(cls, cluster: Cluster) -> Iterator[None]:
        """Have the server ready while the block runs, and gone when it is over.

        Raises:
            EmbeddedPostgresError: the server cannot be started; the message says why.
        """
        supervisor = cls(cluster)
        try:
            supervisor._start()
            yield
        finally:
            supervisor._stop()

    def _start(self) -> None:
        self._cluster.prepare()
        self._thread.start()
        wait_until(lambda: self._cluster.is_ready() or not self._thread.is_alive(), READY_S)
        if not self._cluster.is_ready():
            words = self._cluster.last_words()
            raise StartFailed(f"PostgreSQL {self._cluster.major} does not get ready: {words}")

    def _stop(self) -> None:
        with self._changing:
            self._stopping.set()
            process = self._process
        if process is not None:
            self._end(process)

    def _end(self, process: Popen[bytes]) -> None:
        steps = (
            (signal.SIGINT, FAST_SHUTDOWN_S),
            (signal.SIGQUIT, IMMEDIATE_SHUTDOWN_S),
            (signal.SIGKILL, KILL_S),
        )
        for number, seconds in steps:
            process.send_signal(number)
            self._thread.join(seconds)
            if not self._thread.is_alive():
                return
        _log.error("the embedded PostgreSQL outlived all signals")

    def _keep_up(self) -> None:
        """Start the server, again when it ends; in a thread of its own, with which it would end."""
        crashes: deque[float] = deque()
        while (process := self._spawned()) is not None:
            code = process.wait()
            if self._stopping.is_set():
                return
            now = time.monotonic()
            crashes.append(now)
            while crashes[0] < now - CRASHES_WINDOW_S:
                crashes.popleft()
            _log.error("the embedded PostgreSQL ended with %d", code)
            if len(crashes) > CRASHES_MAX:
                _log.critical("the embedded PostgreSQL ended too often and is not started again")
                return
            self._stopping.wait(FIRST_PAUSE_S * 2 ** (len(crashes) - 1))

    def _spawned(self) -> Popen[bytes] | None:
        with self._changing:
            if self._stopping.is_set():
                return None
            try:
                self._cluster.clear()
            except EmbeddedPostgresError:
                _log.exception("the embedded PostgreSQL cannot be started again")
                return None
            self._process = self._cluster.spawn()
            return self._process
