"""The statements of what somebody has open, each named for what it does.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec5

`subjects` are all registrations of one person; nobody is ever asked about another one.
"""

from typing import Final

from passport.sql import Prepared

OWN_SIGN_IN: Final = Prepared(
    "SELECT family_id IS NULL AS own, authenticated_at FROM session WHERE session_id = %(session_id)s", {}
)
"""Whether a session is of a person themselves, not of what they allowed an app, and when they proved who they are."""

BROWSERS: Final = Prepared(
    """
SELECT login_id, role, methods, authenticated_at, seen_at, expires_at, browser FROM login_session
WHERE subject = ANY (%(subjects)s::text[]) AND ended_at IS NULL AND expires_at > %(now)s
    AND seen_at > %(idle_since)s::timestamptz
ORDER BY authenticated_at DESC, login_id
""",
    {},
)
"""The browsers at which somebody is signed in."""

APPS: Final = Prepared(
    """
SELECT family.family_id, client.client_id, client.name, family.role, family.scopes, family.beside, family.purpose,
    family.begun_at, family.expires_at
FROM grant_family AS family JOIN client USING (client_id)
WHERE family.subject = ANY (%(subjects)s::text[]) AND family.ended_at IS NULL AND family.expires_at > %(now)s
ORDER BY family.begun_at DESC, family.family_id
""",
    {},
)
"""What somebody allowed apps, as long as it goes on."""

SESSIONS: Final = Prepared(
    """
SELECT session_id, role, client, purpose, issued_at, expires_at, opened_patient_key IS NOT NULL AS emergency
FROM session
WHERE subject = ANY (%(subjects)s::text[]) AND ended_at IS NULL AND expires_at > %(now)s
    AND (opened_patient_key IS NOT NULL OR family_id IS NULL
        AND NOT EXISTS (SELECT FROM login_session WHERE login_id = session.derived_from))
ORDER BY issued_at DESC, session_id
""",
    {},
)
"""Sign-ins by a code, tasks that go on for somebody, services that act for them, and emergency openings.

The tokens of the passport's own pages are those of a browser that is listed, and end with it; so do an app's with the
app. An opening is listed by itself, whatever it was made by.
"""

END_BROWSER: Final = Prepared(
    """
UPDATE login_session SET ended_at = %(now)s
WHERE login_id = %(id)s AND subject = ANY (%(subjects)s::text[]) AND ended_at IS NULL AND expires_at > %(now)s
RETURNING login_id
""",
    {},
)
"""End one's own sign-in at a browser."""

OWN_APP: Final = Prepared(
    """
SELECT family_id FROM grant_family
WHERE family_id = %(id)s AND subject = ANY (%(subjects)s::text[]) AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""Whether this is what oneself allowed an app."""

END_SESSION: Final = Prepared(
    """
UPDATE session SET ended_at = %(now)s
WHERE session_id = %(id)s AND subject = ANY (%(subjects)s::text[])
    AND (family_id IS NULL OR opened_patient_key IS NOT NULL) AND ended_at IS NULL AND expires_at > %(now)s
RETURNING opened_patient_key IS NOT NULL AS emergency
""",
    {},
)
"""End one of one's own sessions."""
