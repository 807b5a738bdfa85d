"""Which client got a token that is there already is written down where it is known; where it is not, the token ends."""

from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from passport.database import migrate
from tests.databases import Server

NOW: Final = datetime.now(UTC)
FAMILY: Final = "00000000-0000-0000-0000-000000000001"
BROWSER: Final = "00000000-0000-0000-0000-000000000002"
AHEAD: Final = NOW + timedelta(hours=1)

_CLIENTS: Final = """
INSERT INTO client (client_id, name, subject, profile, redirect_uris, grant_types, auth_method, introspects, jwks,
    purposes, scopes, state, identity_algorithm)
VALUES (%s, 'x', %s, 'smart', '{}', '{}', 'none', false, '{}', '{}', '{}', 'active', 'RS256')
"""
_FAMILY: Final = """
INSERT INTO grant_family (family_id, client_id, kind, subject, scopes, beside, purpose, launch, authenticated_at,
    begun_at, expires_at, methods)
VALUES (%s, 'app', 'practitioner', 'Practitioner/a', '{}', '{}', 'TREAT', '{}', now(), now(), %s, '{}')
"""
_SESSION: Final = """
INSERT INTO session (token_hash, session_id, kind, subject, client, purpose, scopes, issued_at, expires_at, family_id,
    derived_from)
VALUES (%s, gen_random_uuid(), %s, %s, %s, 'TREAT', '{}', now(), %s, %s, %s)
"""

SESSIONS: Final = {
    "of an app": ("practitioner", "Practitioner/a", "Organization/maker", FAMILY, None),
    "exchanged for it": ("practitioner", "Practitioner/a", "Organization/one", FAMILY, FAMILY),
    "of a service": ("service", "Organization/one", None, None, None),
    "of one of two services": ("service", "Organization/two", None, None, None),
    "of a person": ("practitioner", "Practitioner/a", None, None, None),
    "of a person's browser": ("practitioner", "Practitioner/a", None, None, BROWSER),
}


def test_a_token_is_its_clients_or_ends(each_server: Server) -> None:
    database = each_server.empty_database()
    migrate(database.owner_url, revision="0016")
    with psycopg.connect(database.superuser_url) as connection:
        for registered in (
            ("app", "Organization/maker"),
            ("one", "Organization/one"),
            ("two-a", "Organization/two"),
            ("two-b", "Organization/two"),
        ):
            connection.execute(_CLIENTS, registered)
        connection.execute(_FAMILY, (FAMILY, AHEAD))
        for name, (kind, subject, client, family, origin) in SESSIONS.items():
            connection.execute(_SESSION, (name.encode(), kind, subject, client, AHEAD, family, origin))
    migrate(database.owner_url)
    with psycopg.connect(database.superuser_url) as connection:
        found = connection.execute("SELECT token_hash, client_id, ended_at IS NULL FROM session").fetchall()
    assert {bytes(row[0]).decode(): tuple(row[1:]) for row in found} == {
        "of an app": ("app", True),
        "exchanged for it": ("one", True),
        "of a service": ("one", True),
        "of one of two services": (None, False),
        "of a person": (None, True),
        "of a person's browser": (None, True),
    }
