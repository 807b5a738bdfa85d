"""The statements of the authorization server, each named for what it does.

https://www.rfc-editor.org/rfc/rfc6749

What is good once is spent by an update of what was not spent: of fifty at one instant one gets a row back. What was
spent stays, so that it is known when it comes again.
"""

from typing import Final

from passport.sql import Prepared

BEGIN_FAMILY: Final = Prepared(
    """
INSERT INTO grant_family (family_id, client_id, kind, subject, role, patient_key, scopes, beside, purpose, nonce,
    launch, login_id, confirmation, authenticated_at, begun_at, expires_at, methods, passkey_id)
VALUES (%(family_id)s, %(client_id)s, %(kind)s, %(subject)s, %(role)s, %(patient_key)s, %(scopes)s, %(beside)s,
    %(purpose)s, %(nonce)s, %(launch)s, %(login_id)s::uuid, %(confirmation)s::bytea, %(authenticated_at)s, %(now)s,
    %(expires_at)s, coalesce((SELECT methods FROM login_session WHERE login_id = %(login_id)s::uuid), '{}'),
    (SELECT passkey_id FROM login_session WHERE login_id = %(login_id)s::uuid))
""",
    {},
)
"""Begin a family of tokens: what one person allowed one client, recognised by what began their browser session."""

HOLD_FAMILY: Final = Prepared(
    """
SELECT family_id, client_id, kind, subject, role, patient_key, scopes, beside, purpose, nonce, launch, login_id,
    confirmation, authenticated_at, begun_at, expires_at
FROM grant_family
WHERE family_id = %(family_id)s AND ended_at IS NULL AND expires_at > %(now)s
FOR UPDATE
""",
    {},
)
"""A family that goes on; it cannot be ended until the transaction is over."""

BIND_FAMILY: Final = Prepared(
    "UPDATE grant_family SET confirmation = %(confirmation)s WHERE family_id = %(family_id)s", {}
)
"""Note the key that the tokens of a family belong to."""

END_FAMILY: Final = Prepared(
    """
UPDATE grant_family SET ended_at = %(now)s WHERE family_id = %(family_id)s AND ended_at IS NULL
RETURNING family_id, kind, subject
""",
    {},
)
"""End a family."""

END_FAMILIES_OF_LOGIN: Final = Prepared(
    """
UPDATE grant_family SET ended_at = %(now)s
WHERE login_id = %(login_id)s AND 'offline_access' <> ALL (beside) AND ended_at IS NULL
RETURNING family_id
""",
    {},
)
"""End what goes on only as long as its person is signed in at the browser."""

END_FAMILIES_OF_ROLE: Final = Prepared(
    """
UPDATE grant_family SET ended_at = %(now)s
WHERE subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s AND ended_at IS NULL
RETURNING family_id
""",
    {},
)
"""End what a person allowed in a role."""

END_FAMILIES_OF_SUBJECT: Final = Prepared(
    """
UPDATE grant_family SET ended_at = %(now)s WHERE subject = %(subject)s AND ended_at IS NULL
RETURNING family_id
""",
    {},
)
"""End what somebody allowed."""

END_FAMILIES_BY: Final = Prepared(
    """
UPDATE grant_family SET ended_at = %(now)s
WHERE methods = ARRAY[%(method)s]::text[] AND (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND ended_at IS NULL AND expires_at > %(now)s
RETURNING family_id
""",
    {},
)
"""End what people allowed, or one of them, who had been recognised by this alone, offline access included."""

END_FAMILIES_OF_PASSKEY: Final = Prepared(
    """
UPDATE grant_family SET ended_at = %(now)s
WHERE passkey_id = %(passkey_id)s AND ended_at IS NULL AND expires_at > %(now)s
RETURNING family_id
""",
    {},
)
"""End what somebody allowed who had been recognised by a passkey, offline access included."""

