"""The command's own part: what it prints, where, and with which exit code; never a traceback."""

import os
import socket
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from fhirmap.jsonformat import loads
from passport import installation
from passport.cli import Lifetime, main
from passport.demo import running
from passport.demo.books import Books
from passport.demo.processes import alone
from passport.installation import initialise
from passport.serving import serve
from passport.settings import Settings
from passport.subjects import CITY


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name in ("PASSPORT_DATABASE_URL", "PASSPORT_MIGRATION_URL", "PASSPORT_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    return CliRunner()


def _one_line(result: Result) -> str:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    return line


HANDBOOK = """JAHISTC08,1
1,見本　花子,2,19550303
5,20261117,1
11,れいじ薬局,07,4,9999901,,,,1
51,雛形クリニック,07,1,9999902,1
55,雛形　診,内科,1
201,1,アムロジピンＯＤ錠５ｍｇ「見本」,1,錠,4,2171022F5999,1
301,1,１日１回　朝食後服用,28,日分,1,1,,1
"""


def test_whoever_a_token_is_for_is_named_by_the_help(runner: CliRunner) -> None:
    told = runner.invoke(main, ["token", "--help"]).stdout
    assert all(office in told for office in CITY)


def test_a_handbook_is_printed_as_a_bundle(runner: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "handbook.txt"
    file.write_bytes(HANDBOOK.replace("\n", "\r\n").encode("cp932"))
    result = runner.invoke(main, ["map", "jahis", str(file)])
    assert result.exit_code == 0
    kinds = [entry["resource"]["resourceType"] for entry in loads(result.stdout_bytes)["entry"]]
    assert "MedicationDispense" in kinds


def test_deviations_go_to_stderr_and_leave_the_bundle_readable(runner: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "handbook.txt"
    file.write_bytes(HANDBOOK.replace("28,日分", "二八,日分").encode("cp932"))
    result = runner.invoke(main, ["map", "jahis", str(file)])
    assert result.exit_code == 0
    assert loads(result.stdout_bytes)["resourceType"] == "Bundle"
    assert "line 8, record 301" in result.stderr


def test_a_refused_file_is_one_line_and_exit_code_1(runner: CliRunner, tmp_path: Path) -> None:
    file = tmp_path / "not-json"
    file.write_text("garbage")
    assert "not JSON" in _one_line(runner.invoke(main, ["map", "gatt", str(file)]))


@pytest.mark.parametrize(
    "command",
    [
        ["serve"],
        ["worker"],
        ["db", "migrate"],
        ["token", "--as", "x", "--purpose", "y"],
        ["doctor"],
        ["backup", "--to", "there"],
        ["keys", "publish"],
        ["keys", "rotate"],
        ["device-ca", "publish"],
    ],
)
def test_a_folder_that_is_no_installation_is_refused(
    command: list[str], runner: CliRunner, tmp_path: Path
) -> None:
    line = _one_line(runner.invoke(main, [*command, "--state", str(tmp_path / "nothing")]))
    assert "passport init" in line


def test_production_refuses_what_a_demo_made(runner: CliRunner, tmp_path: Path) -> None:
    initialise(tmp_path, "demo")
    assert "passport demo" in _one_line(runner.invoke(main, ["serve", "--state", str(tmp_path)]))
    assert "demo installation" in _one_line(runner.invoke(main, ["init", "--state", str(tmp_path)]))


def test_a_database_that_is_not_there_is_one_line(runner: CliRunner, tmp_path: Path) -> None:
    initialise(tmp_path, "demo")
    environment = {"PASSPORT_DATABASE_URL": f"host={tmp_path} user=nobody dbname=none"}
    command = ["token", "--state", str(tmp_path), "--as", "operator", "--purpose", "HOPERAT"]
    assert "Error: " in _one_line(runner.invoke(main, command, env=environment))


@pytest.mark.parametrize(
    ("text", "seconds"), [("300", 300), ("90s", 90), ("15m", 900), ("2h", 7_200)], ids=["bare", "s", "m", "h"]
)
def test_a_lifetime_is_seconds_or_has_a_unit(text: str, seconds: int) -> None:
    assert Lifetime().convert(text, None, None) == timedelta(seconds=seconds)


def test_another_lifetime_is_refused(runner: CliRunner, tmp_path: Path) -> None:
    command = ["token", "--state", str(tmp_path), "--as", "operator", "--purpose", "HOPERAT", "--ttl", "soon"]
    result = runner.invoke(main, command)
    assert result.exit_code == 2
    assert "got `soon`" in result.stderr


def test_a_demo_needs_a_folder_or_checks_itself(runner: CliRunner) -> None:
    assert runner.invoke(main, ["demo"]).exit_code == 2


def test_a_persona_file_that_cannot_be_written_is_told_before_the_town_is_loaded(
    runner: CliRunner, tmp_path: Path
) -> None:
    command = ["demo", "--state", str(tmp_path), "--json", str(tmp_path / "nowhere" / "personas.json")]
    result = runner.invoke(main, command)
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr


def test_a_taken_port_is_one_line(runner: CliRunner, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = runner.invoke(main, ["demo", "--state", str(tmp_path), "--port", port])
    line = _one_line(result)
    assert "cannot listen" in line
    assert "PORT=" in line
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_of_the_service_is_one_line_that_names_the_way_out(
    runner: CliRunner, tmp_path: Path
) -> None:
    initialise(tmp_path, "production")
    before = dict(os.environ)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit, match="--port"):
        serve(Settings.load(tmp_path, environ={}, port=taken.getsockname()[1]), workers=1)
    assert dict(os.environ) == before


def test_a_folder_that_cannot_be_used_is_told_in_words(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = _one_line(runner.invoke(main, ["init", "--state", str(tmp_path / "file" / "state")]))
    assert "not a directory" in line
    assert "Errno" not in line


@pytest.mark.parametrize("command", [["serve"], ["init"], ["worker"]])
@pytest.mark.parametrize("name", ["DATABASE_URL", "MIGRATION_URL", "BROKER_URL", "PUBLIC_URL"])
def test_a_setting_that_cannot_be_ends_a_command_before_it_begins(
    command: list[str], name: str, runner: CliRunner, tmp_path: Path
) -> None:
    initialise(tmp_path, "production")
    before = sorted(tmp_path.iterdir())
    result = runner.invoke(main, [*command, "--state", str(tmp_path)], env={f"PASSPORT_{name}": "foo"})
    assert f"PASSPORT_{name}" in _one_line(result)
    assert sorted(tmp_path.iterdir()) == before


def test_an_address_of_no_database_is_refused_and_not_shown(runner: CliRunner, tmp_path: Path) -> None:
    there = ["--from", str(tmp_path), "--keys", __file__]
    for command in (
        ["db", "bootstrap"],
        ["backup", "--state", str(tmp_path), "--to", str(tmp_path / "to")],
        ["restore", "--state", str(tmp_path / "new"), *there],
    ):
        result = runner.invoke(main, [*command, "--url", "geheim"])
        assert (result.exit_code, "--url" in result.stderr) == (2, True)
        assert "geheim" not in result.stderr


def test_an_address_that_nothing_would_be_done_with_is_refused(runner: CliRunner, tmp_path: Path) -> None:
    initialise(tmp_path / "state", "production")
    command = ["backup", "--state", str(tmp_path / "state"), "--to", str(tmp_path / "to")]
    result = runner.invoke(main, [*command, "--url", "postgresql://postgres@db.example"])
    assert "`--url`" in _one_line(result)
    assert not (tmp_path / "to").exists()


def test_the_keys_in_use_are_no_copy_of_themselves(runner: CliRunner, tmp_path: Path) -> None:
    settings = initialise(tmp_path / "state", "production")
    command = ["backup", "--state", str(tmp_path / "state"), "--to", str(tmp_path / "to")]
    assert "own key file" in _one_line(runner.invoke(main, [*command, "--keys", str(settings.key_file)]))


@pytest.mark.parametrize(
    ("books", "said"),
    [
        (None, "Ended."),
        (Books(starts=1), "Ended. The town was not finished; the same command builds it anew."),
        (Books(starts=1, loaded=True), "Ended. The town is kept; the same command goes on with it."),
    ],
    ids=["not-begun", "broken-off", "whole"],
)
def test_whoever_ends_the_demo_is_told_how_it_goes_on(books: Books | None, said: str, tmp_path: Path) -> None:
    if books is not None:
        books.write(tmp_path)
    assert f"Ended. {running.how_it_goes_on(tmp_path)}".rstrip() == said


def test_a_town_that_was_broken_off_is_built_anew(tmp_path: Path) -> None:
    settings = initialise(tmp_path, "demo").at(database_url="")
    Books(starts=1).write(tmp_path)
    with installation.opened(settings) as ready, psycopg.connect(ready.migration_url) as connection:
        connection.execute("CREATE TABLE half_of_it ()")
    running.begin_anew(settings, Console(quiet=True))
    assert running.stands(tmp_path)
    with installation.opened(settings) as ready, psycopg.connect(ready.migration_url) as connection:
        assert connection.execute("SELECT to_regclass('half_of_it')").fetchone() == (None,)


def test_a_second_demo_on_one_folder_is_refused(runner: CliRunner, tmp_path: Path) -> None:
    with alone(tmp_path):
        result = runner.invoke(main, ["demo", "--state", str(tmp_path), "--port", "0"])
    assert "another demo" in _one_line(result)
