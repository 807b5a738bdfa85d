"""Runs the service under uvicorn: in several processes for production, or on a socket that a parent opened.

https://www.uvicorn.org/settings/
https://man7.org/linux/man-pages/man7/socket.7.html (SO_REUSEPORT)
"""

import ctypes
import os
import signal
import socket
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import click
import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from passport.embedded.launch import PR_SET_PDEATHSIG
from passport.environment import handed_on
from passport.main import create_app
from passport.protocol import Protocol
from passport.settings import Settings

STATE_VARIABLE: Final = "PASSPORT_STATE"
"""Tells a worker process of uvicorn which installation it serves."""

GRACE_SECONDS: Final = 5
"""How long running requests may take to end when the service is asked to."""

STARTING_SECONDS: Final = 120
"""How long one of several processes may take to answer its parent: while it imports itself on a busy machine, long."""

_OPTIONS: Final[dict[str, Any]] = {
    "loop": "uvloop",
    "http": Protocol,
    # Its lines would hold addresses with a person's id in them; the audit log is the record of requests.
    "access_log": False,
    "log_level": "warning",
    "server_header": False,
    "timeout_graceful_shutdown": GRACE_SECONDS,
    "timeout_worker_healthcheck": STARTING_SECONDS,
}


Bound = TypeVar("Bound", bound=socket.socket)


class Listening(socket.socket):
    """A socket at an address where other processes have one too; handed to a process it becomes that one's own.

    The kernel shares out the connections among them. Of one socket that all listen on, whoever is awake first takes
    every connection that waits: of two processes one had them all.
    """

    @classmethod
    def at(cls, host: str, port: int) -> Self:
        """One at an address that nobody listens at.

        Raises:
            OSError: somebody does, or it is no address of this machine.
        """
        with _bound(socket.socket(_family(host)), (host, port)) as alone:
            found = alone.getsockname()
        return cls.beside(found)

    @classmethod
    def beside(cls, address: tuple[Any, ...]) -> Self:
        """One more at the same address."""
        one = cls(_family(address[0]))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return _bound(one, address)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).beside, (self.getsockname(),)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _bound(one: Bound, address: tuple[Any, ...]) -> Bound:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        one.bind(address)
    except OSError:
        one.close()
        raise
    return one


def create() -> FastAPI:
    """The application of the installation that the environment names, in one of several processes or in one."""
    parent = parent_process()
    if parent is not None:
        _end_with(parent.pid)
    return create_app(Settings.load(Path(os.environ[STATE_VARIABLE])))


def serve(settings: Settings, *, workers: int) -> None:
    """Serve the installation until SIGTERM or SIGINT; `settings` holds the address of its database."""
    served: dict[str, Any] = {"app": f"{__name__}:create", "factory": True, **options(settings)}
    try:
        listening = Listening.at(settings.host, settings.port)
    except OSError as error:
        words = f"cannot listen at {settings.host}:{settings.port}: {(error.strerror or '').lower()}"
        raise SystemExit(f"{words}; `--port` takes another one") from None
    # The processes that serve take it over; a command that cannot serve leaves it as it was.
    given = {
        STATE_VARIABLE: str(settings.state),
        "PASSPORT_DATABASE_URL": settings.database_url,
        "PASSPORT_KEY_FILE": str(settings.key_file),
        "PASSPORT_HOST": settings.host,
        "PASSPORT_PORT": str(settings.port),
    }
    environment = handed_on(os.environ, given)
    os.environ.clear()
    os.environ.update(environment)
    with listening:
        host, port = listening.getsockname()[:2]
        click.echo(
            f"{settings.base_url}, at {host} port {port}; `GET /readyz` answers 200 once it is up", err=True
        )
        if workers == 1:
            uvicorn.Server(uvicorn.Config(**served)).run(sockets=[listening])
            return
        # Bound and never listening here, it keeps the address while processes come and go.
        Multiprocess(uvicorn.Config(workers=workers, **served), sockets=[listening]).run()


def options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told beside where to listen.

    Without trusted proxies nothing that a caller sends says where the caller is: the limit on failed sign-ins
    counts by network address.
    """
    proxies = settings.trusted_proxies
    tls = {} if settings.tls_key is None else _tls(settings)
    return {**_OPTIONS, **tls, "proxy_headers": bool(proxies), "forwarded_allow_ips": proxies.split(",")}


def _tls(settings: Settings) -> dict[str, Any]:
    """TLS 1.2 with forward secrecy, or 1.3; Python offers nothing older.

    https://www.rfc-editor.org/rfc/rfc9325
    """
    return {
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key,
        "ssl_ciphers": "ECDHE+AESGCM:ECDHE+CHACHA20",
    }


def _end_with(parent: int | None) -> None:
    """Have the kernel end this process with its parent: an orphan would go on answering at the address."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:
        raise SystemExit(0)


@click.command()
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--socket", "descriptor", type=int, required=True, help="A socket that listens already.")
def main(state: Path, descriptor: int) -> None:
    """Serve the installation on a socket handed down by the parent process."""
    listening = socket.socket(fileno=descriptor)
    settings = Settings.load(state)
    config = uvicorn.Config(create_app(settings), **options(settings))
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
