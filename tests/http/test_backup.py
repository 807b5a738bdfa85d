"""A backup is a whole passport again with its keys and nothing without, and nobody is signed in to what comes of it.

https://csrc.nist.gov/pubs/sp/800/34/r1/upd1/final
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from anyio import to_thread
from click.testing import CliRunner, Result

from passport.backup.commands import backup as back_up
from passport.backup.commands import restore
from passport.cli import OneLine, main
from passport.installation import FILE_NAME, initialise, opened, prepare
from passport.keys import KeyRing
from passport.runtime import utc_now
from tests import resources as made
from tests.cast import Cast
from tests.databases import Database, Server
from tests.town import Town, Voice, served
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio

# The whole command takes the signals of the main thread, which is the service's here.
COMMANDS = OneLine(commands={"backup": back_up, "restore": restore})


@dataclass(frozen=True)
class Machine:
    """Where commands run: with a database of its own address."""

    database: Database

    async def run(self, *arguments: str | Path) -> Result:
        environ = {
            "PASSPORT_DATABASE_URL": self.database.service_url,
            "PASSPORT_MIGRATION_URL": self.database.owner_url,
        }
        listed = [*map(str, arguments), "--url", self.database.superuser_url]
        return await to_thread.run_sync(lambda: CliRunner(env=environ).invoke(COMMANDS, listed))


@contextmanager
def emptied(server: Server) -> Iterator[Database]:
    """A database with the roles and without a table."""
    database = server.empty_database()
    try:
        yield database
    finally:
        with psycopg.connect(server.superuser_url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)'.encode())


@pytest.fixture
async def backup(town: Town, tmp_path: Path) -> tuple[Path, Path]:
    """A backup of the town as it is now, and where its keys are."""
    folder, keys = tmp_path / "backup", tmp_path / "vault" / "keys.json"
    state = town.runtime.settings.state
    done = await Machine(town.database).run("backup", "--state", state, "--to", folder, "--keys", keys)
    assert done.exit_code == 0, done.output
    return folder, keys


def counts(database: Database) -> dict[str, int]:
    """How many rows each table has, but for those that a start or a look adds to."""
    with psycopg.connect(database.superuser_url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"'.encode()).fetchall()[0][0]
            for (name,) in names
            if name not in {"audit_event", "rules", "session"}
        }


async def test_what_is_put_back_is_the_same_passport_and_nobody_is_signed_in(
    town: Town, cast: Cast, hanako: Voice, server: Server, tmp_path: Path
) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    reference = await hanako.create(made.weight(hanako.reference))
    before = (await cast.a.get(reference)).content
    folder, keys = tmp_path / "backup", tmp_path / "vault" / "keys.json"
    state = town.runtime.settings.state
    done = await Machine(town.database).run("backup", "--state", state, "--to", folder, "--keys", keys)
    assert done.exit_code == 0, done.output
    after = await hanako.create(made.weight(hanako.reference))
    with emptied(server) as database:
        there = tmp_path / "there"
        done = await Machine(database).run("restore", "--state", there, "--from", folder, "--keys", keys)
        assert done.exit_code == 0, done.output
        assert "nobody is signed in" in done.output
        with psycopg.connect(database.superuser_url) as connection:
            statement = "SELECT count(*) FROM session WHERE ended_at IS NULL"
            assert connection.execute(statement).fetchone() == (0,)
            told = connection.execute("SELECT action FROM audit_event WHERE action IN ('backup', 'restore')")
            assert sorted(told.fetchall()) == [("backup",), ("restore",)]
        async with served(database, there) as restored:
            bearer = town.sessions[cast.a.reference, cast.a.purpose, cast.a.scope]
            old = Voice(restored, cast.a.reference, "TREAT", "", bearer)
            assert (await old.get(reference)).status_code == 401
            doctor, patient = restored.as_(cast.a.reference), restored.as_(hanako.reference)
            assert (await doctor.get(reference)).content == before
            assert (await doctor.get(after)).status_code == 404
            await patient.remove(consent)
            assert (await doctor.get(reference)).status_code == 404


async def test_every_row_of_every_table_comes_back(
    town: Town, backup: tuple[Path, Path], server: Server, tmp_path: Path
) -> None:
    with emptied(server) as database:
        (folder, keys), there = backup, tmp_path / "there"
        done = await Machine(database).run("restore", "--state", there, "--from", folder, "--keys", keys)
        assert done.exit_code == 0, done.output
        assert counts(database) == counts(town.database)
        assert (there / FILE_NAME).stat().st_mode & 0o077 == 0
        assert KeyRing.load(there / "keys.json") == KeyRing.load(town.runtime.settings.key_file)


async def test_a_backup_goes_into_a_new_folder_and_its_keys_elsewhere(
    town: Town, backup: tuple[Path, Path], tmp_path: Path
) -> None:
    machine, state = Machine(town.database), town.runtime.settings.state
    folder, keys = backup
    assert {path.stat().st_mode & 0o777 for path in (*folder.iterdir(), keys)} == {0o600}
    again = await machine.run("backup", "--state", state, "--to", folder)
    assert (again.exit_code, "there is something in" in again.output) == (1, True)
    inside = await machine.run(
        "backup", "--state", state, "--to", tmp_path / "b", "--keys", tmp_path / "b" / "k"
    )
    assert (inside.exit_code, "in another place" in inside.output) == (1, True)
    KeyRing.generate().save(tmp_path / "others.json")
    for_others = ("--to", tmp_path / "c", "--keys", tmp_path / "others.json")
    foreign = await machine.run("backup", "--state", state, *for_others)
    assert (foreign.exit_code, "other keys, which are kept" in foreign.output) == (1, True)
    assert not (tmp_path / "b").exists()
    beside = await machine.run("backup", "--state", state, "--to", tmp_path / "d", "--keys", keys)
    assert beside.exit_code == 0, beside.output
    alone = await machine.run("backup", "--state", state, "--to", tmp_path / "e")
    assert (alone.exit_code, "were not copied" in alone.output) == (0, True)


async def test_a_backup_that_is_not_whole_or_of_other_keys_is_not_put_back(
    backup: tuple[Path, Path], town: Town, server: Server, tmp_path: Path
) -> None:
    folder, keys = backup
    there = ("restore", "--state", tmp_path / "there", "--from", folder, "--keys")
    filled = await Machine(town.database).run(*there, keys)
    assert (filled.exit_code, "expected an empty one" in filled.output) == (1, True)
    assert not (tmp_path / "there" / FILE_NAME).exists()
    KeyRing.generate().save(tmp_path / "others.json")
    with emptied(server) as database:
        machine = Machine(database)
        foreign = await machine.run(*there, tmp_path / "others.json")
        assert (foreign.exit_code, "does not open" in foreign.output) == (1, True)
        (folder / "database.dump").write_bytes((folder / "database.dump").read_bytes()[:-1])
        changed = await machine.run(*there, keys)
        assert (changed.exit_code, "is not what was backed up" in changed.output) == (1, True)
        (folder / "manifest.json").unlink()
        broken_off = await machine.run(*there, keys)
        assert (broken_off.exit_code, "is no backup" in broken_off.output) == (1, True)


def test_an_installation_with_a_server_of_its_own_is_backed_up_while_it_runs(tmp_path: Path) -> None:
    state, folder, keys = tmp_path / "state", tmp_path / "backup", tmp_path / "vault.json"
    settings = initialise(state, "production")
    # What the passport proves itself by at a provider, and whose certificates it trusts.
    beside = {"federation/city.pem": b"a key of the passport", "hpki/roots.pem": b"an authority"}
    for name, content in beside.items():
        (state / name).parent.mkdir()
        (state / name).write_bytes(content)
    runner = CliRunner()
    with opened(settings) as ready:
        prepare(ready, utc_now())
        done = runner.invoke(
            main, ["backup", "--state", f"{state}", "--to", f"{folder}", "--keys", f"{keys}"]
        )
        assert done.exit_code == 0, done.output
    assert not any(content in path.read_bytes() for path in folder.iterdir() for content in beside.values())
    there = tmp_path / "there"
    done = runner.invoke(main, ["restore", "--state", f"{there}", "--from", f"{folder}", "--keys", f"{keys}"])
    assert done.exit_code == 0, done.output
    for name, content in beside.items():
        assert ((there / name).read_bytes(), (there / name).stat().st_mode & 0o777) == (content, 0o600)
    again = runner.invoke(
        main, ["restore", "--state", f"{there}", "--from", f"{folder}", "--keys", f"{keys}"]
    )
    assert (again.exit_code, "is an installation" in again.output) == (1, True)
    with opened(initialise(there, "production")) as ready, psycopg.connect(ready.database_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("passport_service",)
        prepare(ready, utc_now())
