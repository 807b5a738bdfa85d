"""Keeps the server of a state folder up for as long as the service lives, and never longer.

https://www.postgresql.org/docs/current/server-shutdown.html

One process supervises; any other on the same state folder attaches to its server. The lock decides which,
and the kernel releases it with the process, however that ends.
"""

import logging
import signal
import time
from collections import deque
from pathlib import Path
from subprocess import Popen
from threading import Event, Lock, Thread
from types import TracebackType
from typing import IO, Final, Self

from psycopg.conninfo import make_conninfo

from passport.embedded.binaries import Major
from passport.embedded.cluster import SUPERUSER, Cluster, cluster_at
from passport.embedded.errors import EmbeddedPostgresError, StartFailed, StateInUse
from passport.embedded.processes import (
    FAST_SHUTDOWN_S,
    IMMEDIATE_SHUTDOWN_S,
    KILL_S,
    POLL_S,
    wait_until,
)

READY_S: Final = 120.0
"""Longest wait for a start; replaying the log of a crash takes its time."""

CRASHES_MAX: Final = 5
CRASHES_WINDOW_S: Final = 60.0
FIRST_PAUSE_S: Final = 0.05
"""A server that crashed is started again, with a pause that doubles from crash to crash."""

_log: Final = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A PostgreSQL server that belongs to a state folder, ready when `start` returns."""

    def __init__(self, cluster: Cluster, lock: IO[str] | None) -> None:
        self._cluster = cluster
        self._lock = lock
        self._stopping = Event()
        self._changing = Lock()
        self._process: Popen[bytes] | None = None
        self._thread = Thread(target=self._keep_up, name="embedded-postgres", daemon=True)

    @classmethod
    def start(cls, state_dir: Path, *, major: Major = 18, unsafe_fast: bool = False) -> Self:
        """Start the server of `state_dir`, or attach to the one that another process runs there.

        The folder is made if it is missing. `unsafe_fast` gives up durability for tests.

        Raises:
            EmbeddedPostgresError: the server cannot be started; the message says why.
        """
        cluster = cluster_at(state_dir, major, unsafe_fast=unsafe_fast)
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            lock = cluster.lock()
            if lock is not None:
                return cls._supervise(cluster, lock)
            if cluster.is_ready():
                return cls(cluster, None)
            time.sleep(POLL_S)
        raise StateInUse(f"another process holds `{state_dir}`, and its PostgreSQL is not ready")

    @classmethod
    def _supervise(cls, cluster: Cluster, lock: IO[str]) -> Self:
        server = cls(cluster, lock)
        try:
            cluster.prepare()
            server._thread.start()
            wait_until(lambda: cluster.is_ready() or not server._thread.is_alive(), READY_S)
            if not cluster.is_ready():
                raise StartFailed(f"PostgreSQL {cluster.major} does not get ready: {cluster.last_words()}")
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def attached(self) -> bool:
        """Whether another process supervises the server; then `stop` only lets go of it."""
        return self._lock is None

    def superuser_dsn(self, dbname: str = "postgres") -> str:
        """Connection string for the superuser, with which roles and databases are made."""
        return self.dsn(SUPERUSER, dbname)

    def dsn(self, role: str, dbname: str) -> str:
        """Connection string for `role`; no password, since only this user can enter the socket's folder."""
        return make_conninfo(host=str(self._cluster.socket_folder()), user=role, dbname=dbname)

    def stop(self) -> None:
        """Shut the server down and release the state folder; a second call does nothing."""
        with self._changing:
            self._stopping.set()
            process = self._process
        if process is not None:
            self._end(process)
        if self._lock is not None and not self._lock.closed:
            self._cluster.forget_short_way()
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

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
