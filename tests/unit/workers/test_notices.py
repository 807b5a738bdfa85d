"""Notifications: told once, in both languages, when the event happened."""

from typing import get_args
from uuid import uuid4

import psycopg
import pytest

from passport.outbox import notices
from passport.runtime import Runtime
from tests.databases import Database
from tests.unit.workers.conftest import PATIENT, Clock, Promised
from workers.attempt import attempt
from workers.tasks import HANDLERS

pytestmark = pytest.mark.anyio


async def test_a_notification_is_told_once_with_the_time_of_its_event(
    runtime: Runtime, database: Database, clock: Clock
) -> None:
    outbox_id, happened = uuid4(), clock.now
    async with runtime.pool.connection() as connection:
        await notices.tell(
            connection,
            PATIENT,
            "access-requested",
            {"by": "PractitionerRole/r", "consent": "Consent/c"},
            outbox_id=outbox_id,
            now=clock.now,
        )
    clock.pass_(60)
    for _ in range(2):
        await attempt(runtime, HANDLERS, PATIENT, outbox_id, limit_seconds=5)
    with psycopg.connect(database.superuser_url) as connection:
        rows = connection.execute(
            "SELECT patient_key, notification_id, kind, about, created_at FROM notification"
        ).fetchall()
    about = {"by": "PractitionerRole/r", "consent": "Consent/c"}
    assert rows == [(PATIENT, outbox_id, "access-requested", about, happened)]


async def test_a_notification_of_an_unknown_kind_is_not_told(
    runtime: Runtime, promised: Promised, database: Database
) -> None:
    outbox_id = await promised(notices.TASK, kind="rumour", about={})
    await attempt(runtime, HANDLERS, PATIENT, outbox_id, limit_seconds=5)
    with psycopg.connect(database.superuser_url) as connection:
        assert connection.execute("SELECT count(*) FROM notification").fetchone() == (0,)
        assert connection.execute("SELECT failure FROM outbox").fetchone() == ("UnknownKind",)


def test_every_kind_has_a_sentence_in_both_languages() -> None:
    assert set(notices.SENTENCES) == set(get_args(notices.Kind))
    assert all(sentence.ja and sentence.en for sentence in notices.SENTENCES.values())
