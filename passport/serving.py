"""Runs the service under uvicorn: in several processes for production, or on a socket that a parent opened.

https://www.uvicorn.org/settings/
"""

import ctypes
import os
import signal
import socket
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, Final

import click
import uvicorn
from fastapi import FastAPI

from passport.embedded.launch import PR_SET_PDEATHSIG
from passport.main import create_app
from passport.protocol import Protocol
from passport.settings import Settings

STATE_VARIABLE: Final = "PASSPORT_STATE"
"""Tells a worker process of uvicorn which installation it serves."""

GRACE_SECONDS: Final = 5
"""How long running requests may take to end when the service is asked to."""

_OPTIONS: Final[dict[str, Any]] = {
    "loop": "uvloop",
    "http": Protocol,
    # Its lines would hold addresses with a person's id in them; the audit log is the record of requests.
    "access_log": False,
    "log_level": "warning",
    "server_header": False,
    "timeout_graceful_shutdown": GRACE_SECONDS,
}


def create() -> FastAPI:
    """The application of the installation that the environment names, in one of several processes or in one."""
    parent = parent_process()
    if parent is not None:
        _end_with(parent.pid)
    return create_app(Settings.load(Path(os.environ[STATE_VARIABLE])))


def serve(settings: Settings, *, workers: int) -> None:
    """Serve the installation until SIGTERM or SIGINT; `settings` holds the address of its database."""
    os.environ |= {
        STATE_VARIABLE: str(settings.state),
        "PASSPORT_DATABASE_URL": settings.database_url,
        "PASSPORT_KEY_FILE": str(settings.key_file),
        "PASSPORT_HOST": settings.host,
        "PASSPORT_PORT": str(settings.port),
    }
    uvicorn.run(
        f"{__name__}:create",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=workers,
        **options(settings),
    )


def options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told beside where to listen.

    Without trusted proxies nothing that a caller sends says where the caller is: the limit on failed sign-ins
    counts by network address.
    """
    proxies = settings.trusted_proxies
    return {**_OPTIONS, "proxy_headers": bool(proxies), "forwarded_allow_ips": proxies.split(",")}


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
