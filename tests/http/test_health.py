"""Alive is that the process answers, ready is that its database does and is migrated."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from tests.databases import Database
from tests.http.identity_town import city

pytestmark = pytest.mark.anyio


async def test_a_served_passport_lives_and_is_ready(database: Database, tmp_path: Path) -> None:
    async with city(database, tmp_path) as town:
        assert (await town.http.get("/healthz")).json() == {"status": "alive"}
        answer = await town.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
        assert answer.headers["cache-control"] == "no-store"


async def test_whoever_knows_the_address_alone_is_led_on(database: Database, tmp_path: Path) -> None:
    async with city(database, tmp_path) as town:
        for path, target in (("/", "/home"), ("/fhir", "/fhir/metadata")):
            answer = await town.http.get(path, follow_redirects=True)
            assert (answer.status_code, answer.url.path) == (200, target)


async def test_nobody_is_led_to_where_a_header_says(database: Database, tmp_path: Path) -> None:
    async with city(database, tmp_path) as town:
        for path in ("/fhir/Observation/", "/fhir/metadata/", "/devices/", "/fhir/", "/fhir", "/"):
            answer = await town.http.get(path, headers={"Host": "elsewhere.test"})
            assert answer.status_code in (200, 307, 401, 404)
            assert "elsewhere" not in answer.headers.get("location", "")


@pytest.mark.parametrize("revision", ["0000", "9999"])
async def test_a_database_of_another_revision_is_not_ready(
    database: Database, tmp_path: Path, revision: str
) -> None:
    async with city(database, tmp_path) as town:
        with town.looked_into() as connection:
            connection.execute("UPDATE alembic_version SET version_num = %s", [revision])
        answer = await town.http.get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "unavailable"})
        assert (await town.http.get("/healthz")).status_code == 200


@contextmanager
def gone(database: Database) -> Iterator[None]:
    """While the block runs, nobody connects to the database, and whoever was connected is not any more."""
    name = Identifier(database.name)
    elsewhere = make_conninfo(database.superuser_url, dbname="postgres")
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database.name]
            )
            yield
        finally:
            connection.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


async def test_without_its_database_the_process_lives_and_is_not_ready(
    database: Database, tmp_path: Path
) -> None:
    async with city(database, tmp_path) as town:
        with gone(database):
            assert (await town.http.get("/readyz")).status_code == 503
            assert (await town.http.get("/healthz")).status_code == 200
