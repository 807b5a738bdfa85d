"""The broker's schema: usable by its role on every server, and of no other use."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from passport.database import BROKER_ROLE, SERVICE_ROLE, migrate
from tests.databases import Database

PATIENTS_TABLES = ("resource", "outbox", "import_job", "notification", "session", "patient")


def as_role(database: Database, role: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(make_conninfo(database.superuser_url, user=role), autocommit=True)


def test_broker_role_sends_reads_and_removes_messages(each_database: Database) -> None:
    with as_role(each_database, BROKER_ROLE) as broker:
        broker.execute("SELECT pgmq.create('passport')")
        broker.execute("SELECT pgmq.create('passport')")
        broker.execute("""SELECT pgmq.send('passport', '{"row": 1}'::jsonb)""")
        (message,) = broker.execute("SELECT msg_id, message FROM pgmq.read('passport', 30, 1)").fetchall()
        removed = broker.execute("SELECT pgmq.delete('passport', %s::bigint)", (message[0],)).fetchone()
    assert message[1] == {"row": 1}
    assert removed == (True,)


@pytest.mark.parametrize("table", PATIENTS_TABLES)
def test_broker_role_has_no_right_on_patients_tables(database: Database, table: str) -> None:
    with as_role(database, BROKER_ROLE) as broker, pytest.raises(psycopg.errors.InsufficientPrivilege):
        broker.execute(f"SELECT 1 FROM public.{table}")


def test_broker_role_cannot_replace_what_the_owner_installed(database: Database) -> None:
    replacement = """
        CREATE OR REPLACE FUNCTION pgmq.acquire_queue_lock(queue_name text) RETURNS void
        LANGUAGE plpgsql AS 'BEGIN END'
    """
    with as_role(database, BROKER_ROLE) as broker, pytest.raises(psycopg.errors.InsufficientPrivilege):
        broker.execute(replacement)


def test_service_role_sees_no_queue(database: Database) -> None:
    with as_role(database, SERVICE_ROLE) as service, pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute("SELECT * FROM pgmq.meta")


def test_migrating_twice_changes_nothing(each_database: Database) -> None:
    migrate(each_database.owner_url)
    with as_role(each_database, BROKER_ROLE) as broker:
        broker.execute("SELECT pgmq.create('passport')")
