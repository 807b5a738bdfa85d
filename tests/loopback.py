"""The served application on a free port of the loopback, for clients that know nothing but its address."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from passport.identity.installation import issue_for
from passport.installation import initialise, prepare
from passport.main import create_app
from passport.protocol import Protocol
from passport.runtime import utc_now
from tests.databases import Database


class _Server(uvicorn.Server):
    """Tells when it serves, and whose loop it runs in."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.serving = Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.serving.set()


@dataclass(frozen=True)
class Served:
    """A running service; `fhir_url` ends without a slash."""

    app: FastAPI
    base_url: str
    server: _Server

    @property
    def fhir_url(self) -> str:
        return f"{self.base_url}/fhir"

    def token(self, reference: str, purpose: str, scope: str = "") -> str:
        """An access token, as the installation hands them out."""
        loop = self.server.loop
        if loop is None:
            raise RuntimeError("the server has not started")
        asked = issue_for(
            self.app.state.runtime, reference, purpose=purpose, scope=scope, lifetime=timedelta(hours=1)
        )
        return asyncio.run_coroutine_threadsafe(asked, loop).result(timeout=30).text

    def caller(self, reference: str, purpose: str) -> httpx.Client:
        """A plain HTTP client that is signed in."""
        headers = {"Authorization": f"Bearer {self.token(reference, purpose)}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=30)

    def registered(self, client_id: str, body: dict[str, Any]) -> None:
        """Register a client: one operator proposes it, another one approves it."""
        path = f"/auth/clients/{client_id}"
        with self.caller("operator", "HOPERAT") as first, self.caller("operator/second", "HOPERAT") as second:
            answer = first.put(path, json=body)
            assert answer.status_code == 202, answer.text
            named = {"proposal": answer.json()["proposed"]["proposal"]}
            approved = second.post(f"{path}/approve", json=named)
            assert approved.status_code == 200, approved.text

    def create(self, reference: str, purpose: str, tree: dict[str, Any]) -> str:
        with self.caller(reference, purpose) as client:
            answer = client.post(f"/fhir/{tree['resourceType']}", json=tree)
            assert answer.status_code == 201, answer.text
            return f"{tree['resourceType']}/{answer.json()['id']}"


@contextmanager
def loopback(database: Database, state: Path, *, name: str = "127.0.0.1") -> Iterator[Served]:
    """Serve until the block ends; `name` is by which clients know this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        settings = initialise(state, "demo").at(
            database_url=database.service_url,
            migration_url=database.owner_url,
            base_url=f"http://{name}:{port}",
        )
        prepare(settings, utc_now())
        app = create_app(settings)
        server = _Server(
            uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=5, http=Protocol)
        )
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert server.serving.wait(timeout=60)
            yield Served(app, settings.base_url, server)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
