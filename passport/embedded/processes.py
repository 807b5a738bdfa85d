"""Which server processes work in a data folder, and how an earlier run's are ended.

https://www.postgresql.org/docs/current/server-shutdown.html
"""

import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from passport.embedded.errors import StillRunning

FAST_SHUTDOWN_S: Final = 20.0
IMMEDIATE_SHUTDOWN_S: Final = 5.0
KILL_S: Final = 5.0
POLL_S: Final = 0.01

PROGRAMS: Final = frozenset({"initdb", "postgres"})


def leader_of(data: Path) -> int | None:
    """The pid that `postmaster.pid` names, if that process really is a server in `data`.

    A zombie, or a stranger to whom the kernel gave the number again, is none.
    """
    try:
        first = (data / "postmaster.pid").read_text("ascii").partition("\n")[0]
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() and _works_in(int(first), data) else None


def servers_in(data: Path) -> list[int]:
    """Every process of a server, leader or not, or of its making, whose working folder is `data`."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in numbers if _works_in(pid, data)]


def evict(data: Path) -> None:
    """End every server process of an earlier run that still works in `data`.

    To be called only under the lock of the state folder: then no live supervisor stands behind them. A leader
    is asked to shut down; the orphans of a killed leader cannot be, and PostgreSQL would refuse to start
    beside them.

    Raises:
        StillRunning: a process outlived all signals.
    """
    leader = leader_of(data)
    if leader is not None and _ended(data, [leader], signal.SIGINT, FAST_SHUTDOWN_S):
        return
    for number, seconds in ((signal.SIGQUIT, IMMEDIATE_SHUTDOWN_S), (signal.SIGKILL, KILL_S)):
        if _ended(data, servers_in(data), number, seconds):
            return
    raise StillRunning(f"PostgreSQL processes {servers_in(data)} of an earlier run do not end")


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Poll `true` for at most `seconds`; whether it became so."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(POLL_S)
    return True


def _ended(data: Path, pids: Iterable[int], number: signal.Signals, seconds: float) -> bool:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
    return wait_until(lambda: not servers_in(data), seconds)


def _works_in(pid: int, data: Path) -> bool:
    """Whether `pid` is a live program of the server in `data`; a zombie has no working folder any more."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
        return name in PROGRAMS and Path(f"/proc/{pid}/cwd").samefile(data)
    except OSError:
        return False