END_SESSIONS_OF_FAMILIES: Final = Prepared(
    """
UPDATE session SET ended_at = %(now)s
WHERE (family_id = ANY (%(families)s::uuid[])
        OR derived_from IN (SELECT session_id FROM session WHERE family_id = ANY (%(families)s::uuid[])))
    AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End the access tokens of families, and what was exchanged for them."""

PUT_CODE: Final = Prepared(
    """
INSERT INTO authorization_code (code_hash, family_id, client_id, redirect_uri, challenge, thumbprint, expires_at)
VALUES (%(code_hash)s, %(family_id)s, %(client_id)s, %(redirect_uri)s, %(challenge)s, %(thumbprint)s::bytea,
    %(expires_at)s)
""",
    {},
)
"""Keep a code that was handed out."""

SPEND_CODE: Final = Prepared(
    """
UPDATE authorization_code SET spent_at = %(now)s
WHERE code_hash = %(code_hash)s AND client_id = %(client_id)s AND spent_at IS NULL AND expires_at > %(now)s
RETURNING family_id, redirect_uri, challenge, thumbprint
""",
    {},
)
"""Take a code; nothing comes back where it was taken before, or is too old."""

FAMILY_OF_CODE: Final = Prepared(
    """
SELECT family_id FROM authorization_code
WHERE code_hash = %(code_hash)s AND client_id = %(client_id)s AND spent_at IS NOT NULL
""",
    {},
)
"""Which family a code began that was taken before."""

PUT_REFRESH: Final = Prepared(
    """
INSERT INTO refresh_token (token_hash, family_id, client_id, issued_at)
VALUES (%(token_hash)s, %(family_id)s, %(client_id)s, %(now)s)
""",
    {},
)
"""Keep a refresh token that was handed out."""

SPEND_REFRESH: Final = Prepared(
    """
UPDATE refresh_token SET spent_at = %(now)s
WHERE token_hash = %(token_hash)s AND client_id = %(client_id)s AND spent_at IS NULL
RETURNING family_id
""",
    {},
)
"""Take a refresh token that is good once."""

REFRESH: Final = Prepared(
    """
SELECT family_id, spent_at FROM refresh_token
WHERE token_hash = %(token_hash)s AND client_id = %(client_id)s
""",
    {},
)
"""A refresh token, spent or not."""

PUSH: Final = Prepared(
    """
INSERT INTO pushed_request (request_hash, client_id, parameters, expires_at)
VALUES (%(request_hash)s, %(client_id)s, %(parameters)s, %(expires_at)s)
""",
    {},
)
"""Keep what a client asks for, until a person is sent with its name."""

PUSHED: Final = Prepared(
    """
SELECT parameters FROM pushed_request
WHERE request_hash = %(request_hash)s AND client_id = %(client_id)s AND spent_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""What a client asked for beforehand."""

SPEND_PUSHED: Final = Prepared(
    """
UPDATE pushed_request SET spent_at = %(now)s
WHERE request_hash = %(request_hash)s AND client_id = %(client_id)s AND spent_at IS NULL
RETURNING request_hash
""",
    {},
)
"""Take what was asked for beforehand: one decision is made about it."""

PUT_DEVICE: Final = Prepared(
    """
INSERT INTO device_authorization (device_hash, user_code_hash, client_id, scope, purpose, expires_at,
    interval_seconds)
VALUES (%(device_hash)s, %(user_code_hash)s, %(client_id)s, %(scope)s, %(purpose)s, %(expires_at)s,
    %(interval_seconds)s)
""",
    {},
)
"""Keep what a device asks for, until somebody enters the code that it shows."""

HOLD_DEVICE: Final = Prepared(
    """
SELECT device_hash, user_code_hash, client_id, scope, purpose, expires_at, polled_at, interval_seconds, family_id,
    denied_at, spent_at
FROM device_authorization WHERE device_hash = %(device_hash)s AND client_id = %(client_id)s
FOR UPDATE
""",
    {},
)
"""What a device asked for, held until the transaction ends."""

POLLED: Final = Prepared(
    """
UPDATE device_authorization SET polled_at = %(now)s, interval_seconds = interval_seconds + %(slower)s
WHERE device_hash = %(device_hash)s
""",
    {},
)
"""Note that a device asked whether somebody decided."""

SPEND_DEVICE: Final = Prepared(
    """
UPDATE device_authorization SET spent_at = %(now)s WHERE device_hash = %(device_hash)s AND spent_at IS NULL
RETURNING family_id
""",
    {},
)
"""Take what somebody allowed a device."""

ASKED_BY_DEVICE: Final = Prepared(
    """
SELECT device_hash, client_id, scope, purpose FROM device_authorization
WHERE user_code_hash = %(user_code_hash)s AND family_id IS NULL AND denied_at IS NULL AND expires_at > %(now)s
FOR UPDATE
""",
    {},
)
"""What the device asks for that shows this code, as long as nobody decided."""

ALLOW_DEVICE: Final = Prepared(
    "UPDATE device_authorization SET family_id = %(family_id)s WHERE device_hash = %(device_hash)s", {}
)
"""Note what somebody allowed a device."""

DENY_DEVICE: Final = Prepared(
    "UPDATE device_authorization SET denied_at = %(now)s WHERE device_hash = %(device_hash)s", {}
)
"""Note that somebody denied a device."""

END_TOKENS_OF_LOGIN: Final = Prepared(
    """
UPDATE session SET ended_at = %(now)s WHERE derived_from = %(login_id)s AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End the tokens that a browser session was exchanged for."""

HOLD_SESSION: Final = Prepared(
    """
SELECT session_id, kind, subject, role, purpose, scopes, expires_at, family_id, confirmation, opened_patient_key,
    derived_from, authenticated_at
FROM session
WHERE token_hash = %(token_hash)s AND issued_at <= %(now)s AND expires_at > %(now)s AND ended_at IS NULL
FOR SHARE
""",
    {},
)
"""A session that is to be exchanged; it cannot be ended until the transaction is over."""

PUT_LAUNCH: Final = Prepared(
    """
INSERT INTO launch_context (launch_hash, subject, role, context, expires_at)
VALUES (%(launch_hash)s, %(subject)s, %(role)s, %(context)s, %(expires_at)s)
""",
    {},
)
"""Keep what a clinician has open."""

TAKE_LAUNCH: Final = Prepared(
    """
UPDATE launch_context SET spent_at = %(now)s
WHERE launch_hash = %(launch_hash)s AND subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s
    AND spent_at IS NULL AND expires_at > %(now)s
RETURNING context
""",
    {},
)
"""Take what the same clinician has open; it is good for one decision."""

TOKEN: Final = Prepared(
    """
SELECT token.session_id, token.kind, token.subject, token.role, token.client, token.purpose, token.scopes,
    token.issued_at, token.expires_at, token.confirmation, token.derived_from, token.patient_key,
    token.authenticated_at, token.client_id,
    family.family_id, family.beside, family.launch
FROM session AS token LEFT JOIN grant_family AS family USING (family_id)
WHERE token.token_hash = %(token_hash)s AND token.issued_at <= %(now)s AND token.expires_at > %(now)s
    AND token.ended_at IS NULL
""",
    {},
)
"""An access token that goes on, with its family."""

REFRESH_OF: Final = Prepared(
    """
SELECT family.family_id, family.client_id, family.subject, family.scopes, family.beside, family.purpose,
    family.confirmation, family.expires_at, token.issued_at
FROM refresh_token AS token JOIN grant_family AS family USING (family_id)
WHERE token.token_hash = %(token_hash)s AND token.spent_at IS NULL
    AND family.ended_at IS NULL AND family.expires_at > %(now)s
""",
    {},
)
"""A refresh token that may be used, with its family."""

SEE_PROOF: Final = Prepared(
    """
WITH forgotten AS (
    -- Now and then; the service may delete no proof that could still be presented.
    DELETE FROM proof_seen WHERE %(tidies)s AND expires_at < clock_timestamp() - interval '1 minute'
)
INSERT INTO proof_seen (proof_hash, expires_at) VALUES (%(proof_hash)s, %(expires_at)s)
ON CONFLICT DO NOTHING
RETURNING proof_hash
""",
    {},
)
"""Take a proof; nothing comes back when it was taken before."""

PATIENT_KEYS: Final = Prepared(
    """
WITH named AS (SELECT patient_key FROM patient WHERE patient_id = %(patient_id)s AND patient_key <> 0)
SELECT patient_key FROM named UNION SELECT other_key FROM named JOIN patient_link USING (patient_key)
""",
    {},
)
"""All registrations of a person; nobody's records are nobody's."""

PATIENT_ID: Final = Prepared("SELECT patient_id FROM patient WHERE patient_key = %(patient_key)s", {})
"""The id of a patient."""
