"""The service and the workers as processes of their own, so that the demo itself is nothing but a client.

https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html

A part that dies is started again; all of them end with the demo, however that ends. The socket is the demo's,
so a request that comes while the service starts again waits instead of being refused.
"""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from passport.demo.errors import NotServing
from passport.embedded import launch
from passport.environment import handed_on
from passport.settings import Settings

READY_SECONDS: Final = 30
STOP_SECONDS: Final = 8
POLL_SECONDS: Final = 0.05
RESTARTS_MAX: Final = 5


@dataclass(slots=True)
class Part:
    """One process: its command, what it inherits, and where it writes what it says."""

    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    descriptors: tuple[int, ...] = ()
    restarts: int = 0
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def start(self) -> None:
        """Start the process; the kernel ends it when this process ends."""
        follower = (sys.executable, "-I", "-S", str(Path(launch.__file__)))
        identity = (str(os.geteuid()), str(os.getegid()), str(os.getpid()))
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*follower, *identity, sys.executable, "-m", *self.command],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=self.descriptors,
                start_new_session=True,
            )

    def tend(self) -> None:
        """Start the process again if it ended.

        Raises:
            NotServing: it ended too often.
        """
        if self.process is not None and self.process.poll() is not None:
            self.restarts += 1
            if self.restarts > RESTARTS_MAX:
                raise NotServing(f"`{self.command[0]}` ended {self.restarts} times, see `{self.log}`")
            self.start()

    @property
    def last_words(self) -> str:
        """The last line that the process wrote."""
        return self.log.read_text("utf-8", "replace").strip().rpartition("\n")[2]

    def ask_to_end(self) -> None:
        """Send SIGTERM, if the process runs."""
        if self.process is not None:
            self.process.terminate()

    def end(self, until: float) -> None:
        """Wait for the process until an instant of the monotonic clock, then kill it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        NotServing: the port is taken.
    """
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as error:
        words = f"cannot listen on {host}:{port}: {(error.strerror or str(error)).lower()}"
        raise NotServing(f"{words}; take another one, by `--port` or `make run PORT=8001`") from None


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Keep a second demo out of the folder while the block runs; the kernel ends this with the process.

    Raises:
        NotServing: a demo runs there.
    """
    with (state / "demo.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotServing(f"another demo runs on `{state}`") from None
        yield


@contextmanager
def running(settings: Settings, bound: socket.socket) -> Iterator[Sequence[Part]]:
    """Run the service on `bound` and the workers beside it, both ready, while the block runs."""
    parts = _parts(settings, bound)
    try:
        for part in parts:
            part.start()
        _await_ready(settings.base_url, parts)
        yield parts
    finally:
        for part in parts:
            part.ask_to_end()
        until = time.monotonic() + STOP_SECONDS
        for part in parts:
            part.end(until)


def _parts(settings: Settings, bound: socket.socket) -> tuple[Part, Part]:
    logs = settings.state / "logs"
    logs.mkdir(mode=0o700, exist_ok=True)
    given = {
        "PASSPORT_DATABASE_URL": settings.database_url,
        "PASSPORT_KEY_FILE": str(settings.key_file),
        "PASSPORT_PUBLIC_URL": settings.base_url,
    }
    environment = handed_on(os.environ, given)
    state = ("--state", str(settings.state))
    service = ("passport.serving", *state, "--socket", str(bound.fileno()))
    return (
        Part(service, environment, logs / "service.log", (bound.fileno(),)),
        Part(("workers", "supervise", *state), environment, logs / "worker.log"),
    )


def _await_ready(base_url: str, parts: Sequence[Part]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        for part in parts:
            if part.process is not None and part.process.poll() is not None:
                raise NotServing(f"`{part.command[0]}` does not start: {part.last_words}")
        try:
            if httpx.get(f"{base_url}/readyz", timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(POLL_SECONDS)
    raise NotServing(f"the service is not ready after {READY_SECONDS} s, see `{parts[0].log}`")
