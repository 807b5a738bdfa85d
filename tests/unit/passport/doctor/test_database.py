"""What of a database is unsafe for the service is named: a wall that does not bind, a log that can be changed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import psycopg
import pytest
from click.testing import CliRunner

from passport.cli import main
from passport.doctor.database import findings
from passport.doctor.store import WALLED
from passport.installation import initialise, opened, prepare
from passport.installation.operators import first_operators
from tests.databases import Database

NOW = datetime(2026, 11, 22, tzinfo=UTC)

FORCED = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relrowsecurity AND relforcerowsecurity ORDER BY 1"
)
HAPPENED = """
INSERT INTO audit_event SELECT made.* FROM (SELECT * FROM audit_event LIMIT 1) AS known,
    jsonb_populate_record(known::audit_event, jsonb_build_object(
        'audit_id', gen_random_uuid(), 'action', %s::text, 'recorded', %s::text)) AS made
"""


def found(url: str) -> set[tuple[str, str]]:
    return {(one.level, one.setting) for one in findings(url, NOW)}


def ruled(database: Database, *statements: str) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture
def sound(database: Database, tmp_path: Path) -> str:
    """A database in use, of a server that tests make faster than is safe."""
    settings = initialise(tmp_path / "state", "production").at(
        database_url=database.service_url, migration_url=database.owner_url
    )
    prepare(settings, NOW)
    first_operators(settings)
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute(HAPPENED, ["backup", NOW - timedelta(days=1)])
    return database.service_url


FAST = {("unsafe", "fsync"), ("unsafe", "full_page_writes"), ("unsafe", "synchronous_commit")}


def test_a_server_that_is_not_durable_is_named_and_nothing_else_of_it(sound: str) -> None:
    assert found(sound) == FAST


def test_a_role_that_no_wall_binds_is_named(sound: str, database: Database) -> None:
    url = ("unsafe", "PASSPORT_DATABASE_URL")
    assert url in found(database.superuser_url)
    assert url in found(database.owner_url)


def test_a_wall_that_was_taken_down_and_a_log_that_can_be_changed_are_named(
    sound: str, database: Database
) -> None:
    ruled(
        database,
        "ALTER TABLE resource NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE quarantine DISABLE ROW LEVEL SECURITY",
        "GRANT DELETE ON audit_event TO passport_service",
    )
    named = {("unsafe", "resource"), ("unsafe", "quarantine"), ("unsafe", "audit_event")}
    assert found(sound) == FAST | named


def test_what_is_looked_at_is_all_that_stands_behind_the_wall(database: Database) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        assert {name for (name,) in connection.execute(FORCED)} == set(WALLED)


def test_one_operator_and_an_old_backup_are_named(sound: str, database: Database) -> None:
    ruled(
        database,
        "UPDATE sign_in_code SET active = false WHERE login = 'operator-2'",
        "UPDATE audit_event SET recorded = recorded - interval '30 days' WHERE action = 'backup'",
    )
    assert found(sound) == FAST | {("note", "operators"), ("unsafe", "backup")}


def test_what_was_put_back_has_no_backup_of_its_own_yet(sound: str, database: Database) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute(HAPPENED, ["restore", NOW - timedelta(hours=1)])
    assert found(sound) == FAST | {("unsafe", "backup")}
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute(HAPPENED, ["backup", NOW - timedelta(minutes=1)])
    assert found(sound) == FAST


def test_a_database_of_another_revision_is_named(sound: str, database: Database) -> None:
    ruled(database, "UPDATE alembic_version SET version_num = '0001'")
    assert found(sound) == FAST | {("unsafe", "database")}


def test_a_database_that_does_not_answer_is_named_without_its_address() -> None:
    (only,) = findings("host=127.0.0.1 port=1 dbname=secretname connect_timeout=2", NOW)
    assert (only.level, only.setting) == ("unsafe", "PASSPORT_DATABASE_URL")
    assert "secretname" not in only.text


def test_the_command_names_what_it_found_and_its_exit_code_says_whether_it_is_unsafe(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with opened(initialise(state, "demo")) as ready:
        prepare(ready, NOW)
        runner = CliRunner()
        told = runner.invoke(main, ["doctor", "--state", f"{state}", "--json"])
        names = {one["setting"] for one in orjson.loads(told.output) if one["level"] == "unsafe"}
        assert (told.exit_code, names) == (1, {"mode", "PASSPORT_KEY_FILE", "PASSPORT_PUBLIC_URL", "backup"})
        plain = runner.invoke(main, ["doctor", "--state", f"{state}"])
        assert plain.output.startswith("unsafe  PASSPORT_KEY_FILE: ")
    nowhere = runner.invoke(main, ["doctor", "--state", f"{tmp_path / 'nowhere'}"])
    assert (nowhere.exit_code, "is no installation" in nowhere.output) == (1, True)
