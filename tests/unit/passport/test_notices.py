"""Notifications: told in the transaction of their event, whomever it sees, and in both languages."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args
from uuid import UUID

import psycopg
import pytest

from passport.database import Pool, open_pool
from passport.notices import SENTENCES, Kind, read, tell
from passport.sql import Connection
from tests.databases import Database

pytestmark = pytest.mark.anyio

RESIDENT: Final = 7
HAPPENED: Final = datetime(2031, 4, 1, 9, 0, tzinfo=UTC)
ABOUT: Final = {"by": "PractitionerRole/r", "consent": "Consent/c"}


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[Pool]:
    async with open_pool(database.service_url, size=1) as opened:
        yield opened


async def happen(connection: Connection, number: int = 1) -> None:
    await tell(connection, RESIDENT, "access-requested", ABOUT, notice_id=UUID(int=number), now=HAPPENED)


def told(database: Database) -> list[Any]:
    with psycopg.connect(database.superuser_url) as connection:
        return connection.execute(
            "SELECT patient_key, notification_id, kind, about, created_at FROM notification ORDER BY 2"
        ).fetchall()


async def test_a_notification_is_there_when_its_event_is(pool: Pool, database: Database) -> None:
    async with pool.connection() as connection:
        async with connection.transaction():
            await happen(connection)
            assert told(database) == []
        assert told(database) == [(RESIDENT, UUID(int=1), "access-requested", ABOUT, HAPPENED)]


async def test_what_is_rolled_back_is_told_to_nobody(pool: Pool, database: Database) -> None:
    async with pool.connection() as connection, connection.transaction(force_rollback=True):
        await happen(connection)
    assert told(database) == []


async def test_nothing_waits_for_a_notification_inside_of_a_pipeline(pool: Pool, database: Database) -> None:
    async with pool.connection() as connection, connection.transaction(), connection.pipeline():
        for number in (1, 2):
            await happen(connection, number)
    assert [row[1] for row in told(database)] == [UUID(int=1), UUID(int=2)]


@pytest.mark.parametrize(("sight", "shown"), [("{}", 0), ("{8}", 0), ("{7}", 1)])
async def test_whoever_tells_a_resident_needs_no_sight_of_them_and_gains_none(
    pool: Pool, sight: str, shown: int
) -> None:
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT set_config('passport.patients', %s, true)", [sight])
        await happen(connection)
        assert len(await read(connection, RESIDENT, limit=9, now=HAPPENED)) == shown
        for statement in ("UPDATE notification SET kind = 'x'", "DELETE FROM notification"):
            assert (await connection.execute(statement)).rowcount == shown


async def test_what_is_for_later_is_read_from_its_instant_on(pool: Pool, database: Database) -> None:
    before = HAPPENED - timedelta(microseconds=1)
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT set_config('passport.patients', '{7}', true)")
        await happen(connection)
        assert await read(connection, RESIDENT, limit=9, now=before) == []
        assert len(await read(connection, RESIDENT, limit=9, now=HAPPENED)) == 1


async def test_what_is_for_somebody_who_acts_for_the_resident_is_theirs_alone(pool: Pool) -> None:
    mother = "RelatedPerson/mother"
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT set_config('passport.patients', '{7}', true)")
        await tell(
            connection,
            RESIDENT,
            "access-requested",
            ABOUT,
            notice_id=UUID(int=9),
            now=HAPPENED,
            recipient=mother,
        )
        assert await read(connection, RESIDENT, limit=9, now=HAPPENED) == []
        assert len(await read(connection, RESIDENT, limit=9, now=HAPPENED, recipient=mother)) == 1
        assert await read(connection, RESIDENT, limit=9, now=HAPPENED, recipient="RelatedPerson/other") == []


def test_every_kind_has_a_sentence_in_both_languages() -> None:
    assert set(SENTENCES) == set(get_args(Kind))
    assert all(sentence.ja and sentence.en for sentence in SENTENCES.values())
