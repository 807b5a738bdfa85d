"""`passport consent evaluate`: a line for a line, whatever is in it, and nothing is left behind."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from passport import installation
from passport.cli import main
from passport.evaluation.lines import answers
from passport.evaluation.store import connected
from tests.databases import Database, Server
from tests.properties.drawn_worlds import drawn_world
from tests.unit.consent.words import ORG_H, TOKYO, deny, permit
from tests.unit.passport.evaluation.tried import consent, resource, world

SHARED = world(consent(permit(ORG_H)), records=[resource("Observation"), resource("Observation", "2", None)])


def evaluated(lines: bytes, *options: str) -> Result:
    return CliRunner().invoke(main, ["consent", "evaluate", *options], input=lines, catch_exceptions=False)


def answered(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files whose path leaves room for a socket's."""
    with TemporaryDirectory() as folder:
        monkeypatch.setattr("tempfile.tempdir", folder)
        yield Path(folder)


def test_each_world_is_answered_in_its_place_on_a_server_of_its_own(short: Path) -> None:
    refused = world(
        consent(deny(data=[("related", "Observation/1")]), "odd"), records=[resource("Observation")]
    )
    lines = [json.dumps(SHARED), "nonsense", "", "{}", json.dumps(refused)]
    result = evaluated("\n".join(lines).encode())
    assert (result.exit_code, result.stderr) == (0, "")
    first, broken, empty, last = answered(result)
    shown = {"Observation/1": "permit", "Observation/2": "deny"}
    assert first == {"reference": shown, "sql": shown, "refused": []}
    assert list(broken) == list(empty) == ["error"]
    assert last["reference"] == last["sql"] == {"Observation/1": "deny"}
    ((told, issue),) = [(each["consent"], each["issue"]) for each in last["refused"]]
    assert told == "odd"
    assert "Consent.provision.data[0].reference" in issue
    assert list(short.glob("passport-evaluate-*")) == []


def test_an_installation_lends_its_server_and_nothing_of_it_is_read_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    installation.initialise(tmp_path, "demo")
    monkeypatch.setenv("PASSPORT_DATABASE_URL", database.service_url)
    result = evaluated(json.dumps(SHARED).encode(), "--state", str(tmp_path))
    assert result.exit_code == 0
    assert answered(result)[0]["sql"] == {"Observation/1": "permit", "Observation/2": "deny"}
    with psycopg.connect(database.superuser_url) as connection:
        for table in ("consent_grant", "consent_node", "membership", "resource", "audit_event"):
            statement = psycopg.sql.SQL("SELECT count(*) FROM {}").format(psycopg.sql.Identifier(table))
            assert connection.execute(statement).fetchone() == (0,)


def test_a_folder_that_is_no_installation_is_told_so(tmp_path: Path) -> None:
    result = evaluated(b"", "--state", str(tmp_path))
    assert result.exit_code == 1
    assert "is no installation" in result.stderr


def test_a_line_is_answered_before_the_next_one_comes(server: Server) -> None:
    """Whoever writes a world and waits for its answer gets it."""
    asked = json.dumps(SHARED).encode() + b"\n"

    class Conversation(BytesIO):
        heard = 0

        def read1(self, size: int | None = -1, /) -> bytes:
            assert self.heard == len(told)
            self.heard += 1
            return asked if self.heard < 4 else b""

    told: list[bytes] = []
    with connected(server.superuser_url) as connection:
        for answer in answers(Conversation(), connection, bytes(32), TOKYO):
            told.append(answer.line)
    assert len(told) == 3


def test_a_line_may_come_in_pieces_and_the_last_one_without_an_end(server: Server) -> None:
    text = b"\r\n".join(json.dumps(drawn_world(seed)).encode() for seed in range(4))

    class Pieces(BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            return super().read1(1_000)

    with connected(server.superuser_url) as connection:
        whole = list(answers(BytesIO(text), connection, bytes(32), TOKYO))
        assert list(answers(Pieces(text), connection, bytes(32), TOKYO)) == whole
    assert len(whole) == 4


def test_a_world_that_the_server_refuses_spoils_no_other(server: Server) -> None:
    large = world(consent(permit(ORG_H)), records=[resource("Observation", str(n)) for n in range(3_000)])
    lines = b"\n".join(json.dumps(each).encode() for each in (SHARED, large, SHARED))
    with connected(server.superuser_url) as connection:
        # So little memory, and no room beside it.
        connection.execute("SET work_mem = '64kB'")
        connection.execute("SET temp_file_limit = 0")
        told = [json.loads(each.line) for each in answers(BytesIO(lines), connection, bytes(32), TOKYO)]
    assert "`53400` from PostgreSQL" in told[1]["error"]
    assert told[0] == told[2]
    assert told[0]["sql"]["Observation/1"] == "permit"


def test_the_trial_writes_nothing_whatever_its_role_may(server: Server) -> None:
    with connected(server.superuser_url) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("CREATE TABLE anything (x int)")
