"""What is over is removed a batch at a time, and what still tells a thief from an owner is not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from passport.identity.forgetting.store import FORGET
from tests.databases import Database
from workers.app import create_app
from workers.relay import Relay

NOW: Final = datetime.now(UTC)
AGO, LATELY, AHEAD = NOW - timedelta(days=3), NOW - timedelta(hours=2), NOW + timedelta(hours=2)
OVER, ENDED_LATELY, GOING = (UUID(int=at) for at in (1, 2, 3))

_FAMILIES: Final = """
INSERT INTO grant_family (family_id, client_id, kind, subject, scopes, beside, purpose, launch, authenticated_at,
    begun_at, expires_at, ended_at, methods)
VALUES (%s, 'app', 'patient', 'Patient/a', '{}', '{}', 'PATRQT', '{}', now(), now(), %s, %s, '{}')
"""
_CODES: Final = """
INSERT INTO authorization_code (code_hash, family_id, client_id, redirect_uri, challenge, expires_at, spent_at)
VALUES (%s, %s, 'app', '', '', %s, %s)
"""
_REFRESHES: Final = """
INSERT INTO refresh_token (token_hash, family_id, client_id, issued_at, spent_at) VALUES (%s, %s, 'app', %s, %s)
"""
_DEVICES: Final = """
INSERT INTO device_authorization (device_hash, user_code_hash, client_id, scope, expires_at, interval_seconds,
    family_id, spent_at)
VALUES (%s, %s, 'app', '', %s, 5, %s, %s)
"""
_SESSIONS: Final = """
INSERT INTO session (token_hash, session_id, kind, subject, purpose, scopes, issued_at, expires_at, ended_at,
    opened_patient_key)
VALUES (%s, gen_random_uuid(), 'patient', 'Patient/a', 'PATRQT', '{}', now(), %s, %s, %s)
"""
_LOGINS: Final = """
INSERT INTO login_session (cookie_hash, login_id, login, kind, subject, purposes, scopes, methods, authenticated_at,
    seen_at, expires_at, ended_at)
VALUES (%s, gen_random_uuid(), 'a', 'patient', 'Patient/a', '{}', '{}', '{}', now(), now(), %s, %s)
"""
_PUSHED: Final = """
INSERT INTO pushed_request (request_hash, client_id, parameters, expires_at) VALUES (%s, 'app', '{}', %s)
"""
_LAUNCHES: Final = """
INSERT INTO launch_context (launch_hash, subject, context, expires_at) VALUES (%s, 'Practitioner/a', '{}', %s)
"""
_ASSERTIONS: Final = "INSERT INTO client_assertion (client_id, jti, expires_at) VALUES ('app', %s, %s)"
_PROOFS: Final = "INSERT INTO proof_seen (proof_hash, expires_at) VALUES (%s, %s)"

_PROPOSALS: Final = """
INSERT INTO client_proposal (client_id, registration, proposed_by, proposed_at, expires_at)
VALUES (%s, '{}', 'operator/a', now(), %s)
"""
_CODE_PROPOSALS: Final = """
INSERT INTO code_proposal (login, secret_hash, kind, subject, purposes, scopes, proposed_by, proposed_at, expires_at)
VALUES (%s, '', 'patient', 'Patient/a', '{}', '{}', 'operator/a', now(), %s)
"""
_RECOVERIES: Final = """
INSERT INTO recovery_code (code_hash, concerned_key, login, kind, subject, purposes, scopes, expires_at)
VALUES (%s, 1, 'a', 'patient', 'Patient/a', '{}', '{}', %s)
"""
_PASSKEYS: Final = """
INSERT INTO passkey (passkey_id, credential_id, public_key, sign_count, transports, backed_up, name, login, kind,
    subject, purposes, scopes, registered_at, ended_at)
