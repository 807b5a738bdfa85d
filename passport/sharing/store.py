"""The statements of sharing, each named for what it does.

https://www.postgresql.org/docs/current/transaction-iso.html
"""

from typing import Final

from passport.sql import Prepared

HOLD: Final = Prepared("SELECT pg_advisory_xact_lock(%(key)s)", {})
"""Let what one caller tries come one by one until the transaction ends, so that each try is counted."""

PATIENT: Final = Prepared(
    "SELECT patient_key, patient_id, wrapped_key FROM patient WHERE patient_key = %(patient_key)s", {}
)
"""Who somebody is by their key, and what opens what is sealed for them."""

FORMER_CODE: Final = Prepared(
    """
SELECT code_id, token_hash FROM sharing_code
WHERE patient_key = %(patient_key)s AND kind = %(kind)s
FOR UPDATE
""",
    {},
)
"""The code that a new one takes the place of."""

PUT_CODE: Final = Prepared(
    """
INSERT INTO sharing_code (patient_key, kind, code_id, code_hash, token_hash, terms, expires_at)
VALUES (%(patient_key)s, %(kind)s, %(code_id)s, %(code_hash)s, %(token_hash)s, %(terms)s, %(expires_at)s)
ON CONFLICT (patient_key, kind) DO UPDATE SET code_id = excluded.code_id, code_hash = excluded.code_hash,
    token_hash = excluded.token_hash, terms = excluded.terms, expires_at = excluded.expires_at,
    organization = NULL, consent_id = NULL
""",
    {},
)
"""Let a person show this code, in the place of the one before."""

END_CODE: Final = Prepared(
    """
UPDATE sharing_code SET expires_at = '-infinity'
WHERE patient_key = %(patient_key)s AND code_id = %(code_id)s AND expires_at > %(now)s AND organization IS NULL
RETURNING token_hash
""",
    {},
)
"""Take a code back, for whoever looked at it before as well; nothing comes back where it was used, or is over."""

SHOWN_BY: Final = Prepared(
    """
SELECT patient.patient_id FROM sharing_code JOIN patient USING (patient_key)
WHERE code_hash = %(code_hash)s AND kind = %(kind)s AND expires_at > %(now)s
LIMIT 2
""",
    {},
)
"""Who shows a code."""

REDEEMABLE: Final = Prepared(
    """
SELECT sharing_code.patient_key, patient.patient_id, code_id, token_hash, consent_id
FROM sharing_code JOIN patient USING (patient_key)
WHERE code_hash = %(code_hash)s AND kind = %(kind)s AND expires_at > %(now)s
    AND (organization IS NULL OR organization = %(organization)s)
LIMIT 2
""",
    {},
)
"""The code that an organization may redeem, or has redeemed."""

REDEEM: Final = Prepared(
    """
UPDATE sharing_code SET organization = %(organization)s, consent_id = %(consent_id)s
WHERE patient_key = %(patient_key)s AND code_id = %(code_id)s AND expires_at > %(now)s AND organization IS NULL
RETURNING code_hash, terms
""",
    {},
)
"""Redeem a code; of any number at once the first gets it, and the others nothing."""

TAKEN_BACK: Final = "taken-back"
"""What a request says whose requester took it back; Consents have no status for that."""

ASKED_LATELY: Final = Prepared(
    "SELECT count(*) AS asked FROM sharing_request WHERE requester = %(requester)s AND asked_at > %(since)s",
    {},
)
"""How much one requester asked for lately."""

ASK: Final = Prepared(
    """
INSERT INTO sharing_request (requester, consent_key, consent_id, status, asked_at, ends_at)
VALUES (%(requester)s, %(consent_key)s, %(consent_id)s, 'proposed', %(now)s, %(ends_at)s)
""",
    {},
)
"""Keep what a requester may know of a request, whichever way it was put."""

FOLLOW: Final = Prepared(
    """
UPDATE sharing_request SET status = %(status)s, ends_at = %(ends_at)s WHERE consent_key = %(consent_key)s
""",
    {},
)
"""Let a request say what its Consent says now; it changes nothing where nobody asked for that Consent."""

REQUESTS: Final = Prepared(
    """
SELECT consent_id, status, asked_at, ends_at FROM sharing_request
WHERE requester = %(requester)s
ORDER BY asked_at DESC, consent_key
LIMIT %(limit)s
""",
    {},
)
"""What one requester asked for, the newest first."""

REQUEST: Final = Prepared(
    """
SELECT consent_id, status, asked_at, ends_at FROM sharing_request
WHERE requester = %(requester)s AND consent_key = %(consent_key)s
""",
    {},
)
"""One of them."""
