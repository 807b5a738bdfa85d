"""The first operators are two persons, and one of them is let in again where no two others are left."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from passport.installation import initialise, prepare
from passport.installation.operators import another_operator, first_operators
from passport.outcomes import Conflict, Invalid, NotFound
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


def logged(database: Database) -> list[Any]:
    with psycopg.connect(database.superuser_url) as connection:
        return connection.execute(
            "SELECT action, query, detail FROM audit_event WHERE action LIKE 'code-%' ORDER BY recorded, action"
        ).fetchall()


def test_another_code_is_handed_out_by_whoever_holds_the_folder_and_is_in_the_log(
    installation: Settings, database: Database
) -> None:
    before = first_operators(installation)[0]
    again = another_operator(installation, "operator-1")
    assert again.proposal is None
    assert again.code != before.code
    assert len(codes(database)) == 2
    assert logged(database)[-1] == ("code-hand-out", "passport operator", "operator/operator-1")


def test_whoever_holds_the_folder_makes_no_third_operator(installation: Settings, database: Database) -> None:
    first_operators(installation)
    with pytest.raises(Conflict, match="third operator"):
        another_operator(installation, "operator-3")
    # Neither in the place of somebody who is none.
    with pytest.raises(NotFound):
        another_operator(installation, "operator-3", ["operator-4"])
    assert len(codes(database)) == 2
    assert len(logged(database)) == 2


def test_another_operator_takes_the_place_of_one_who_signs_in_no_more(
    installation: Settings, database: Database
) -> None:
    first_operators(installation)
    another_operator(installation, "operator-3", ["operator-2"])
    assert [(subject, active) for subject, _, _, active in codes(database)] == [
        ("operator/operator-1", True),
        ("operator/operator-2", False),
        ("operator/operator-3", True),
    ]
    assert [row[::2] for row in logged(database)[-2:]] == [
        ("code-withdraw", "operator/operator-2"),
        ("code-hand-out", "operator/operator-3"),
    ]
    # A code that nobody used for too long lets nobody in, so its operator is none who could hand one out.
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute(
            "UPDATE sign_in_code SET used_at = used_at - interval '1 year' WHERE login = 'operator-3'"
        )
    another_operator(installation, "operator-4")
    with pytest.raises(Conflict, match="third operator"):
        another_operator(installation, "operator-5")


def test_what_is_no_login_gets_no_code(installation: Settings) -> None:
    with pytest.raises(Invalid):
        another_operator(installation, "X")
