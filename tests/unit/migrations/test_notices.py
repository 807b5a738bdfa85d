"""What the former version promised to tell and had not told yet is told by the migration, and nothing else."""

from typing import Any, Final

import psycopg

from passport.database import migrate
from tests.databases import Server

_PROMISED: Final = """
    INSERT INTO outbox (patient_key, outbox_id, task, arguments, created_at, due_at, done_at, attempts, failure)
    VALUES
        (7, '00000000-0000-0000-0000-000000000001', 'notify', {about}, '2031-01-01', '2031-01-01', NULL, 0, NULL),
        (7, '00000000-0000-0000-0000-000000000002', 'notify', {about}, '2031-01-02', '2031-01-03', NULL, 3, 'x'),
        (7, '00000000-0000-0000-0000-000000000003', 'notify', {about}, '2031-01-03', '2031-01-03', '2031-01-04',
            10, 'gave up after 10 attempts: x'),
        (8, '00000000-0000-0000-0000-000000000004', 'notify', {about}, '2031-01-04', '2031-01-04', '2031-01-04',
            1, NULL),
        (8, '00000000-0000-0000-0000-000000000005', 'import', '{{}}', '2031-01-05', '2031-01-05', NULL, 0, NULL),
        (8, '00000000-0000-0000-0000-000000000006', 'import', '{{}}', '2031-01-06', '2031-01-06', '2031-01-07',
            10, 'gave up after 10 attempts: x')
""".format(about="""'{"kind": "emergency-opened", "about": {"by": "Practitioner/e"}}'""")


def last_digits(rows: list[Any]) -> list[int]:
    return sorted(row[0].int for row in rows)


def test_what_was_promised_and_not_told_is_told_by_the_migration(each_server: Server) -> None:
    database = each_server.empty_database()
    migrate(database.owner_url, revision="0003")
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute(_PROMISED)
    migrate(database.owner_url)
    with psycopg.connect(database.superuser_url) as connection:
        told = connection.execute(
            "SELECT notification_id, patient_key, kind, about, created_at::date::text FROM notification ORDER BY 1"
        ).fetchall()
        waiting = connection.execute("SELECT outbox_id FROM outbox WHERE done_at IS NULL").fetchall()
        failed = connection.execute("SELECT outbox_id FROM outbox WHERE failure IS NOT NULL").fetchall()
    assert [(row[0].int, *row[1:]) for row in told] == [
        (number, 7, "emergency-opened", {"by": "Practitioner/e"}, f"2031-01-0{number}")
        for number in (1, 2, 3)
    ]
    assert last_digits(waiting) == [5]
    assert last_digits(failed) == [6]
