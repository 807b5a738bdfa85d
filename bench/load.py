"""The load generator: keeps connections busy with requests made beforehand, in a process of its own.

https://www.rfc-editor.org/rfc/rfc9112

One request is in flight per connection; the next one leaves when the answer has arrived whole. It knows only as
much of HTTP as that takes, so that it costs the machine as little as it can.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final, cast

import uvloop

from bench.pace import WARM_SECONDS, Counted, Lane, answer, in_own_process, keep_busy

MODULE: Final = "bench.load"
_STATUS_BYTES: Final = 4_096
"""More than the status line of any answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send: each lane is one connection's requests, around and around if `repeat`.

    Lanes go to the ports in turn, so that each process has as many of them.
    """

    ports: Sequence[int]
    seconds: float
    lanes: Sequence[Sequence[str]]
    repeat: bool = True
    warm_seconds: float = WARM_SECONDS


class UnexpectedAnswer(Exception):
    """An answer that is no success: what is measured then is not what was meant."""

    def __init__(self, answered: bytes) -> None:
        super().__init__(f"got `{answered[:600].decode('latin-1')}`, expected a success")


def generate(plan: Plan) -> Counted:
    """Carry a plan out."""
    return in_own_process(MODULE, plan)


def succeeds(port: int, request: str) -> bool:
    """Send one request, and tell whether it is answered with a success."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request.encode("latin-1"))
        return connection.recv(_STATUS_BYTES)[9:10] == b"2"


class _Connection(asyncio.Protocol):
    """One connection with one request in flight."""

    def __init__(self) -> None:
        self._received = b""
        self._waiting: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio's and not its classes.
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes) -> "asyncio.Future[int]":
        """Send a request; the future holds the length of its answer."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or self._waiting is None:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._received = b""
        if head[9:10] == b"2":
            self._waiting.set_result(length)
        else:
            self._waiting.set_exception(UnexpectedAnswer(head + body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError())


async def _lane(plan: Plan, port: int, lane: Sequence[str]) -> Lane:
    _, connection = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", port)
    requests = [text.encode("latin-1") for text in lane]
    for request in cycle(requests) if plan.repeat else requests:
        yield await connection.send(request)


async def _carry_out(plan: Plan) -> Counted:
    lanes = [_lane(plan, port, lane) for port, lane in zip(cycle(plan.ports), plan.lanes, strict=False)]
    return await keep_busy(lanes, plan.seconds, plan.warm_seconds)


if __name__ == "__main__":
    answer(uvloop.run(_carry_out(Plan(**json.load(sys.stdin)))))
