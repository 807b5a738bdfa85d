"""The statements of federation, each named for what it does.

https://openid.net/specs/openid-connect-core-1_0.html

A way to a provider and back is gone once: its state is spent by an update of what was not spent, at the browser that it
began at.
"""

from typing import Final

from passport.sql import Prepared

_PROVIDER: Final = """provider_id, name, profile, issuer, client_id, auth_method, key_file, organization, hosts,
    two_factors, state, asked_by, approved_by, document, document_at, keys, keys_at"""

PUT_PROVIDER: Final = Prepared(
    f"""
INSERT INTO federation_provider (provider_id, name, profile, issuer, client_id, auth_method, key_file, people,
    organization, hosts, two_factors, state, asked_by)
VALUES (%(provider_id)s, %(name)s, %(profile)s, %(issuer)s, %(client_id)s, %(auth_method)s, %(key_file)s, %(people)s,
    %(organization)s, %(hosts)s, %(two_factors)s, 'waiting', %(asked_by)s)
ON CONFLICT (provider_id) DO UPDATE SET name = excluded.name, profile = excluded.profile, issuer = excluded.issuer,
    client_id = excluded.client_id, auth_method = excluded.auth_method, key_file = excluded.key_file,
    people = excluded.people, organization = excluded.organization, hosts = excluded.hosts,
    two_factors = excluded.two_factors, state = 'waiting', asked_by = excluded.asked_by, approved_by = NULL,
    document = NULL, document_at = NULL, keys = NULL, keys_at = NULL
RETURNING {_PROVIDER}
""",
    {},
)
"""Propose a provider, or another registration of one, which then waits for another operator."""

PROVIDER: Final = Prepared(
    f"SELECT {_PROVIDER} FROM federation_provider WHERE provider_id = %(provider_id)s", {}
)
"""One provider."""

PROVIDERS: Final = Prepared(f"SELECT {_PROVIDER} FROM federation_provider ORDER BY provider_id", {})
"""Every provider."""

HOLD_PROVIDER: Final = Prepared(
    f"SELECT {_PROVIDER} FROM federation_provider WHERE provider_id = %(provider_id)s FOR UPDATE", {}
)
"""One provider, held until the transaction ends."""

APPROVE_PROVIDER: Final = Prepared(
    """
UPDATE federation_provider SET state = 'active', approved_by = %(by)s, document = %(document)s, document_at = %(now)s,
    keys = %(keys)s, keys_at = %(now)s
WHERE provider_id = %(provider_id)s AND state = 'waiting'
""",
    {},
)
"""Let a provider that waits be asked, with what it publishes now."""

END_PROVIDER: Final = Prepared(
    "UPDATE federation_provider SET state = 'ended' WHERE provider_id = %(provider_id)s AND state <> 'ended'",
    {},
)
"""Let a provider be asked no more."""

SESSIONS_BY: Final = Prepared(
    """
UPDATE login_session SET ended_at = %(now)s
WHERE %(method)s = ANY (methods) AND ended_at IS NULL AND expires_at > %(now)s
RETURNING login_id
""",
    {},
)
"""End the browser sessions that were begun by this way of signing in."""

KEEP_PUBLISHED: Final = Prepared(
    """
UPDATE federation_provider SET document = %(document)s, document_at = %(now)s, keys = %(keys)s
WHERE provider_id = %(provider_id)s AND issuer = %(issuer)s AND state = 'active'
""",
    {},
)
"""Keep what a provider publishes: of itself, and its keys."""

MAY_FETCH: Final = Prepared(
    """
UPDATE federation_provider SET keys_at = %(now)s
WHERE provider_id = %(provider_id)s AND state = 'active' AND (keys_at IS NULL OR keys_at <= %(since)s)
RETURNING provider_id
""",
    {},
)
"""Let one request of all fetch what a provider publishes, if nobody did lately."""

KEEP_KEYS: Final = Prepared(
    """
UPDATE federation_provider SET keys = %(keys)s
WHERE provider_id = %(provider_id)s AND issuer = %(issuer)s AND state = 'active'
""",
    {},
)
"""Keep the keys of a provider."""

BEGIN: Final = Prepared(
    """
WITH forgotten AS (DELETE FROM federation_attempt WHERE expires_at < %(now)s - interval '1 day')
INSERT INTO federation_attempt (state_hash, browser_hash, provider_id, issuer, leads_to, query, fresh, expires_at)
VALUES (%(state_hash)s, %(browser_hash)s, %(provider_id)s, %(issuer)s, %(leads_to)s, %(query)s, %(fresh)s,
    %(expires_at)s)
""",
    {},
)
"""Begin a way to a provider, and forget those that are long over."""

