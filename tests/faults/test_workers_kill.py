"""Killed workers, relays, supervisors, services and databases lose nothing and do nothing twice.

One durable server of its own, since it is killed as well. Handbooks are handed over to the served application;
each becomes two records and a notification, in one transaction of a worker.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Final

import httpx
import psycopg
import pytest

from passport.database import bootstrap
from passport.embedded import EmbeddedPostgres
from passport.embedded.processes import leader_of
from tests.databases import Database
from tests.http.device_town import Town, served
from tests.http.handbooks import handbook
from tests.unit.house.source import ROOT

pytestmark = pytest.mark.anyio

DEADLINE_SECONDS: Final = 90
RESEND_SECONDS: Final = 2
FILES: Final = 24


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Poll a condition until it holds or the deadline is over."""
    until = time.monotonic() + DEADLINE_SECONDS
    pause = Event()
    while not true():
        assert time.monotonic() < until, f"waited {DEADLINE_SECONDS} s for {what}"
        pause.wait(0.02)


def day(number: int) -> bytes:
    """A handbook with one visit, on another day for each number."""
    return handbook(f"2026{1 + number // 28:02d}{1 + number % 28:02d}")


@dataclass(frozen=True)
class Installation:
    """A served passport with one resident, its server, and what its database says."""

    state: Path
    server: EmbeddedPostgres
    database: Database
    town: Town
    patient: str

    async def hand_over(self, count: int) -> None:
        """Hand over so many handbooks of the resident, each of another day."""
        params = {"patient": self.patient, "format": "jahis"}
        for number in range(count):
            answer = await self.town.call(
                self.patient, "POST", "/imports", params=params, content=day(number)
            )
            assert answer.status_code == 202, answer.text

    def rows(self, statement: str) -> list[Any]:
        """Read as the superuser, through a restart of the server if there is one."""
        until = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                with psycopg.connect(self.database.superuser_url) as connection:
                    return connection.execute(statement).fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < until, "the server does not come back"

    def wait_until_told(self, count: int) -> None:
        """Wait for so many notifications: each is the end of one import."""
        wait_for(lambda: len(self.rows("SELECT 1 FROM notification")) >= count, f"{count} notifications")

    def assert_each_once(self, count: int) -> None:
        """Each file became its records and its notification, once; nothing failed and nothing waits."""
        types = self.rows("SELECT type, count(*) FROM resource GROUP BY type HAVING count(*) >= 10")
        assert [number for _, number in types] == [count, count]
        assert self.rows("SELECT DISTINCT status, cardinality(created) FROM import_job") == [("finished", 2)]
        imports = self.rows("SELECT count(*), count(DISTINCT about ->> 'import') FROM notification")
        assert imports == [(count, count)]
        wait_for(lambda: not self.rows("SELECT 1 FROM outbox WHERE done_at IS NULL"), "an empty outbox")
        assert self.rows("SELECT failure FROM outbox WHERE failure IS NOT NULL") == []


@pytest.fixture
async def installation(tmp_path: Path) -> AsyncIterator[Installation]:
    state = tmp_path / "state"
    with EmbeddedPostgres.start(state) as server:
        owner_url, service_url = bootstrap(server.superuser_dsn(), "passport")
        database = Database("passport", server.superuser_dsn("passport"), owner_url, service_url)
        async with served(database, state) as town:
            tree = {"resourceType": "Patient", "name": [{"text": "見本 花子"}], "birthDate": "1955-07-03"}
            yield Installation(state, server, database, town, await town.create("operator", tree))


@contextmanager
def workers(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """The supervisor with its relay and its worker, ended afterwards."""
    command = [sys.executable, "-m", "workers", "supervise", "--state", str(installation.state)]
    options = ["--resend-seconds", str(RESEND_SECONDS), "--follow", str(os.getpid())]
    environment = {**os.environ, "PASSPORT_DATABASE_URL": installation.database.service_url}
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


async def test_killed_workers_and_relays_lose_nothing_and_repeat_nothing(installation: Installation) -> None:
    with workers(installation) as supervisor:
        await installation.hand_over(FILES)
        for told in (1, FILES // 2):
            installation.wait_until_told(told)
            kill(supervisor, "work")
            kill(supervisor, "relay")
        installation.wait_until_told(FILES)
    installation.assert_each_once(FILES)


async def test_a_killed_database_loses_nothing_and_repeats_nothing(installation: Installation) -> None:
    with workers(installation):
        await installation.hand_over(FILES)
        installation.wait_until_told(FILES // 4)
        leader = leader_of(next(installation.state.glob("postgres/data*")))
        assert leader is not None
        os.kill(leader, signal.SIGKILL)
        installation.wait_until_told(FILES)
    installation.assert_each_once(FILES)


async def test_a_killed_service_loses_nothing_that_it_accepted(installation: Installation) -> None:
    headers = {"Authorization": f"Bearer {await installation.town.token(installation.patient)}"}
    params = {"patient": installation.patient, "format": "jahis"}
    with socket.create_server(("127.0.0.1", 0)) as bound, workers(installation):
        address = f"http://127.0.0.1:{bound.getsockname()[1]}/imports"
        send = partial(send_all, address, params, headers)
        service = serve(installation, bound)
        try:
            with ThreadPoolExecutor(max_workers=1) as sender:
                sending = sender.submit(send)
                wait_for(lambda: len(installation.rows("SELECT 1 FROM import_job")) >= FILES // 3, "files")
                service.kill()
                service.wait()
                service = serve(installation, bound)
                sending.result()
            installation.wait_until_told(FILES)
        finally:
            service.kill()
            service.wait()
    installation.assert_each_once(FILES)


def serve(installation: Installation, bound: socket.socket) -> subprocess.Popen[bytes]:
    """The service as a process of its own, on a socket that outlives it."""
    state = ("--state", str(installation.state), "--socket", str(bound.fileno()))
    command = [sys.executable, "-m", "passport.serving", *state]
    environment = {**os.environ, "PASSPORT_DATABASE_URL": installation.database.service_url}
    return subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=(bound.fileno(),))


def send_all(address: str, params: dict[str, str], headers: dict[str, str]) -> None:
    """Send every file until it is accepted."""
    for number in range(FILES):
        wait_for(partial(taken, address, params, headers, day(number)), "an accepted file")


def taken(address: str, params: dict[str, str], headers: dict[str, str], data: bytes) -> bool:
    """Whether the service accepts a file; a connection that breaks is no answer, and the sender asks again."""
    try:
        answer = httpx.post(address, params=params, headers=headers, content=data, timeout=20)
    except httpx.TransportError:
        return False
    assert answer.status_code == 202, answer.text
    return True


async def test_a_killed_supervisor_leaves_no_process_and_its_successor_goes_on(
    installation: Installation,
) -> None:
    with workers(installation) as supervisor:
        await installation.hand_over(FILES)
        installation.wait_until_told(1)
        orphans = children(supervisor)
        supervisor.kill()
        wait_for(lambda: not any(is_alive(pid) for pid in orphans), "the children to end")
    with workers(installation):
        installation.wait_until_told(FILES)
    installation.assert_each_once(FILES)


async def test_an_orderly_end_leaves_no_process(installation: Installation) -> None:
    with workers(installation) as supervisor:
        wait_for(lambda: len(children(supervisor)) == 2, "relay and worker")
        started = children(supervisor)
        supervisor.terminate()
        assert supervisor.wait(DEADLINE_SECONDS) == 0
        assert not any(is_alive(pid) for pid in started)
