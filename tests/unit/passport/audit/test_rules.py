"""The rules of a process are written down once, and told apart by all that a decision depends on."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from passport.audit.rules import Rules, engine_digest, written_down
from passport.settings import Settings
from tests.databases import Database

pytestmark = pytest.mark.anyio

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)


def settings(**changes: Any) -> Settings:
    return Settings.load(Path("none"), environ={}, **changes)


@pytest.fixture
def stored(database: Database) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        yield connection


async def test_equal_rules_have_one_number(database: Database, stored: psycopg.Connection[Any]) -> None:
    first = await written_down(database.service_url, settings(), NOW)
    assert await written_down(database.service_url, settings(port=9), NOW) != first
    assert await written_down(database.service_url, settings(), NOW) == first
    assert stored.execute("SELECT count(*) FROM rules").fetchone() == (2,)


@pytest.mark.parametrize(
    "changes",
    [
        {"zone": "Asia/Seoul"},
        {"grants_after_death": "stay"},
        {"grants_after_death": "49"},
        {"proxies_after_death": "49"},
        {"mode": "sandbox"},
        {"base_url": "https://passport.example"},
    ],
)
async def test_other_settings_are_other_rules(database: Database, changes: dict[str, Any]) -> None:
    numbers = {await written_down(database.service_url, settings(**each), NOW) for each in ({}, changes)}
    assert len(numbers) == 2


async def test_rules_are_read_as_they_were_written_down(
    database: Database, stored: psycopg.Connection[Any]
) -> None:
    number = await written_down(database.service_url, settings(grants_after_death="49"), NOW)
    ((content, cluster),) = stored.execute(
        "SELECT content, cluster FROM rules WHERE number = %s", [number]
    ).fetchall()
    assert Rules.read(content) == Rules.of(settings(grants_after_death="49"))
    assert content["grants_linger"] == 49 * 86_400
    assert content.keys() == {field.name for field in fields(Rules)}
    assert int(cluster) > 0


async def test_what_was_written_down_is_never_changed(database: Database) -> None:
    await written_down(database.service_url, settings(), NOW)
    for statement in ("UPDATE rules SET cluster = ''", "DELETE FROM rules"):
        with psycopg.connect(database.service_url) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute(statement)


def test_the_digest_is_of_what_decides() -> None:
    assert engine_digest() == engine_digest()
    assert len(bytes.fromhex(engine_digest())) == 16
