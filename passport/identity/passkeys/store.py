"""The statements of passkeys, each named for what it does.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations
"""

from typing import Final

from passport.sql import Prepared

TAKE_CHALLENGE: Final = Prepared(
    """
WITH forgotten AS (
    -- Now and then; the service may delete no challenge that could still be answered.
    DELETE FROM passkey_challenge WHERE %(tidies)s AND expires_at < clock_timestamp() - interval '1 minute'
)
INSERT INTO passkey_challenge (challenge_hash, expires_at) VALUES (%(challenge_hash)s, %(expires_at)s)
ON CONFLICT DO NOTHING
RETURNING challenge_hash
""",
    {},
)
"""Take the answer to a challenge; nothing comes back when there was one before."""

PUT: Final = Prepared(
    """
INSERT INTO passkey (passkey_id, credential_id, public_key, sign_count, transports, backed_up, name, login, kind,
    subject, role, patient_key, purposes, scopes, registered_at)
VALUES (%(passkey_id)s, %(credential_id)s, %(public_key)s, %(sign_count)s, %(transports)s, %(backed_up)s, %(name)s,
    %(login)s, %(kind)s, %(subject)s, %(role)s, %(patient_key)s, %(purposes)s, %(scopes)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING passkey_id
""",
    {},
)
"""Keep a passkey; nothing comes back where its credential is somebody's already."""

HOLD_PERSON: Final = Prepared("SELECT pg_advisory_xact_lock(%(person)s)", {})
"""Let what one person does to their passkeys come one by one until the transaction ends, so that each is counted."""

_SHOWN: Final = (
    """passkey_id, credential_id, transports, backed_up, name, registered_at, used_at, doubted_at"""
)

OWN: Final = Prepared(
    f"""
SELECT {_SHOWN} FROM passkey
WHERE subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s AND ended_at IS NULL
ORDER BY registered_at, passkey_id
""",
    {},
)
"""The passkeys of a person in a role, the oldest first."""

APPS: Final = Prepared(
    """
SELECT DISTINCT family.passkey_id, client.name
FROM grant_family AS family JOIN client USING (client_id)
WHERE family.passkey_id = ANY (%(passkeys)s::uuid[]) AND family.ended_at IS NULL AND family.expires_at > %(now)s
ORDER BY client.name
""",
    {},
)
"""Which apps were allowed by these passkeys, and go on: they end with them."""

CODES: Final = Prepared(
    """
SELECT count(*) AS codes FROM sign_in_code
WHERE subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s AND active
    AND used_at > %(unused_since)s
""",
    {},
)
"""How many sign-in codes are good for a person in a role."""

# What an operator allows the login now counts.
_ALLOWED: Final = """
    coalesce(code.purposes, passkey.purposes) AS purposes, coalesce(code.scopes, passkey.scopes) AS scopes
FROM passkey LEFT JOIN sign_in_code AS code ON code.login = passkey.login AND code.subject = passkey.subject
    AND code.role IS NOT DISTINCT FROM passkey.role"""

OF_CREDENTIAL: Final = Prepared(
    f"""
SELECT passkey.passkey_id, passkey.public_key, passkey.sign_count, passkey.doubted_at, passkey.login, passkey.kind,
    passkey.subject, passkey.role, passkey.patient_key, {_ALLOWED}
WHERE passkey.credential_id = %(credential_id)s AND passkey.ended_at IS NULL
FOR UPDATE OF passkey
""",
    {},
)
"""Whom a credential signs in; it is neither used nor ended by anybody else until the transaction is over."""

USED: Final = Prepared(
    """
UPDATE passkey SET sign_count = %(sign_count)s, backed_up = %(backed_up)s, used_at = %(now)s
WHERE passkey_id = %(passkey_id)s
""",
    {},
)
"""Note that a passkey was used."""

RENAME: Final = Prepared(
    """
UPDATE passkey SET name = %(name)s
WHERE passkey_id = %(passkey_id)s AND subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s AND ended_at IS NULL
RETURNING passkey_id
""",
    {},
)
"""Call a passkey of one's own something else."""

DOUBT: Final = Prepared("UPDATE passkey SET doubted_at = %(now)s WHERE passkey_id = %(passkey_id)s", {})
"""Note that there may be a copy of a passkey: it signs nobody in from now on."""

REMOVE: Final = Prepared(
    """
UPDATE passkey SET ended_at = %(now)s
WHERE passkey_id = %(passkey_id)s AND subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s
    AND ended_at IS NULL
RETURNING passkey_id
""",
    {},
)
"""Remove a passkey of one's own."""

OWNERS: Final = Prepared(
    "SELECT DISTINCT kind, subject, role FROM passkey WHERE login = %(login)s AND ended_at IS NULL", {}
)
"""Who has a passkey by a login."""

END_OF_ROLE: Final = Prepared(
    """
UPDATE passkey SET ended_at = %(now)s
WHERE subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s AND ended_at IS NULL
""",
    {},
)
"""End the passkeys of a person in a role."""

END_OF_LOGIN: Final = Prepared(
    "UPDATE passkey SET ended_at = %(now)s WHERE login = %(login)s AND ended_at IS NULL RETURNING passkey_id",
    {},
)
"""End the passkeys that were registered by a login."""

END_OF_SUBJECT: Final = Prepared(
    "UPDATE passkey SET ended_at = %(now)s WHERE subject = %(subject)s AND ended_at IS NULL", {}
)
"""End whatever passkeys somebody has."""

LOGINS: Final = Prepared(
    f"""
SELECT DISTINCT ON (passkey.login) passkey.login, passkey.kind, passkey.subject, passkey.role, passkey.patient_key,
    {_ALLOWED}
WHERE passkey.subject = %(subject)s AND (%(login)s::text IS NULL OR passkey.login = %(login)s)
ORDER BY passkey.login, passkey.registered_at DESC
""",
    {},
)
"""By which logins somebody has a passkey, or had one."""

PUT_RECOVERY: Final = Prepared(
    """
INSERT INTO recovery_code (code_hash, concerned_key, login, kind, subject, role, patient_key, purposes, scopes,
    expires_at)
VALUES (%(code_hash)s, %(concerned_key)s, %(login)s, %(kind)s, %(subject)s, %(role)s, %(patient_key)s, %(purposes)s,
    %(scopes)s, %(expires_at)s)
""",
    {},
)
"""Keep the hash of a code to come back by."""

END_RECOVERIES: Final = Prepared(
    """
UPDATE recovery_code SET ended_at = %(now)s
WHERE subject = %(subject)s AND spent_at IS NULL AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End the codes by which somebody could come back."""

SPEND_RECOVERY: Final = Prepared(
    """
UPDATE recovery_code SET spent_at = %(now)s
WHERE code_hash = %(code_hash)s AND spent_at IS NULL AND ended_at IS NULL AND expires_at > %(now)s
RETURNING concerned_key, login, kind, subject, role, patient_key, purposes, scopes
""",
    {},
)
"""Spend a code; nothing comes back where it was spent, ended or is none."""
