"""Forgetting what is over: sessions, codes and tokens that nobody can use any more, a batch at a time.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14

What is spent stays as long as its family goes on, since it tells a thief from an owner when it comes again; families
stay. The session of an emergency opening stays with the opening. A row of the log names by itself who asked, as what
and by which scopes, so it needs no session. The database lets it remove nothing else (migrations 0010, 0014, 0016).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from passport.sql import Prepared

AFTER: Final = timedelta(days=1)
"""How long after its end anything is removed: longer than clocks differ, and whatever was begun by it is over."""

BATCH: Final = 1_000
"""Rows that one statement removes, so that it holds nobody up."""

_FAMILY_OVER: Final = """EXISTS (SELECT FROM grant_family AS family
    WHERE family.family_id = over.family_id AND least(family.ended_at, family.expires_at) < %(before)s)"""

_OVER: Final[Mapping[str, str]] = {
    "session": "over.expires_at < %(before)s AND over.opened_patient_key IS NULL",
    "login_session": "least(over.ended_at, over.expires_at) < %(before)s",
    "authorization_code": f"over.expires_at < %(before)s AND (over.spent_at IS NULL OR {_FAMILY_OVER})",
    "refresh_token": _FAMILY_OVER,
    "pushed_request": "over.expires_at < %(before)s",
    "device_authorization": f"over.expires_at < %(before)s AND (over.spent_at IS NULL OR {_FAMILY_OVER})",
    "launch_context": "over.expires_at < %(before)s",
    "client_assertion": "over.expires_at < %(before)s",
    "proof_seen": "over.expires_at < %(before)s",
    "client_proposal": "over.expires_at < %(before)s",
    "code_proposal": "over.expires_at < %(before)s",
    "recovery_code": "over.expires_at < %(before)s",
    # The last one tells by which login its person comes back.
    "passkey": """over.ended_at < %(before)s AND EXISTS (SELECT FROM passkey AS later
        WHERE later.login = over.login AND later.subject = over.subject AND later.role IS NOT DISTINCT FROM over.role
            AND later.registered_at > over.registered_at)""",
}

FORGET: Final[Mapping[str, Prepared]] = {
    table: Prepared(
        f"""
DELETE FROM {table} WHERE ctid = ANY (ARRAY (
    SELECT over.ctid FROM {table} AS over WHERE {condition} LIMIT %(limit)s))
""",
        {},
    )
    for table, condition in _OVER.items()
}
"""Remove some of what was over `before` then, of each table."""
