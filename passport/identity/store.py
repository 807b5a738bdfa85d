"""The statements of identity, each named for what it does.

https://www.rfc-editor.org/rfc/rfc6749

Tokens, codes and assertions are compared by hash or spent by insertion: a statement answers whether it was
the one that did it.
"""

from typing import Final

from passport.sql import Prepared

OPEN_SESSION: Final = Prepared(
    """
INSERT INTO session (token_hash, session_id, kind, subject, role, client, actor_key, client_key, patient_key,
    opened_patient_key, purpose, scopes, issued_at, family_id, confirmation, derived_from, authenticated_at, client_id,
    expires_at)
VALUES (%(token_hash)s, %(session_id)s, %(kind)s, %(subject)s, %(role)s, %(client)s, %(actor_key)s,
    %(client_key)s, %(patient_key)s, %(opened_patient_key)s, %(purpose)s, %(scopes)s, %(issued_at)s,
    %(family_id)s::uuid, %(confirmation)s::bytea, %(derived_from)s::uuid,
    %(authenticated_at)s::timestamptz,
    -- What follows from a token is its client's, but for what another client got for it.
    coalesce(%(client_id)s::text, (SELECT client_id FROM session WHERE session_id = %(origin)s::uuid)),
    -- No session of a guardian outlives their office.
    least(%(expires_at)s::timestamptz, (SELECT min(until) FROM family_proxy
        WHERE proxy_key = %(actor_key)s AND guardian AND until > %(issued_at)s)))
RETURNING expires_at
""",
    {},
)
"""Begin a session; its token's text is known to the caller alone. It answers when the session ends."""

END_SESSION: Final = Prepared(
    """
UPDATE session SET ended_at = %(now)s
WHERE token_hash = %(token_hash)s AND ended_at IS NULL AND expires_at > %(now)s
RETURNING session_id
""",
    {},
)
"""End one session."""

