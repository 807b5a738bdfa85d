"""The work that a request causes, counted: what reaches the database, and what is decrypted and hashed.

https://www.postgresql.org/docs/current/libpq-control.html#LIBPQ-PQTRACE
"""

import cProfile
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from httpx import Response
from psycopg.pq import Trace

from passport.database import Connection
from tests.town import Town

STATEMENTS: Final = frozenset({"Bind", "Query"})
"""What a client sends for each execution of a statement."""

CRYPTOGRAPHY: Final = ("AESGCM", "AESSIV", "blake2b", "sha256", "scrypt", "ZstdDecompressor")


@dataclass(frozen=True)
class Work:
    """`statements` in the order in which they were sent; `cryptography` by the name of the call."""

    statements: tuple[str, ...]
    cryptography: Counter[str]
    answer: Response


async def work_of(town: Town, ask: Callable[[], Awaitable[Response]], trace: Path) -> Work:
    """Make a request and count its work. What a process does once only has to be done before."""
    connections = await _connections(town)
    profile = cProfile.Profile()
    with trace.open("wb") as file:
        for connection in connections:
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        profile.enable()
        answer = await ask()
        profile.disable()
        for connection in connections:
            connection.pgconn.untrace()
    return Work(_sent(trace), _called(profile), answer)


async def syncs_of(town: Town, ask: Callable[[], Awaitable[Response]], trace: Path) -> int:
    """How often a request that succeeds waits for the database."""
    status, trips = await trips_of(town, ask, trace)
    assert status in range(200, 300), status
    return trips


async def trips_of(town: Town, ask: Callable[[], Awaitable[Response]], trace: Path) -> tuple[int, int]:
    """What a request is answered, and how often it waits for the database: each pipeline ends with a Sync."""
    connections = await _connections(town)
    with trace.open("wb") as file:
        for connection in connections:
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        answer = await ask()
        for connection in connections:
            connection.pgconn.untrace()
    return answer.status_code, _syncs(trace)


async def _connections(town: Town) -> list[Connection]:
    """Every connection that the service may use."""
    async with AsyncExitStack() as held:
        return [
            await held.enter_async_context(pool.connection())
            for pool in (town.runtime.pool, town.runtime.reading)
            if pool is not None
            for _ in range(pool.max_size)
        ]


def _syncs(trace: Path) -> int:
    return sum(line.startswith("F\t") and "\tSync" in line for line in trace.read_text().splitlines())


def _sent(trace: Path) -> tuple[str, ...]:
    lines = [line.split("\t") for line in trace.read_text(errors="replace").splitlines()]
    return tuple(line[2] for line in lines if len(line) > 2 and line[0] == "F" and line[2] in STATEMENTS)


def _called(profile: cProfile.Profile) -> Counter[str]:
    called: Counter[str] = Counter()
    for entry in profile.getstats():
        name = entry.code if isinstance(entry.code, str) else entry.code.co_name
        if any(word in name for word in CRYPTOGRAPHY):
            called[name] += entry.callcount
    return called
