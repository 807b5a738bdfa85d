"""A runtime and a broker on a migrated database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psycopg.conninfo import make_conninfo

from fhirstore.keys import KeyMaker
from passport.database import BROKER_ROLE, open_pool
from passport.keys import KeyRing
from passport.outbox import leave
from passport.runtime import Runtime
from passport.settings import Settings
from tests.databases import Database

PATIENT = 7

Promised = Callable[..., Awaitable[UUID]]
"""Leaves a row in the outbox and returns its id."""


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2031, 4, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker_url(database: Database) -> str:
    return make_conninfo(database.superuser_url, user=BROKER_ROLE)


@pytest.fixture
async def runtime(database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[Runtime]:
    ring = KeyRing.generate(demo=True)
    settings = Settings(state=tmp_path, key_file=tmp_path / "keys.json", database_url=database.service_url)
    async with open_pool(database.service_url, size=4) as pool:
        yield Runtime(settings, pool, ring, KeyMaker(ring.index_secret), clock=clock)


@pytest.fixture
def promised(runtime: Runtime) -> Promised:
    async def promise(task: str = "count", **arguments: object) -> UUID:
        outbox_id = uuid4()
        async with runtime.pool.connection() as connection:
            await leave(connection, PATIENT, task, arguments, outbox_id=outbox_id, now=runtime.clock())
        return outbox_id

    return promise
