"""Killed at any place, the embedded server comes back with all that was committed and leaves no process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest

from passport.embedded import EmbeddedPostgres
from passport.embedded.cluster import cluster_at
from passport.embedded.processes import leader_of, servers_in, wait_until

COMES_BACK_S = 20.0

SERVICE = """
import sys
from pathlib import Path
from passport.embedded import EmbeddedPostgres
server = EmbeddedPostgres.start(Path(sys.argv[1]))
print(server.superuser_dsn(), flush=True)
for line in sys.stdin:
    pass
"""

FORKING_SERVICE = SERVICE.replace(
    "for line",
    """
import os
if os.fork() == 0:
    print(os.getpid(), flush=True)
for line""",
)


def data_of(state: Path) -> Path:
    return state / "postgres" / "data"


def log_of(state: Path) -> str:
    return (state / "postgres" / "keeper.log").read_text("utf-8")


@contextmanager
def service(state: Path, text: str = SERVICE) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that supervises the server of `state`, and the connection string that it said."""
    command = [sys.executable, "-c", text, str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.kill()


def execute(dsn: str, statement: str) -> list[object]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


@contextmanager
def unfinished(dsn: str) -> Iterator[psycopg.Connection]:
    """A connection that is dropped as it stands, without a word to the server."""
    connection = psycopg.connect(dsn, autocommit=True)
    try:
        yield connection
    finally:
        connection.close()


def has_new_leader(state: Path, old: int) -> bool:
    return leader_of(data_of(state)) not in {None, old}


def answers(dsn: str) -> bool:
    try:
        return execute(dsn, "SELECT 1") == [1]
    except psycopg.OperationalError:
        return False


def kill_leader(state: Path) -> int:
    leader = leader_of(data_of(state))
    assert leader is not None
    os.kill(leader, signal.SIGKILL)
    return leader


def test_a_killed_server_comes_back_under_the_running_service(tmp_path: Path) -> None:
    with EmbeddedPostgres.start(tmp_path) as server:
        dsn = server.superuser_dsn()
        execute(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        for _ in range(3):
            killed = kill_leader(tmp_path)
            assert wait_until(partial(has_new_leader, tmp_path, killed), COMES_BACK_S)
            assert wait_until(lambda: answers(dsn), COMES_BACK_S)
        assert execute(dsn, "SELECT answer FROM kept") == [42]
    assert servers_in(data_of(tmp_path)) == []


def test_a_killed_server_comes_back_although_its_orphan_is_busy(tmp_path: Path) -> None:
    """A backend in the middle of a computation does not notice that its leader is gone."""
    busy = "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$"
    with EmbeddedPostgres.start(tmp_path) as server, unfinished(server.superuser_dsn()) as connection:
        orphan = connection.info.backend_pid
        connection.pgconn.send_query(busy.encode())
        connection.pgconn.flush()
        running = f"SELECT 1 FROM pg_stat_activity WHERE pid = {orphan} AND state = 'active'"
        assert wait_until(lambda: execute(server.superuser_dsn(), running) == [1], COMES_BACK_S)
        kill_leader(tmp_path)
        assert wait_until(lambda: orphan not in servers_in(data_of(tmp_path)), COMES_BACK_S)
        assert wait_until(lambda: answers(server.superuser_dsn()), COMES_BACK_S)


def test_a_server_killed_again_and_again_is_given_up(
    tmp_path: Path,
) -> None:
    with EmbeddedPostgres.start(tmp_path):
        (data_of(tmp_path) / "global" / "pg_control").unlink()
        kill_leader(tmp_path)
        assert wait_until(lambda: "not started again" in log_of(tmp_path), COMES_BACK_S)
        assert servers_in(data_of(tmp_path)) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_server_ends_with_its_service_and_the_next_start_has_everything(
    tmp_path: Path, number: signal.Signals
) -> None:
    with service(tmp_path) as (process, dsn):
        execute(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        process.send_signal(number)
        process.wait()
        assert wait_until(lambda: servers_in(data_of(tmp_path)) == [], COMES_BACK_S)
    with EmbeddedPostgres.start(tmp_path) as server:
        assert execute(server.superuser_dsn(), "SELECT answer FROM kept") == [42]


def test_next_start_does_not_wait_for_the_killed_service_to_be_buried(tmp_path: Path) -> None:
    with service(tmp_path) as (process, dsn):
        execute(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        process.kill()
        with EmbeddedPostgres.start(tmp_path) as server:
            assert execute(server.superuser_dsn(), "SELECT answer FROM kept") == [42]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_who_still_uses_the_server_starts_another_keeper_for_one_that_ends(
    tmp_path: Path, number: signal.Signals
) -> None:
    """As where a unit is stopped with all the processes that it ever started."""
    with service(tmp_path) as (process, dsn), EmbeddedPostgres.start(tmp_path):
        execute(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        keeper = cluster_at(tmp_path, 18).keeper()
        assert keeper is not None
        for pid in (keeper, process.pid):
            os.kill(pid, number)
        process.wait()
        assert wait_until(lambda: cluster_at(tmp_path, 18).keeper() not in {None, keeper}, COMES_BACK_S)
        assert wait_until(lambda: answers(dsn), COMES_BACK_S)
        assert execute(dsn, "SELECT answer FROM kept") == [42]
    assert cluster_at(tmp_path, 18).keeper() is None
    assert servers_in(data_of(tmp_path)) == []


def test_service_and_server_killed_together_lose_nothing_that_was_committed(tmp_path: Path) -> None:
    with service(tmp_path) as (process, dsn):
        execute(dsn, "CREATE TABLE kept (number int)")
        with unfinished(dsn) as connection:
            for number in range(200):
                connection.execute("INSERT INTO kept VALUES (%s)", (number,))
            connection.execute("BEGIN")
            connection.execute("INSERT INTO kept VALUES (-1)")
            keeper = cluster_at(tmp_path, 18).keeper()
            assert keeper is not None
            for pid in (process.pid, keeper):
                os.kill(pid, signal.SIGSTOP)
            kill_leader(tmp_path)
            os.kill(keeper, signal.SIGKILL)
            process.kill()
    with EmbeddedPostgres.start(tmp_path) as server:
        assert execute(server.superuser_dsn(), "SELECT number FROM kept ORDER BY 1") == list(range(200))


def test_a_process_forked_from_a_killed_service_does_not_keep_the_state_folder(tmp_path: Path) -> None:
    with service(tmp_path, FORKING_SERVICE) as (process, dsn):
        assert process.stdout is not None
        forked = int(process.stdout.readline())
        process.kill()
        with EmbeddedPostgres.start(tmp_path):
            assert answers(dsn)
        os.kill(forked, signal.SIGKILL)


def test_a_service_killed_while_it_makes_the_cluster_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVICE, str(tmp_path)]
    unfinished = tmp_path / "postgres" / "data.unfinished" / "base"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert wait_until(unfinished.exists, COMES_BACK_S)
        process.kill()
    with EmbeddedPostgres.start(tmp_path) as server:
        assert answers(server.superuser_dsn())


@pytest.mark.parametrize("kind", ["zombie", "stranger", "nobody"])
def test_a_pid_file_that_names_no_server_does_not_hold_up_the_start(tmp_path: Path, kind: str) -> None:
    EmbeddedPostgres.start(tmp_path).stop()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        pid = process.pid if kind == "zombie" else os.getpid()
        if kind == "zombie":
            process.kill()
        elif kind == "nobody":
            process.communicate(b"\n")
            pid = process.pid
        lines = [str(pid), "/proc/self/cwd", "1", "5432", "../run", "", "1 1", "ready"]
        (data_of(tmp_path) / "postmaster.pid").write_text("\n".join(lines) + "\n")
        with EmbeddedPostgres.start(tmp_path) as server:
            assert answers(server.superuser_dsn())
        process.kill()
