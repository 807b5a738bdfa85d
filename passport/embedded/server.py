"""The server of a state folder as a command sees it: ready when it is asked for, shared, there until the last one ends.

https://man7.org/linux/man-pages/man2/flock.2.html

Whoever finds no keeper starts one. A keeper that ended before its time, killed or stopped together with the command
that it was started by, is followed by one of those who still use the server.
"""

import fcntl
import logging
import os
import signal
import time
from pathlib import Path
from subprocess import Popen
from threading import Event, Lock, Thread
from types import TracebackType
from typing import IO, Final, Self

from passport.embedded.binaries import Major
from passport.embedded.cluster import SUPERUSER, Cluster, cluster_at, try_lock
from passport.embedded.errors import EmbeddedPostgresError, StateInUse
from passport.embedded.keeper import hear, start_keeper
from passport.embedded.processes import (
    FAST_SHUTDOWN_S,
    IMMEDIATE_SHUTDOWN_S,
    KILL_S,
    POLL_S,
    wait_until,
)
from passport.embedded.supervisor import FIRST_PAUSE_S, READY_S

GONE_S: Final = FAST_SHUTDOWN_S + IMMEDIATE_SHUTDOWN_S + KILL_S
"""Longest wait for a keeper to end."""

LONGEST_PAUSE_S: Final = 5.0
"""Between two attempts to follow a keeper."""

_log: Final = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A PostgreSQL server that belongs to a state folder, ready when `start` returns."""

    def __init__(self, cluster: Cluster, users: IO[str], keeper: Popen[str] | None) -> None:
        self._cluster = cluster
        self._users = users
        self._keeper = keeper
        self._stopping = Event()
        self._following = Lock()
        self._watcher = Thread(target=self._watch, name="embedded-postgres", daemon=True)
        self._watcher.start()

    @classmethod
    def start(cls, state_dir: Path, *, major: Major = 18, unsafe_fast: bool = False) -> Self:
        """Use the server of `state_dir`, which is started if nobody does.

        The folder is made if it is missing. `unsafe_fast` gives up durability for tests.

        Raises:
            EmbeddedPostgresError: the server cannot be started; the message says why.
        """
        cluster = cluster_at(state_dir, major, unsafe_fast=unsafe_fast)
        users = cluster.users_file()
        try:
            return cls(cluster, users, _ready(cluster, users))
        except BaseException:
            users.close()
            raise

    def superuser_dsn(self, dbname: str = "postgres") -> str:
        """Connection string for the superuser, with which roles and databases are made."""
        return self.dsn(SUPERUSER, dbname)

    def dsn(self, role: str, dbname: str) -> str:
        """Connection string for `role`; no password, since only this user can enter the socket's folder."""
        # Not at the top: the keeper comes by here too, and need not wait for a client that it is not.
        from psycopg.conninfo import make_conninfo

        return make_conninfo(host=str(self._cluster.socket_folder()), user=role, dbname=dbname)

    def stop(self) -> None:
        """Let go of the server; the last to do so waits until it is gone. A second call does nothing."""
        with self._following:
            if self._stopping.is_set():
                return
            self._stopping.set()
        with self._users:
            if try_lock(self._users, fcntl.LOCK_EX):
                self._end()
            else:
                # Somebody uses it, or somebody else is waiting for its end.
                wait_until(lambda: try_lock(self._users, fcntl.LOCK_SH), GONE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self) -> None:
        """End the keeper, as nobody uses the server any more and nobody can while we hold the users' lock."""
        keeper = self._cluster.keeper()
        if keeper is None:
            # Out of sight: it ends when the lock is let go.
            return
        os.kill(keeper, signal.SIGTERM)
        self._watcher.join(GONE_S)
        self._cluster.forget_short_way()

    def _watch(self) -> None:
        """Follow a keeper that ends while the server is used."""
        pause = FIRST_PAUSE_S
        while (lock := self._without_keeper()) is not None:
            with self._following:
                if self._stopping.is_set():
                    lock.close()
                    return
                _log.warning("the embedded PostgreSQL lost its keeper and is started again")
                self._keeper = start_keeper(self._cluster, lock)
                try:
                    hear(self._keeper)
                    pause = FIRST_PAUSE_S
                    continue
                except EmbeddedPostgresError as error:
                    _log.error("the embedded PostgreSQL cannot be started again: %s", error)
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _without_keeper(self) -> IO[str] | None:
        """Wait until there is no keeper; its lock, or None when nobody here needs one any more."""
        if self._keeper is not None:
            self._keeper.wait()
        lock = self._cluster.lock_when_free()
        if self._stopping.is_set():
            lock.close()
            return None
        return lock


def _ready(cluster: Cluster, users: IO[str]) -> Popen[str] | None:
    """Become one of the users of a server that is ready; the keeper if it was started here."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        # A keeper that nobody used any more holds the lock until it is gone.
        if try_lock(users, fcntl.LOCK_SH):
            lock = cluster.lock()
            if lock is not None:
                keeper = start_keeper(cluster, lock)
                hear(keeper)
                return keeper
            if cluster.is_ready():
                return None
        time.sleep(POLL_S)
    raise StateInUse(f"another process holds `{cluster.home.parent}`, and its PostgreSQL is not ready")
