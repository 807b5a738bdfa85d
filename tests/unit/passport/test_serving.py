"""Where a caller is: by the connection, and by a header only if a trusted proxy wrote it; and who takes it up."""

import socket
from contextlib import ExitStack
from copy import copy
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from passport.serving import Listening, options
from passport.settings import Settings

pytestmark = pytest.mark.anyio

SPOOFED = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"}


async def tell_address(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["client"][0].encode()})


async def seen_as(settings: Settings, peer: str) -> str:
    config = uvicorn.Config(tell_address, lifespan="off", **options(settings))
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://passport.test") as http:
        return (await http.get("/", headers=SPOOFED)).text


async def test_a_caller_does_not_say_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    settings = Settings.load(tmp_path, environ={})
    for peer in ("127.0.0.1", "203.0.113.9", "::1"):
        assert await seen_as(settings, peer) == peer


async def test_a_trusted_proxy_says_where_its_callers_are(tmp_path: Path) -> None:
    environ = {"PASSPORT_TRUSTED_PROXIES": "10.0.0.7, 10.1.0.0/24"}
    settings = Settings.load(tmp_path, environ=environ)
    for proxy in ("10.0.0.7", "10.1.0.200"):
        assert await seen_as(settings, proxy) == "198.51.100.1"
    for other in ("10.0.0.8", "127.0.0.1"):
        assert await seen_as(settings, other) == other


def test_each_process_takes_up_connections_of_its_own() -> None:
    """Of two processes on one socket whoever is awake first has every connection that waits."""
    with ExitStack() as opened:
        listening = opened.enter_context(Listening.at("127.0.0.1", 0))
        address = listening.getsockname()
        # What is handed to a process travels as it does here.
        each = [opened.enter_context(copy(listening)) for _ in range(2)]
        for one in each:
            assert one.getsockname() == address
            one.listen(64)
        for _ in range(64):
            opened.enter_context(socket.create_connection(address))
        waiting = [_waiting(one) for one in each]
        assert sum(waiting) == 64
        assert min(waiting) > 0


def _waiting(listening: socket.socket) -> int:
    """How many connections it is given."""
    listening.setblocking(False)
    taken = 0
    while True:
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return taken
        taken += 1


def test_an_address_at_which_somebody_listens_is_nobody_elses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        Listening.at(*other.getsockname())
