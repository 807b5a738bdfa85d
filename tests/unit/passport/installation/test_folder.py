"""An installation is made once, and demo, production and foreign keys are never mistaken for one another."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import orjson
import psycopg
import pytest

from fhirstore.tables import NOBODY
from passport.certifying import CertifyingKey
from passport.cli import ENDED_BY_HAND
from passport.embedded.processes import wait_until
from passport.installation import (
    FILE_NAME,
    NotProduction,
    NotThisInstallation,
    initialise,
    labels_wait,
    opened,
    prepare,
    require_production,
)
from passport.keys import KeyFileUnusable, KeyRing
from passport.labelling import TABLE_VERSION
from passport.labelling.store import Progress
from passport.settings import Settings
from tests.databases import Database, Server

NOW = datetime(2026, 11, 22, tzinfo=UTC)
START_S = 60.0


def _on(settings: Settings, database: Database) -> Settings:
    return settings.at(database_url=database.service_url, migration_url=database.owner_url)


def test_a_second_start_reads_the_same_keys(tmp_path: Path) -> None:
    first = initialise(tmp_path / "state", "production")
    secret = KeyRing.load(first.key_file).index_secret
    assert initialise(tmp_path / "state", "production") == first
    assert KeyRing.load(first.key_file).index_secret == secret


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_folder_that_is_made_is_its_owners_alone_and_its_own_server_runs_in_it(tmp_path: Path) -> None:
    settings = initialise(tmp_path / "state", "production")
    assert _mode(settings.state) == 0o700
    assert {_mode(path) for path in settings.state.iterdir()} == {0o600}
    with opened(settings) as ready:
        prepare(ready, NOW)
        with psycopg.connect(ready.database_url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("passport_service",)
        assert _mode(settings.state / "postgres" / "server.log") == 0o600
    assert _mode(settings.state) == 0o700


def test_a_folder_that_was_there_keeps_its_mode_and_its_files_are_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    (tmp_path / "settings.new").touch(mode=0o644)
    settings = initialise(tmp_path, "demo")
    assert _mode(tmp_path) == 0o750
    assert {_mode(path) for path in settings.state.iterdir()} == {0o600}


def test_lost_keys_are_not_replaced(tmp_path: Path) -> None:
    settings = initialise(tmp_path, "production")
    settings.key_file.unlink()
    initialise(tmp_path, "production")
    with pytest.raises(KeyFileUnusable):
        require_production(settings)


def test_an_interrupted_making_is_finished_with_the_keys_that_are_there(tmp_path: Path) -> None:
    settings = initialise(tmp_path, "production")
    secret = KeyRing.load(settings.key_file).index_secret
    (tmp_path / FILE_NAME).unlink()
    assert initialise(tmp_path, "production") == settings
    assert KeyRing.load(settings.key_file).index_secret == secret


def test_a_demo_never_becomes_production(tmp_path: Path) -> None:
    demo = initialise(tmp_path, "demo")
    with pytest.raises(NotThisInstallation):
        initialise(tmp_path, "production")
    with pytest.raises(NotProduction):
        require_production(demo)


def test_settings_changed_by_hand_do_not_hide_a_demos_keys(tmp_path: Path) -> None:
    demo = initialise(tmp_path, "demo")
    demo.at(mode="production").save()
    with pytest.raises(NotProduction):
        require_production(Settings.load(tmp_path, environ={}))


def test_a_demo_becomes_a_sandbox_and_stays_one(tmp_path: Path) -> None:
    initialise(tmp_path, "demo")
    assert initialise(tmp_path, "sandbox").mode == "sandbox"
    assert initialise(tmp_path, "demo").mode == "sandbox"


def test_nobody_gets_a_row_with_a_key_once(tmp_path: Path, database: Database) -> None:
    settings = _on(initialise(tmp_path, "production"), database)
    prepare(settings, NOW)
    prepare(settings, NOW)
    with psycopg.connect(database.owner_url) as connection:
        rows = connection.execute("SELECT patient_key, wrapped_key FROM patient").fetchall()
    ((patient_key, wrapped),) = rows
    assert patient_key == NOBODY
    assert len(KeyRing.load(settings.key_file).unwrap(NOBODY, bytes(wrapped))) == 32


REGISTER = "INSERT INTO patient (patient_id, wrapped_key, created_at) VALUES ('somebody', 'key', now())"
LABELLED = "UPDATE installation SET value = %s WHERE name = 'labels'"


def test_records_wait_for_labels_only_when_the_table_changed(tmp_path: Path, database: Database) -> None:
    settings = _on(initialise(tmp_path, "production"), database)
    prepare(settings, NOW)
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:
        assert not labels_wait(settings)
        connection.execute(REGISTER)
        assert not labels_wait(settings)
        for reached in ("0123456789abcdef done", Progress.start(TABLE_VERSION).text):
            connection.execute(LABELLED, [reached])
            prepare(settings, NOW)
            assert labels_wait(settings)
        connection.execute("DELETE FROM installation WHERE name = 'labels'")
        prepare(settings, NOW)
        assert labels_wait(settings)


def test_serve_says_in_one_line_that_records_wait_and_that_it_was_ended(
    tmp_path: Path, database: Database
) -> None:
    settings = _on(initialise(tmp_path, "production"), database)
    prepare(settings, NOW)
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute(REGISTER)
        connection.execute(LABELLED, ["0123456789abcdef done"])
    command = [sys.executable, "-m", "passport.cli", "serve", "--state", str(tmp_path), "--port", "0"]
    environment = {**os.environ, "PASSPORT_DATABASE_URL": database.service_url}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line, where = process.stderr.readline(), process.stderr.readline()
        found = re.search(r"at 127\.0\.0\.1 port (\d+)", where)
        assert found is not None, where
        # Before it serves an interrupt may come where Python can raise nothing, and be lost.
        assert wait_until(lambda: _lives(f"http://127.0.0.1:{found[1]}/healthz"), START_S)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert rest.splitlines()[-1] == "Ended."
    assert process.returncode == ENDED_BY_HAND
    assert line == f"labels: stored records wait for `passport relabel --state {tmp_path}`\n"
    assert "labels" not in rest


def test_a_database_filled_under_other_keys_is_refused(tmp_path: Path, database: Database) -> None:
    prepare(_on(initialise(tmp_path / "one", "production"), database), NOW)
    with pytest.raises(NotThisInstallation, match="other keys"):
        prepare(_on(initialise(tmp_path / "two", "production"), database), NOW)


def _lives(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def _without_signing_keys(path: Path) -> None:
    content = orjson.loads(path.read_bytes())
    del content["signing_keys"]
    path.write_bytes(orjson.dumps(content))


def test_an_installation_of_before_there_were_signing_keys_gets_one_when_it_is_prepared(
    tmp_path: Path, database: Database
) -> None:
    settings = _on(initialise(tmp_path, "production"), database)
    _without_signing_keys(settings.key_file)
    prepare(settings, NOW)
    (key,) = KeyRing.load(settings.key_file).signing_keys
    prepare(settings, NOW)
    assert KeyRing.load(settings.key_file).signing_keys == (key,)


def test_a_copy_of_the_keys_without_the_one_that_signs_is_refused(tmp_path: Path, database: Database) -> None:
    settings = _on(initialise(tmp_path, "production"), database)
    prepare(settings, NOW)
    _without_signing_keys(settings.key_file)
    with pytest.raises(NotThisInstallation, match="lacks the signing key"):
        prepare(settings, NOW)
    assert KeyRing.load(settings.key_file).signing_keys == ()


def test_a_copy_of_the_keys_with_another_device_authority_is_refused(
    tmp_path: Path, database: Database
) -> None:
    settings = _on(initialise(tmp_path, "production"), database)
    prepare(settings, NOW)
    ring = KeyRing.load(settings.key_file)
    for others in ((), (CertifyingKey.generate(NOW),)):
        replace(ring, device_authorities=others).replace(settings.key_file)
        with pytest.raises(NotThisInstallation, match="lacks the key of the device CA"):
            prepare(settings, NOW)


def test_a_copy_of_the_keys_with_another_key_of_id_tokens_is_refused(
    tmp_path: Path, database: Database
) -> None:
    settings = _on(initialise(tmp_path, "production"), database)
    ring = KeyRing.load(settings.key_file)
    # One of before there was such a key gets it at its next start, and keeps it.
    replace(ring, id_token_keys=()).replace(settings.key_file)
    prepare(settings, NOW)
    (key,) = KeyRing.load(settings.key_file).id_token_keys
    prepare(settings, NOW)
    assert KeyRing.load(settings.key_file).id_token_keys == (key,)
    for other in ((), ring.id_token_keys):
        replace(ring, id_token_keys=other).replace(settings.key_file)
        with pytest.raises(NotThisInstallation, match="lacks the key of ID tokens"):
            prepare(settings, NOW)


def test_a_database_that_a_demo_filled_is_refused(tmp_path: Path, database: Database) -> None:
    demo = _on(initialise(tmp_path, "demo"), database)
    prepare(demo, NOW)
    with pytest.raises(NotThisInstallation, match="demo installation"):
        prepare(demo.at(mode="production"), NOW)


def test_a_database_without_tables_is_told_in_words(tmp_path: Path, server: Server) -> None:
    empty = server.empty_database()
    settings = initialise(tmp_path, "production").at(database_url=empty.service_url)
    with pytest.raises(NotThisInstallation, match="not migrated"):
        prepare(settings, NOW)