SPEND_STATE: Final = Prepared(
    """
UPDATE federation_attempt SET spent_at = %(now)s
WHERE state_hash = %(state_hash)s AND browser_hash = %(browser_hash)s AND provider_id = %(provider_id)s
    AND spent_at IS NULL AND expires_at > %(now)s
RETURNING provider_id, issuer, leads_to, query, fresh
""",
    {},
)
"""Come back from a provider, once, at the browser that went there."""

MEET: Final = Prepared(
    """
UPDATE federation_attempt SET sub_hash = %(sub_hash)s, authenticated_at = %(authenticated_at)s,
    second_factor = %(second_factor)s, said = %(said)s, expires_at = %(expires_at)s
WHERE state_hash = %(state_hash)s AND spent_at IS NOT NULL AND sub_hash IS NULL
""",
    {},
)
"""Keep whom a provider's answer was about, once it was believed."""

MET: Final = Prepared(
    """
SELECT state_hash, provider_id, issuer, leads_to, query, sub_hash, authenticated_at, second_factor, said
FROM federation_attempt
WHERE browser_hash = %(browser_hash)s AND sub_hash IS NOT NULL AND done_at IS NULL AND expires_at > %(now)s
""",
    {},
)
"""Whom a provider sent back to a browser, as long as nobody is signed in by it yet."""

DONE: Final = Prepared(
    """
UPDATE federation_attempt SET done_at = %(now)s, login_id = %(login_id)s
WHERE state_hash = %(state_hash)s AND done_at IS NULL AND expires_at > %(now)s
RETURNING state_hash
""",
    {},
)
"""Sign somebody in by what a provider said, once."""

PROVED: Final = Prepared(
    """
UPDATE login_session SET authenticated_at = %(authenticated_at)s, second_factor_at = %(second_factor_at)s
WHERE login_id = %(login_id)s
""",
    {},
)
"""Note when and how well the person of a browser session proved at a provider who they are."""

SAID: Final = Prepared(
    """
SELECT state_hash, provider_id, said FROM federation_attempt
WHERE login_id = %(login_id)s AND said IS NOT NULL AND expires_at > %(now)s
""",
    {},
)
"""What a provider said of the person of a browser session, sealed."""

FORGET_SAID: Final = Prepared(
    "UPDATE federation_attempt SET said = NULL WHERE login_id = %(login_id)s AND said IS NOT NULL RETURNING state_hash",
    {},
)
"""Forget what a provider said, once the person has decided about it."""

ACTING: Final = Prepared(
    """
SELECT DISTINCT code.login, code.kind, code.subject, code.role, code.patient_key, code.purposes, code.scopes
FROM federation_link AS link
JOIN sign_in_code AS linked ON linked.login = link.login AND linked.subject = link.subject AND linked.active
-- A clinician who is linked by one of their roles may act in each; anybody else as whom they were linked.
JOIN sign_in_code AS code ON code.active
    AND (code.login = linked.login OR code.subject = linked.subject AND code.kind = 'practitioner')
WHERE link.provider_id = %(provider_id)s AND link.sub_hash = %(sub_hash)s AND link.ended_at IS NULL
    AND (link.asked_by IS NULL OR link.confirmed_by IS NOT NULL) AND code.kind = ANY (%(kinds)s::text[])
ORDER BY code.login
""",
    {},
)
"""As whom somebody may act whom a provider names."""

ROLES_WITHIN: Final = Prepared(
    """
WITH RECURSIVE above (role, container) AS (
    SELECT own.member, place.container
    FROM membership AS own JOIN membership AS place ON place.member = own.member AND place.kind = 3
        AND (place.starts IS NULL OR place.starts <= %(now)s) AND (place.ends IS NULL OR place.ends > %(now)s)
    WHERE own.member = ANY (%(roles)s::bigint[]) AND own.kind = 1
        AND (own.starts IS NULL OR own.starts <= %(now)s) AND (own.ends IS NULL OR own.ends > %(now)s)
    UNION
    SELECT above.role, place.container
    FROM above JOIN membership AS place ON place.member = above.container AND place.kind = 3
        AND (place.starts IS NULL OR place.starts <= %(now)s) AND (place.ends IS NULL OR place.ends > %(now)s)
)
SELECT DISTINCT role FROM above WHERE container = %(organization)s
""",
    {},
)
"""Which of these roles count now, in an organization or in a part of it."""

