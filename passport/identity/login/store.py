"""The statements of browser sessions, each named for what it does.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec5
"""

from typing import Final

from passport.sql import Prepared

OPEN: Final = Prepared(
    """
INSERT INTO login_session (cookie_hash, login_id, login, kind, subject, role, patient_key, purposes, scopes, methods,
    authenticated_at, second_factor_at, seen_at, expires_at, limited_to,
    passkey_id)
VALUES (%(cookie_hash)s, %(login_id)s, %(login)s, %(kind)s, %(subject)s, %(role)s, %(patient_key)s, %(purposes)s,
    %(scopes)s, %(methods)s, %(now)s, %(second_factor_at)s, %(now)s, %(expires_at)s, %(limited_to)s,
    %(passkey_id)s::uuid)
""",
    {},
)
"""Begin a browser session."""

SEEN: Final = Prepared(
    """
UPDATE login_session SET seen_at = %(now)s
WHERE cookie_hash = %(cookie_hash)s AND ended_at IS NULL AND expires_at > %(now)s AND seen_at > %(idle_since)s
    AND (limited_to IS NULL OR limited_to = %(limited_to)s::text)
RETURNING login_id, login, kind, subject, role, patient_key, purposes, scopes, methods, authenticated_at,
    second_factor_at, limited_to
""",
    {},
)
"""Whose browser session it is, which goes on by being asked."""

NAME_BROWSER: Final = Prepared(
    "UPDATE login_session SET browser = %(browser)s WHERE login_id = %(login_id)s", {}
)
"""Note at what kind of browser a session is."""

END: Final = Prepared(
    """
UPDATE login_session SET ended_at = %(now)s
WHERE cookie_hash = %(cookie_hash)s AND ended_at IS NULL AND expires_at > %(now)s
RETURNING login_id, kind, subject, role, patient_key
""",
    {},
)
"""End one browser session."""

END_OF_ROLE: Final = Prepared(
    """
UPDATE login_session SET ended_at = %(now)s
WHERE subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End the browser sessions that a person has in a role."""

END_OF_SUBJECT: Final = Prepared(
    """
UPDATE login_session SET ended_at = %(now)s
WHERE subject = %(subject)s AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End whatever browser sessions somebody has."""

END_OF_PASSKEY: Final = Prepared(
    """
UPDATE login_session SET ended_at = %(now)s
WHERE passkey_id = %(passkey_id)s AND login_id IS DISTINCT FROM %(but)s::uuid
    AND ended_at IS NULL AND expires_at > %(now)s
RETURNING login_id
""",
    {},
)
"""End the browser sessions that began by a passkey, but for the one in which that is asked for."""

HOLD_LOGIN: Final = Prepared("SELECT subject, role FROM sign_in_code WHERE login = %(login)s FOR UPDATE", {})
"""Whose a login is that has a code, or had one; nobody else gives it another until the transaction is over."""

ALLOWED_NOW: Final = Prepared(
    """
SELECT purposes, scopes FROM sign_in_code
WHERE subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s
    AND login = coalesce((SELECT login FROM login_session WHERE login_id = %(login_id)s::uuid), login)
""",
    {},
)
"""What an operator allows now the login that a browser session was of; once that session is forgotten, any login of the
same person in the same role."""
