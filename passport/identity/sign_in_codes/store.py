"""The statements of handing out sign-in codes, each named for what it does.

https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final (AC-3(2), dual authorization)
"""

from typing import Final

from passport.sql import Prepared

LETS_IN: Final = Prepared(
    """
SELECT EXISTS (SELECT FROM sign_in_code WHERE subject = ANY (%(subjects)s::text[]) AND entered_at IS NOT NULL)
    OR EXISTS (SELECT FROM passkey WHERE subject = ANY (%(subjects)s::text[]))
    OR EXISTS (SELECT FROM federation_link WHERE subject = ANY (%(subjects)s::text[])
        AND (asked_by IS NULL OR confirmed_by IS NOT NULL)) AS entered
""",
    {},
)
"""Whether one of these ever signed in, by a code, a passkey or an account elsewhere."""

END_UNVOUCHED: Final = Prepared(
    """
WITH before AS (
    SELECT login, active FROM sign_in_code
    WHERE subject = ANY (%(subjects)s::text[]) AND role IS NOT DISTINCT FROM %(role)s::text AND NOT vouched
    FOR UPDATE)
UPDATE sign_in_code AS code SET active = false, vouched = true
FROM before WHERE code.login = before.login
RETURNING code.login, code.subject, code.role, before.active AND code.entered_at IS NOT NULL AS used
""",
    {},
)
"""Take back what one operator alone let somebody in by, and whether that was used; once all that leads in by such a
login is ended with it, nothing of one operator's is left there."""

HOLD_PERSON: Final = Prepared("SELECT pg_advisory_xact_lock(%(person)s)", {})
"""Let codes for one person come one by one until the transaction ends: one may end what leads in by another login."""

OPERATORS: Final = Prepared(
    """
SELECT subject FROM sign_in_code WHERE kind = 'operator' AND active AND used_at > %(unused_since)s
UNION SELECT subject FROM passkey WHERE kind = 'operator' AND ended_at IS NULL AND doubted_at IS NULL
UNION SELECT subject FROM federation_link WHERE starts_with(subject, 'operator/') AND ended_at IS NULL
    AND (asked_by IS NULL OR confirmed_by IS NOT NULL)
""",
    {},
)
"""Which operators can sign in, by whatever."""

PROPOSE: Final = Prepared(
    """
INSERT INTO code_proposal (login, secret_hash, kind, subject, role, patient_key, purposes, scopes, person,
    proposed_by, proposed_at, expires_at)
VALUES (%(login)s, %(secret_hash)s, %(kind)s, %(subject)s, %(role)s, %(patient_key)s, %(purposes)s, %(scopes)s,
    %(person)s, %(by)s, %(now)s, %(expires_at)s)
ON CONFLICT (login) DO UPDATE SET secret_hash = excluded.secret_hash, kind = excluded.kind,
    subject = excluded.subject, role = excluded.role, patient_key = excluded.patient_key,
    purposes = excluded.purposes, scopes = excluded.scopes, person = excluded.person,
    proposed_by = excluded.proposed_by, proposed_at = excluded.proposed_at, expires_at = excluded.expires_at
""",
    {},
)
"""Keep a code that waits for another operator, in the place of what waited for this login before."""

_PROPOSED: Final = """login, secret_hash, kind, subject, role, patient_key, purposes, scopes, person, proposed_by,
    proposed_at, expires_at"""

HOLD_PROPOSAL: Final = Prepared(
    f"SELECT {_PROPOSED} FROM code_proposal WHERE login = %(login)s AND expires_at > %(now)s FOR UPDATE", {}
)
"""A code that waits, held until the transaction ends."""

PROPOSALS: Final = Prepared(
    f"""
SELECT {_PROPOSED} FROM code_proposal WHERE expires_at > %(now)s AND login > %(after)s
ORDER BY login LIMIT %(limit)s
""",
    {},
)
"""Codes that wait for another operator, in the order of their logins."""

PROPOSED_FOR: Final = Prepared(
    """
SELECT login, proposed_at FROM code_proposal
WHERE subject = %(subject)s AND expires_at > %(now)s
ORDER BY proposed_at, login
""",
    {},
)
"""Codes that wait for somebody."""

DROP_PROPOSAL: Final = Prepared(
    "DELETE FROM code_proposal WHERE login = %(login)s RETURNING kind, subject", {}
)
"""Let a code wait no more."""

DROP_PROPOSALS_OF_SUBJECT: Final = Prepared("DELETE FROM code_proposal WHERE subject = %(subject)s", {})
"""Let no code wait for somebody."""
