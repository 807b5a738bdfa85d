"""The first operators are two persons, and one of them is let in again where no two others are left."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from passport.installation import initialise, prepare
from passport.installation.operators import another_operator, first_operators
from passport.outcomes import Invalid
from passport.settings import Settings
from tests.databases import Database

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def installation(database: Database, tmp_path: Path) -> Settings:
    settings = initialise(tmp_path / "state", "production")
    ready = settings.at(database_url=database.service_url, migration_url=database.owner_url)
    prepare(ready, NOW)
    return ready


def codes(database: Database) -> list[Any]:
    with psycopg.connect(database.superuser_url) as connection:
        return connection.execute(
            "SELECT subject, role, kind, active FROM sign_in_code ORDER BY login"
        ).fetchall()


def test_the_first_operators_are_two_persons_whose_codes_wait_for_nobody(
    installation: Settings, database: Database
) -> None:
    assert [handed.login for handed in first_operators(installation)] == ["operator-1", "operator-2"]
    assert first_operators(installation) == []
    assert codes(database) == [
        ("operator/operator-1", "operator", "operator", True),
        ("operator/operator-2", "operator", "operator", True),
    ]


def test_another_code_is_handed_out_by_whoever_holds_the_folder_and_is_in_the_log(
    installation: Settings, database: Database
) -> None:
    before = first_operators(installation)[0]
    again = another_operator(installation, "operator-1")
    assert again.proposal is None
    assert again.code != before.code
    another_operator(installation, "operator-3")
    assert len(codes(database)) == 3
    with psycopg.connect(database.superuser_url) as connection:
        logged = connection.execute(
            "SELECT query, detail FROM audit_event WHERE action = 'code-hand-out' ORDER BY recorded"
        ).fetchall()
    assert logged[-2:] == [
        ("passport operator", "operator/operator-1"),
        ("passport operator", "operator/operator-3"),
    ]


def test_what_is_no_login_gets_no_code(installation: Settings) -> None:
    with pytest.raises(Invalid):
        another_operator(installation, "X")
