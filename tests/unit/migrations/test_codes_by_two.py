"""A code that waited still waits, beside none that is good; who has one counts as somebody who signed in by it."""

from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from passport.database import migrate
from tests.databases import Server

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
LOGIN: Final = "00000000-0000-0000-0000-000000000001"
PASSKEY: Final = "00000000-0000-0000-0000-000000000002"

_CODE: Final = """
INSERT INTO sign_in_code (login, secret_hash, kind, subject, role, purposes, scopes, active, handed_by, used_at)
VALUES (%s, %s, 'operator', %s, 'operator', '{HOPERAT}', '{}', %s, %s, %s)
"""
_SESSION: Final = """
INSERT INTO login_session (cookie_hash, login_id, login, kind, subject, purposes, scopes, methods, authenticated_at,
    seen_at, expires_at, passkey_id)
VALUES ('', %s, 'a', 'patient', 'Patient/a', '{}', '{}', '{passkey}', now(), now(), now(), %s)
"""
_FAMILY: Final = """
INSERT INTO grant_family (family_id, client_id, kind, subject, scopes, beside, purpose, launch, login_id,
    authenticated_at, begun_at, expires_at, methods)
VALUES (gen_random_uuid(), 'app', 'patient', 'Patient/a', '{}', '{}', 'PATRQT', '{}', %s, now(), now(), now(),
    '{passkey}')
"""


def test_what_waits_goes_on_waiting_and_what_is_good_counts_as_used(each_server: Server) -> None:
    database = each_server.empty_database()
    migrate(database.owner_url, revision="0014")
    with psycopg.connect(database.superuser_url) as connection:
        for login, active, handed_by in (
            ("good", True, None),
            ("waits", True, "operator/a"),
            ("gone", False, None),
        ):
            values = (login, f"hash of {login}", f"operator/{login}", active, handed_by, NOW)
            connection.execute(_CODE, values)
        connection.execute(_SESSION, (LOGIN, PASSKEY))
        connection.execute(_FAMILY, (LOGIN,))
    migrate(database.owner_url)
    with psycopg.connect(database.superuser_url) as connection:
        codes = connection.execute("SELECT login, active, entered_at FROM sign_in_code").fetchall()
        waiting = connection.execute(
            "SELECT login, secret_hash, subject, proposed_by, proposed_at, expires_at FROM code_proposal"
        ).fetchall()
        allowed = connection.execute("SELECT passkey_id::text FROM grant_family").fetchall()
    assert set(codes) == {("good", True, NOW), ("waits", False, NOW), ("gone", False, NOW)}
    assert waiting == [
        ("waits", "hash of waits", "operator/waits", "operator/a", NOW, NOW + timedelta(days=14))
    ]
    assert allowed == [(PASSKEY,)]
