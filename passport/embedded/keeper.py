"""The keeper: a small process that has the server of a state folder run while any command uses it.

https://man7.org/linux/man-pages/man2/flock.2.html

The command that needs the server first starts it, and hands it the folder's lock; it belongs to none of them, so that
the server outlives whoever came first. Every user shares a second lock. The keeper waits for that one alone: it gets
it when the last user ended, however that one ended, and ends as well.
"""

import fcntl
import logging
import os
import signal
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from types import FrameType
from typing import IO, Final, NoReturn

from passport.embedded.binaries import Major
from passport.embedded.cluster import Cluster, cluster_at
from passport.embedded.errors import EmbeddedPostgresError, StartFailed
from passport.embedded.supervisor import Supervisor

READY: Final = "ready"

_REASONS: Final = {kind.__name__: kind for kind in EmbeddedPostgresError.__subclasses__()}


def start_keeper(cluster: Cluster, lock: IO[str]) -> Popen[str]:
    """Start a keeper, which takes `lock` over; to be followed by `hear`."""
    arguments = (str(cluster.home.parent), str(cluster.major), str(int(cluster.unsafe_fast)))
    path = cluster.home / "keeper.log"
    path.touch(mode=0o600)
    with lock, path.open("ab") as log:
        return Popen(
            [sys.executable, "-m", __package__, *arguments, str(lock.fileno())],
            cwd=cluster.home,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=log,
            pass_fds=[lock.fileno()],
            start_new_session=True,
            text=True,
        )


def hear(keeper: Popen[str]) -> None:
    """Wait for the word of a keeper that was started.

    Raises:
        EmbeddedPostgresError: it could not start the server, and ended.
    """
    stdout = keeper.stdout
    word = ""
    if stdout is not None:
        with stdout:
            word = stdout.readline().strip()
    if word == READY:
        return
    keeper.wait()
    kind, _, text = word.partition(" ")
    raise _REASONS.get(kind, StartFailed)(text or "the keeper of PostgreSQL ended before it was ready")


def main(state: Path, major: Major, unsafe_fast: bool, descriptor: int) -> int:
    """Keep the server until nobody uses it, or SIGTERM comes; the lock of the folder is open as `descriptor`."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode("ascii"))
    try:
        cluster = cluster_at(state, major, unsafe_fast=unsafe_fast)
        with cluster.users_file() as users, Supervisor.running(cluster):
            cluster.socket_folder()
            _say(READY)
            # Held until the server is gone: nobody comes in again once nobody is left.
            fcntl.flock(users, fcntl.LOCK_EX)
            cluster.forget_short_way()
    except EmbeddedPostgresError as error:
        _say(f"{type(error).__name__} {' '.join(str(error).split())}")
        return 1
    return 0


def _say(word: str) -> None:
    """Tell whoever started us, who may be gone, and keep nobody waiting for more."""
    try:
        os.write(1, f"{word}\n".encode())
    except BrokenPipeError:
        return
    finally:
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 1)


def _end(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)