HOLD_LOGIN: Final = Prepared(
    """
SELECT login, secret_hash, kind, subject, role, patient_key, purposes, scopes FROM sign_in_code
WHERE login = %(login)s AND active
FOR SHARE
""",
    {},
)
"""What a login may become; it is not taken back until the transaction ends."""

END_OTHER_LINKS: Final = Prepared(
    """
UPDATE federation_link SET ended_at = %(now)s
WHERE provider_id = %(provider_id)s AND login = %(login)s AND ended_at IS NULL
    AND (asked_by IS NULL OR confirmed_by IS NOT NULL)
RETURNING subject
""",
    {},
)
"""End what a login was linked to at a provider so far: it is one account there."""

LINK: Final = Prepared(
    """
INSERT INTO federation_link (link_id, provider_id, sub_hash, login, subject, asked_by, linked_at)
VALUES (%(link_id)s, %(provider_id)s, %(sub_hash)s, %(login)s, %(subject)s, %(asked_by)s, %(now)s)
""",
    {},
)
"""Say whom a provider's name for somebody stands for."""

HOLD_WAITING_LINK: Final = Prepared(
    """
SELECT link_id, provider_id, sub_hash, login, subject, asked_by FROM federation_link
WHERE link_id = %(link_id)s AND provider_id = %(provider_id)s AND asked_by IS NOT NULL AND confirmed_by IS NULL
    AND ended_at IS NULL
FOR UPDATE
""",
    {},
)
"""What one operator asked to link, held until the transaction ends."""

CONFIRM_LINK: Final = Prepared(
    "UPDATE federation_link SET confirmed_by = %(by)s, linked_at = %(now)s WHERE link_id = %(link_id)s", {}
)
"""Let what one operator asked to link be linked."""

LINKS: Final = Prepared(
    """
SELECT link.link_id, link.provider_id, provider.name, link.linked_at
FROM federation_link AS link JOIN federation_provider AS provider USING (provider_id)
WHERE link.subject = %(subject)s AND link.ended_at IS NULL
    AND (link.asked_by IS NULL OR link.confirmed_by IS NOT NULL)
ORDER BY link.linked_at DESC, link.link_id
""",
    {},
)
"""By which providers somebody may sign in."""

END_LINK: Final = Prepared(
    """
UPDATE federation_link SET ended_at = %(now)s
WHERE link_id = %(link_id)s AND subject = %(subject)s AND ended_at IS NULL
RETURNING provider_id
""",
    {},
)
"""Let a provider's name stand for somebody no more."""

END_SESSIONS_BY: Final = Prepared(
    """
UPDATE login_session SET ended_at = %(now)s
WHERE subject = %(subject)s AND %(method)s = ANY (methods) AND ended_at IS NULL AND expires_at > %(now)s
RETURNING login_id
""",
    {},
)
"""End the browser sessions that somebody began by this way of signing in."""

END_LINKS_OF_LOGIN: Final = Prepared(
    "UPDATE federation_link SET ended_at = %(now)s WHERE login = %(login)s AND ended_at IS NULL RETURNING link_id",
    {},
)
"""End what leads to a login, whose code was taken back: another code brings none of it back."""

END_LINKS_OF_SUBJECT: Final = Prepared(
    "UPDATE federation_link SET ended_at = %(now)s WHERE subject = %(subject)s AND ended_at IS NULL", {}
)
"""End what leads to somebody."""

TAKE_OVER: Final = Prepared(
    """
INSERT INTO federation_attribute (patient_key, provider_id, name, value, said_at)
VALUES (%(patient_key)s, %(provider_id)s, %(name)s, %(value)s, %(now)s)
ON CONFLICT (patient_key, provider_id, name) DO UPDATE SET value = excluded.value, said_at = excluded.said_at
""",
    {},
)
"""Keep what a person says of themselves with a provider as its source, sealed with their own key."""

TAKEN_OVER: Final = Prepared(
    """
SELECT attribute.provider_id, provider.name AS provider, attribute.name, attribute.value, attribute.said_at
FROM federation_attribute AS attribute JOIN federation_provider AS provider USING (provider_id)
WHERE attribute.patient_key = %(patient_key)s
ORDER BY attribute.provider_id, attribute.name
""",
    {},
)
"""What a person took over."""

GIVE_UP: Final = Prepared(
    """
DELETE FROM federation_attribute
WHERE patient_key = %(patient_key)s AND provider_id = %(provider_id)s AND name = %(name)s
RETURNING name
""",
    {},
)
"""Forget one thing that a person took over."""
