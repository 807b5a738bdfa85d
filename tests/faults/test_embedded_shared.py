"""Commands on one state folder share its database, and none of them minds which one came first, or ends."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from passport import installation
from passport.embedded.cluster import cluster_at
from passport.embedded.processes import servers_in, wait_until
from passport.runtime import utc_now

MOMENTS_S = 20.0
PORT = re.compile(r"at 127\.0\.0\.1 port (\d+)")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared")
    with installation.opened(installation.initialise(folder, "production")) as ready:
        installation.prepare(ready, utc_now())
    assert nobody_is_left(folder)
    return folder


def keeper_of(state: Path) -> int | None:
    return cluster_at(state, 18).keeper()


def nobody_is_left(state: Path) -> bool:
    return keeper_of(state) is None and servers_in(state / "postgres" / "data") == []


@contextmanager
def command(state: Path, name: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command that runs, and the line that it says once it has the database."""
    words = [sys.executable, "-m", "passport.cli", name, "--state", str(state), *options]
    # Without settings of whoever runs the tests.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PASSPORT_")}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        try:
            yield process, process.stderr.readline()
        finally:
            process.terminate()
            process.stderr.read()


@contextmanager
def served(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service, and the address at which it says whether it is ready."""
    with command(state, "serve", "--port", "0") as (process, said):
        found = PORT.search(said)
        assert found is not None, said
        url = f"http://127.0.0.1:{found[1]}/readyz"
        assert wait_until(lambda: status(url) == 200, MOMENTS_S)
        yield process, url


def status(url: str) -> int:
    try:
        return httpx.get(url, timeout=MOMENTS_S).status_code
    except httpx.TransportError:
        return 0


@dataclass(slots=True)
class Asking:
    """Somebody who asks again and again, and what the answers were."""

    url: str
    answers: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        while not self.over.is_set():
            self.answers.append(status(self.url))

    def heard(self, more: int) -> bool:
        """Wait for `more` answers; whether all there ever were said that the service is ready."""
        least = len(self.answers) + more
        return wait_until(lambda: len(self.answers) >= least, MOMENTS_S) and set(self.answers) == {200}


@contextmanager
def asking(url: str) -> Iterator[Asking]:
    someone = Asking(url)
    thread = threading.Thread(target=someone.ask)
    thread.start()
    try:
        yield someone
    finally:
        someone.over.set()
        thread.join()


def test_no_request_fails_when_the_worker_that_came_first_ends(state: Path) -> None:
    with command(state, "worker") as (first, said), served(state) as (_, url), asking(url) as someone:
        assert "at work" in said
        first.terminate()
        assert first.wait() == 0
        assert someone.heard(10)
    assert wait_until(lambda: nobody_is_left(state), MOMENTS_S)


def test_a_service_goes_on_when_the_one_that_came_first_is_killed_and_the_keeper_after_it(
    state: Path,
) -> None:
    with served(state) as (first, _), served(state) as (second, url):
        with asking(url) as someone:
            first.kill()
            first.wait()
            assert someone.heard(10)
        keeper = keeper_of(state)
        assert keeper is not None
        os.kill(keeper, signal.SIGKILL)
        assert wait_until(lambda: keeper_of(state) not in {None, keeper}, MOMENTS_S)
        assert wait_until(lambda: status(url) == 200, MOMENTS_S)
        second.kill()
    assert wait_until(lambda: nobody_is_left(state), MOMENTS_S)
