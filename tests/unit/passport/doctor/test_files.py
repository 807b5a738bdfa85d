"""Files beside the database that cannot be used, or that have ended, are named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest
from joserfc.jwk import ECKey

from passport.doctor.files import findings
from passport.installation import initialise, prepare
from passport.settings import Settings
from tests.authorities import YEAR, Authority
from tests.databases import Database

NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)

PROVIDER: Final = """
INSERT INTO federation_provider (provider_id, name, profile, issuer, client_id, auth_method, key_file, people, hosts,
    two_factors, state, asked_by)
VALUES (%s, 'x', 'city-portal', 'https://portal.example', 'passport', 'private_key_jwt', %s, 'residents', '{}', '{}',
    %s, 'operator/first')
"""


@pytest.fixture
def place(tmp_path: Path, database: Database) -> Settings:
    settings = initialise(tmp_path / "state", "production").at(
        database_url=database.service_url, migration_url=database.owner_url
    )
    prepare(settings, NOW)
    return settings


def found(place: Settings) -> set[tuple[str, str]]:
    return {(one.level, one.setting) for one in findings(place, place.database_url, NOW)}


def test_a_provider_whose_key_cannot_be_used_is_named(place: Settings) -> None:
    folder = place.state / "federation"
    folder.mkdir()
    with psycopg.connect(place.database_url) as connection:
        for name, state in (("good", "active"), ("open", "active"), ("gone", "waiting"), ("over", "ended")):
            connection.execute(PROVIDER, [name, f"{name}.pem", state])
    for name, mode in (("good", 0o600), ("open", 0o644)):
        path = folder / f"{name}.pem"
        path.touch(mode=mode)
        path.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
        path.chmod(mode)
    assert found(place) == {("unsafe", "federation/open.pem"), ("unsafe", "federation/gone.pem")}


def test_authorities_and_lists_that_cannot_be_used_are_named(place: Settings) -> None:
    assert found(place) == set()
    folder = place.state / "hpki"
    folder.mkdir()
    assert found(place) == {("unsafe", "hpki")}
    root = Authority("HPKI Root CA (made up)", NOW)
    (folder / "roots.pem").write_text(root.pem)
    assert found(place) == {("note", "hpki/revoked.pem")}
    (folder / "revoked.pem").write_text(root.revoked())
    assert found(place) == set()
    (folder / "revoked.pem").write_text(root.revoked() + root.revoked(ends=-timedelta(hours=1)))
    assert found(place) == {("unsafe", "hpki/revoked.pem")}
    (folder / "roots.pem").write_text(root.pem + Authority("Former CA (made up)", NOW - 6 * YEAR).pem)
    assert ("note", "hpki/roots.pem") in found(place)
    (folder / "revoked.pem").write_bytes(b"none")
    assert found(place) == {("unsafe", "hpki")}


def test_nothing_is_said_of_a_database_that_does_not_answer(place: Settings) -> None:
    assert not list(findings(place, f"{place.database_url} connect_timeout=1 port=1", NOW))