VALUES (gen_random_uuid(), %s, '', 0, '{}', false, 'x', %s, 'patient', 'Patient/a', '{}', '{}', %s, %s)
"""

ROWS: Final[tuple[tuple[str, list[tuple[Any, ...]]], ...]] = (
    (_FAMILIES, [(OVER, AHEAD, AGO), (ENDED_LATELY, AHEAD, LATELY), (GOING, AHEAD, None)]),
    (
        _CODES,
        [
            (b"over", OVER, AGO, AGO),
            (b"never redeemed", GOING, AGO, None),
            (b"kept: spent", GOING, AGO, AGO),
            (b"kept: ended lately", ENDED_LATELY, AGO, AGO),
            (b"kept: new", GOING, AHEAD, None),
        ],
    ),
    (
        _REFRESHES,
        [
            (b"over", OVER, AGO, AGO),
            (b"over, unspent", OVER, AGO, None),
            (b"kept: spent", GOING, AGO, AGO),
            (b"kept", GOING, AGO, None),
            (b"kept: ended lately", ENDED_LATELY, AGO, AGO),
        ],
    ),
    (
        _DEVICES,
        [
            (b"over", b"1", AGO, OVER, AGO),
            (b"never allowed", b"2", AGO, None, None),
            (b"kept: spent", b"3", AGO, GOING, AGO),
            (b"kept: new", b"4", AHEAD, None, None),
        ],
    ),
    (
        _SESSIONS,
        [
            (b"over", AGO, None, None),
            (b"kept: an opening", AGO, None, 7),
            (b"kept: lately", LATELY, None, None),
            (b"kept: ended early", AHEAD, AGO, None),
        ],
    ),
    (_LOGINS, [(b"over", AGO, None), (b"signed out", AHEAD, AGO), (b"kept", AHEAD, None)]),
    (_PUSHED, [(b"over", AGO), (b"kept", AHEAD)]),
    (_LAUNCHES, [(b"over", AGO), (b"kept", AHEAD)]),
    (_ASSERTIONS, [("over", AGO), ("kept", AHEAD)]),
    (_PROOFS, [(b"over", AGO), (b"kept", AHEAD)]),
    (_PROPOSALS, [("over", AGO), ("kept", AHEAD)]),
    (_CODE_PROPOSALS, [("over", AGO), ("kept", AHEAD)]),
    (_RECOVERIES, [(b"over", AGO), (b"kept", AHEAD)]),
    (
        _PASSKEYS,
        [
            (b"over", "a", AGO, AGO),
            (b"kept: ended lately", "a", AGO, LATELY),
            (b"kept: in use", "a", LATELY, None),
        ],
    ),
)
_NAMED_BY: Final = {
    "session": "token_hash",
    "login_session": "cookie_hash",
    "authorization_code": "code_hash",
    "refresh_token": "token_hash",
    "pushed_request": "request_hash",
    "device_authorization": "device_hash",
    "launch_context": "launch_hash",
    "client_assertion": "jti",
    "proof_seen": "proof_hash",
    "client_proposal": "client_id",
    "code_proposal": "login",
    "recovery_code": "code_hash",
    "passkey": "credential_id",
}


@pytest.fixture
def filled(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The service's own connection to a database in which some of everything is over."""
    with psycopg.connect(database.superuser_url) as connection:
        for statement, rows in ROWS:
            connection.cursor().executemany(statement, rows)
    with psycopg.connect(database.service_url, autocommit=True) as connection:
        yield connection


def left(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    found = {}
    for table, column in _NAMED_BY.items():
        rows = connection.execute(f"SELECT {column} FROM {table}".encode()).fetchall()
        found[table] = sorted(name if isinstance(name, str) else name.decode() for (name,) in rows)
    return found


def test_what_is_over_is_removed_and_what_may_come_again_is_known(
    database: Database, broker_url: str, filled: psycopg.Connection[Any]
) -> None:
    assert FORGET.keys() == _NAMED_BY.keys()
    app = create_app(broker_url, resend_seconds=60)
    relay = Relay(app, database.service_url, 60, lambda: NOW)
    assert relay.forget(filled) is False
    app.close()
    assert all(name.startswith("kept") for names in left(filled).values() for name in names)
    assert {table: len(names) for table, names in left(filled).items()} == {
        "session": 3,
        "login_session": 1,
        "authorization_code": 3,
        "refresh_token": 3,
        "pushed_request": 1,
        "device_authorization": 2,
        "launch_context": 1,
        "client_assertion": 1,
        "proof_seen": 1,
        "client_proposal": 1,
        "code_proposal": 1,
        "recovery_code": 1,
        "passkey": 2,
    }
    assert filled.execute("SELECT count(*) FROM grant_family").fetchone() == (3,)


def test_one_statement_removes_no_more_than_a_batch(filled: psycopg.Connection[Any]) -> None:
    removing = FORGET["refresh_token"].text
    removed = [filled.execute(removing, {"before": LATELY, "limit": 1}).rowcount for _ in range(3)]
    assert removed == [1, 1, 0]


def test_the_last_passkey_of_a_login_stays_since_its_person_comes_back_by_it(
    database: Database, filled: psycopg.Connection[Any]
) -> None:
    for name, began in ((b"former", AGO - timedelta(days=1)), (b"kept: the last", AGO)):
        filled.execute(_PASSKEYS, (name, "b", began, AGO))
    filled.execute(FORGET["passkey"].text, {"before": LATELY - timedelta(days=1), "limit": 10})
    names = left(filled)["passkey"]
    assert (("former" in names), ("kept: the last" in names)) == (False, True)


# A proposal is dropped by whoever declines it, before it is over.
@pytest.mark.parametrize("table", sorted(set(_NAMED_BY) - {"session", "client_proposal", "code_proposal"}))
def test_the_service_cannot_remove_what_is_not_over(filled: psycopg.Connection[Any], table: str) -> None:
    before = {name for name in left(filled)[table] if name.startswith("kept")}
    filled.execute(f"DELETE FROM {table}".encode())
    assert before == set(left(filled)[table])