END_DERIVED: Final = Prepared(
    """
WITH RECURSIVE derived (session_id) AS (
    SELECT session_id FROM session
    WHERE derived_from IN (SELECT session_id FROM session WHERE token_hash = %(token_hash)s)
    UNION SELECT further.session_id FROM derived JOIN session AS further ON further.derived_from = derived.session_id)
UPDATE session SET ended_at = %(now)s
WHERE session_id IN (SELECT session_id FROM derived) AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End what a session was exchanged for, and what was opened by it in an emergency."""

END_DERIVED_OF: Final = Prepared(
    """
WITH RECURSIVE derived (session_id) AS (
    SELECT session_id FROM session WHERE derived_from = ANY (%(origins)s::uuid[])
    UNION SELECT further.session_id FROM derived JOIN session AS further ON further.derived_from = derived.session_id)
UPDATE session SET ended_at = %(now)s
WHERE session_id IN (SELECT session_id FROM derived) AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End what follows from sessions, or from sign-ins at a browser, however far."""

HOLD_ORIGIN: Final = Prepared(
    """
SELECT session_id FROM session
WHERE (session_id = %(session_id)s
        OR session_id = (SELECT derived_from FROM session WHERE session_id = %(session_id)s))
    AND ended_at IS NULL AND expires_at > %(now)s
FOR SHARE
""",
    {},
)
"""The session that something is to follow from, and the one that it follows from itself; neither can be ended until
the transaction is over."""

FAMILY_OF: Final = Prepared("SELECT family_id FROM session WHERE session_id = %(session_id)s", {})
"""The family of tokens that a session belongs to."""

END_FAMILIES_OF_CLIENT: Final = Prepared(
    """
UPDATE grant_family SET ended_at = %(now)s
WHERE client_id = %(client_id)s AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End what people allowed a client."""

END_SESSIONS_OF_CLIENT: Final = Prepared(
    """
UPDATE session SET ended_at = %(now)s
WHERE (client_id = %(client_id)s
        OR family_id IN (SELECT family_id FROM grant_family WHERE client_id = %(client_id)s)
        -- A token that no client asked for, as a demo hands them out.
        OR client_id IS NULL AND kind = 'service' AND (subject = %(subject)s OR client = %(subject)s))
    AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End whatever a client has open, delegated sessions included."""

AUTHENTICATED: Final = Prepared("SELECT authenticated_at FROM session WHERE session_id = %(session_id)s", {})
"""When whoever a session is for proved who they are."""

ROLE_MEMBERS: Final = Prepared(
    """
SELECT container FROM membership
WHERE member = %(role_key)s AND container <> %(role_key)s
    AND (starts IS NULL OR starts <= %(now)s) AND (ends IS NULL OR ends > %(now)s)
""",
    {},
)
"""Whom and what a role stands for now: its practitioner, its organization, its care teams."""

CLIENT_COLUMNS: Final = """client_id, name, subject, profile, redirect_uris, grant_types, auth_method, introspects,
    identity_algorithm, jwks, purposes, scopes, state, asked_by, approved_by"""
"""What is stored of a client."""

ADD_CLIENT: Final = Prepared(
    f"""
INSERT INTO client ({CLIENT_COLUMNS})
VALUES (%(client_id)s, %(name)s, %(subject)s, %(profile)s, %(redirect_uris)s, %(grant_types)s, %(auth_method)s,
    %(introspects)s, %(identity_algorithm)s,
    %(jwks)s, %(purposes)s, %(scopes)s, %(state)s, %(asked_by)s, %(approved_by)s)
ON CONFLICT DO NOTHING
RETURNING client_id
""",
    {},
)
"""Keep a client that says of itself what it is; nothing comes back where the id is taken."""

CLIENT: Final = Prepared(
    f"""
SELECT {CLIENT_COLUMNS} FROM client WHERE client_id = %(client_id)s
""",
    {},
)
"""One client."""

SPEND_ASSERTION: Final = Prepared(
    """
INSERT INTO client_assertion (client_id, jti, expires_at) VALUES (%(client_id)s, %(jti)s, %(expires_at)s)
ON CONFLICT DO NOTHING
RETURNING jti
""",
    {},
)
"""Take an assertion's id; nothing comes back when it was taken before."""

PUT_CODE: Final = Prepared(
    """
INSERT INTO sign_in_code (login, secret_hash, kind, subject, role, patient_key, purposes, scopes, active, person,
    used_at, vouched)
VALUES (%(login)s, %(secret_hash)s, %(kind)s, %(subject)s, %(role)s, %(patient_key)s, %(purposes)s,
    %(scopes)s, true, %(person)s, %(now)s, %(vouched)s)
ON CONFLICT (login) DO UPDATE SET secret_hash = excluded.secret_hash, purposes = excluded.purposes,
    scopes = excluded.scopes, active = true, person = coalesce(excluded.person, sign_in_code.person),
    used_at = excluded.used_at, vouched = excluded.vouched
WHERE sign_in_code.subject = excluded.subject AND sign_in_code.role IS NOT DISTINCT FROM excluded.role
RETURNING login
""",
    {},
)
"""Give a login a code; a login that is someone else's stays theirs, and nothing comes back."""

CODE: Final = Prepared(
    """
SELECT login, secret_hash, kind, subject, role, patient_key, purposes, scopes FROM sign_in_code
WHERE login = %(login)s AND active AND used_at > %(unused_since)s
""",
    {},
)
"""What a login may become by its code."""

USE_CODE: Final = Prepared(
    """
UPDATE sign_in_code SET used_at = greatest(used_at, %(now)s), entered_at = coalesce(entered_at, %(now)s)
WHERE login = %(login)s AND active AND secret_hash = %(secret_hash)s
RETURNING login
""",
    {},
)
"""Note that the code that was compared is in use, and keep it from being taken back until the transaction ends."""

PERSONS: Final = Prepared(
    """
SELECT subject, person FROM sign_in_code WHERE subject = ANY (%(subjects)s::text[]) AND person IS NOT NULL
""",
    {},
)
"""Which of these subjects of the city are Practitioners too."""

END_CODE: Final = Prepared(
    "UPDATE sign_in_code SET active = false WHERE login = %(login)s AND active RETURNING kind, subject, role",
    {},
)
"""Take a login's code back."""

END_CODES: Final = Prepared(
    "UPDATE sign_in_code SET active = false WHERE subject = %(subject)s AND active", {}
)
"""Take back whatever codes somebody has."""

END_SESSIONS: Final = Prepared(
    """
UPDATE session SET ended_at = %(now)s WHERE subject = %(subject)s AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End whatever somebody has open."""

PROXY: Final = Prepared(
    "SELECT guardian, until, ended_at FROM family_proxy WHERE proxy_key = %(proxy_key)s", {}
)
"""Whether somebody acts for a patient still, and until when a guardian does."""

END_SESSIONS_OF_CODE: Final = Prepared(
    """
UPDATE session SET ended_at = %(now)s
WHERE subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s
    AND ended_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""End whatever a person has open in the role that a code was for, openings and delegated sessions included."""

FAILURES: Final = Prepared(
    """
SELECT coalesce(sum(failures), 0)::int AS failures FROM sign_in_failure
WHERE caller = %(caller)s AND window_start > %(since)s
""",
    {},
)
"""How often this caller failed lately."""

COUNT_FAILURE: Final = Prepared(
    """
WITH forgotten AS (
    -- A few at a time, and none that somebody else is removing: nobody waits for another caller here.
    DELETE FROM sign_in_failure WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM sign_in_failure WHERE window_start <= %(since)s LIMIT 100 FOR UPDATE SKIP LOCKED)))
INSERT INTO sign_in_failure (caller, window_start, failures) VALUES (%(caller)s, %(window_start)s, 1)
ON CONFLICT (caller, window_start) DO UPDATE SET failures = sign_in_failure.failures + 1
""",
    {},
)
"""Count a failure of this caller, and forget what is too old to count for anyone."""

PATIENT_KEY: Final = Prepared(
    "SELECT patient_key, wrapped_key FROM patient WHERE patient_key = %(patient_key)s", {}
)
"""A patient's wrapped key."""

HOLD_OPENER: Final = Prepared("SELECT pg_advisory_xact_lock(%(opener)s)", {})
"""Let the openings of one caller come one by one until the transaction ends, so that each is counted."""

OPENINGS: Final = Prepared(
    """
SELECT count(*) AS openings FROM session
WHERE subject = %(subject)s AND opened_patient_key IS NOT NULL AND issued_at > %(since)s
""",
    {},
)
"""How many emergency openings this caller made lately; each has a session of its own."""

OPEN_RECORDS: Final = Prepared(
    """
INSERT INTO opening (patient_key, opening_id, subject, role, reason, opened_at, expires_at, session_id)
VALUES (%(patient_key)s, %(opening_id)s, %(subject)s, %(role)s, %(reason)s, %(opened_at)s, %(expires_at)s,
    %(session_id)s)
""",
    {},
)
"""Note an emergency opening with its sealed reason."""
