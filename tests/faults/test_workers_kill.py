"""Killed workers, relays, supervisors and databases lose nothing and do nothing twice.

One durable server of its own: it is killed as well.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from passport.database import bootstrap, migrate
from passport.embedded import EmbeddedPostgres
from passport.embedded.processes import leader_of
from passport.keys import KeyRing
from passport.outbox import store
from tests.unit.house.source import ROOT

DEADLINE_SECONDS: Final = 40
RESEND_SECONDS: Final = 2
ROWS: Final = 60
PATIENT: Final = 7


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Poll a condition until it holds or the deadline is over."""
    until = time.monotonic() + DEADLINE_SECONDS
    pause = Event()
    while not true():
        assert time.monotonic() < until, f"waited {DEADLINE_SECONDS} s for {what}"
        pause.wait(0.02)


@dataclass(frozen=True)
class Installation:
    """A state folder with its server, and what its database says."""

    state: Path
    server: EmbeddedPostgres
    service_url: str

    def rows(self, statement: str) -> list[Any]:
        """Read as the superuser, through a restart of the server if there is one."""
        until = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                with psycopg.connect(self.server.superuser_dsn("passport")) as connection:
                    return connection.execute(statement).fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < until, "the server does not come back"

    def promise(self, count: int) -> None:
        """Leave so many notifications in the outbox."""
        with psycopg.connect(self.service_url) as connection:
            for number in range(count):
                about = {"consent": f"Consent/{number}"}
                connection.execute(
                    store.LEAVE.text,
                    {
                        "patient_key": PATIENT,
                        "outbox_id": uuid4(),
                        "task": "notify",
                        "arguments": Jsonb({"kind": "access-requested", "about": about}),
                        "now": datetime.now(UTC),
                    },
                )

    def done(self) -> int:
        """How many promises are kept."""
        return int(self.rows("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL")[0][0])

    def wait_until_kept(self, count: int) -> None:
        wait_for(lambda: self.done() >= count, f"{count} kept promises")

    def told(self) -> list[str]:
        """The consents that notifications are about, one per notification."""
        return [row[0] for row in self.rows("SELECT about ->> 'consent' FROM notification")]

    def failures(self) -> list[Any]:
        return self.rows("SELECT failure FROM outbox WHERE failure IS NOT NULL")


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    state = tmp_path / "state"
    with EmbeddedPostgres.start(state) as server:
        owner_url, service_url = bootstrap(server.superuser_dsn(), "passport")
        migrate(owner_url)
        KeyRing.generate(demo=True).save(state / "keys.json")
        yield Installation(state, server, service_url)


@contextmanager
def workers(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """The supervisor with one relay and two workers, ended afterwards."""
    command = [sys.executable, "-m", "workers", "supervise", "--state", str(installation.state)]
    options = ["--processes", "2", "--resend-seconds", str(RESEND_SECONDS), "--follow", str(os.getpid())]
    environment = {**os.environ, "PASSPORT_DATABASE_URL": installation.service_url}
    process = subprocess.Popen([*command, *options], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(DEADLINE_SECONDS)


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that the supervisor has started and that live."""
    try:
        text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
    except FileNotFoundError:
        return []
    return [int(number) for number in text.split() if is_alive(int(number))]


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def role_of(pid: int) -> str:
    """`relay` or `work`."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[3].decode()
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return ""


def kill(process: subprocess.Popen[bytes], role: str) -> None:
    """Kill one running child in its role, as soon as there is one."""

    def killed() -> bool:
        for pid in children(process):
            if role_of(pid) == role:
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    wait_for(killed, f"a {role} to kill")


def assert_each_told_once(installation: Installation, count: int) -> None:
    assert sorted(installation.told()) == sorted(f"Consent/{number}" for number in range(count))
    assert installation.failures() == []


@pytest.mark.parametrize("role", ["work", "relay"])
def test_killed_processes_lose_nothing_and_repeat_nothing(installation: Installation, role: str) -> None:
    with workers(installation) as supervisor:
        installation.promise(ROWS)
        for kept in (1, ROWS // 4, ROWS // 2):
            installation.wait_until_kept(kept)
            kill(supervisor, role)
        installation.wait_until_kept(ROWS)
    assert_each_told_once(installation, ROWS)


def test_a_killed_database_loses_nothing_and_repeats_nothing(installation: Installation) -> None:
    with workers(installation):
        installation.promise(ROWS)
        installation.wait_until_kept(ROWS // 4)
        leader = leader_of(next(installation.state.glob("postgres/data*")))
        assert leader is not None
        os.kill(leader, signal.SIGKILL)
        installation.wait_until_kept(ROWS)
    assert_each_told_once(installation, ROWS)


def test_a_killed_supervisor_leaves_no_process_and_its_successor_goes_on(installation: Installation) -> None:
    with workers(installation) as supervisor:
        installation.promise(ROWS)
        installation.wait_until_kept(1)
        orphans = children(supervisor)
        supervisor.kill()
        wait_for(lambda: not any(is_alive(pid) for pid in orphans), "the children to end")
    with workers(installation):
        installation.wait_until_kept(ROWS)
    assert_each_told_once(installation, ROWS)


def test_an_orderly_end_leaves_no_process(installation: Installation) -> None:
    with workers(installation) as supervisor:
        wait_for(lambda: len(children(supervisor)) == 3, "three children")
        started = children(supervisor)
        supervisor.terminate()
        assert supervisor.wait(DEADLINE_SECONDS) == 0
        assert not any(is_alive(pid) for pid in started)
