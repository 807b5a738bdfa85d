"""The statements of family, each named for what it does.

http://hl7.org/fhir/R4/relatedperson.html
"""

from typing import Final

from passport.sql import Prepared

_PROXY: Final = """
SELECT patient_key, proxy_key, proxy_id, login, guardian, consents, until, notices, begun_at, ended_at FROM family_proxy
"""

BEGIN: Final = Prepared(
    """
INSERT INTO family_proxy (patient_key, proxy_key, proxy_id, login, guardian, consents, until, notices, begun_at)
VALUES (%(patient_key)s, %(proxy_key)s, %(proxy_id)s, %(login)s, %(guardian)s, %(consents)s, %(until)s, %(notices)s,
    %(now)s)
""",
    {},
)
"""Let somebody act for a patient."""

ALL: Final = Prepared(
    f"""{_PROXY}
WHERE patient_key = ANY (%(patient_keys)s::bigint[])
ORDER BY begun_at DESC, proxy_id
LIMIT %(limit)s
""",
    {},
)
"""Who acts for a patient, or did."""

LIVING: Final = Prepared(
    """
SELECT count(*) AS proxies FROM family_proxy WHERE patient_key = %(patient_key)s AND ended_at IS NULL
""",
    {},
)
"""How many act for a patient now."""

HOLD: Final = Prepared(f"{_PROXY} WHERE proxy_key = %(proxy_key)s FOR UPDATE", {})
"""One of those who act for somebody, held until the transaction ends."""

END: Final = Prepared(
    """
UPDATE family_proxy SET ended_at = %(now)s
WHERE patient_key = %(patient_key)s AND proxy_key = %(proxy_key)s AND ended_at IS NULL
""",
    {},
)
"""Let somebody act for a patient no more."""

GUARDIANS: Final = Prepared(
    """
SELECT g.patient_key, g.proxy_key, g.proxy_id, g.login, g.guardian, g.consents, g.until, g.notices, g.begun_at,
    g.ended_at, p.patient_id
FROM family_proxy AS g JOIN patient AS p USING (patient_key)
WHERE p.patient_id = ANY (%(patient_ids)s::text[]) AND g.guardian AND g.ended_at IS NULL AND g.until > %(now)s
ORDER BY g.patient_key, g.proxy_key
FOR UPDATE OF g
""",
    {},
)
"""The guardians who act for some patients now, held until the transaction ends; an office that is over stays over."""

MOVE: Final = Prepared(
    """
UPDATE family_proxy SET until = %(until)s WHERE patient_key = %(patient_key)s AND proxy_key = %(proxy_key)s
""",
    {},
)
"""Let a guardian's office end at another instant."""

GRANTS_TO: Final = Prepared(
    """
SELECT DISTINCT consent_key FROM consent_actor
WHERE patient_key = %(patient_key)s AND actor_key = %(proxy_key)s
ORDER BY consent_key
""",
    {},
)
"""The consents by which somebody sees something of a patient now."""

CHILD: Final = Prepared(
    """
SELECT r.type, r.id, r.version, r.codec, r.body, r.patient_key, p.wrapped_key
FROM resource AS r JOIN patient AS p USING (patient_key)
WHERE r.patient_key = %(patient_key)s AND r.record_key = %(record_key)s AND NOT r.deleted
""",
    {},
)
"""The Patient of a child, for its birth date; nothing of it is shown to anyone."""

SHORTEN_SESSIONS: Final = Prepared(
    """
UPDATE session SET expires_at = %(until)s
WHERE subject = %(proxy)s AND ended_at IS NULL AND expires_at > %(until)s
""",
    {},
)
"""Let no session of a guardian outlive their office."""

IN_FORCE: Final = Prepared(
    """
SELECT DISTINCT consent_key FROM consent_grant
WHERE patient_key = %(patient_key)s AND consent_key = ANY (%(consent_keys)s::bigint[])
""",
    {},
)
"""Which of these consents count."""

KEPT: Final = Prepared(
    """
SELECT FROM family_proxy
WHERE patient_key = %(patient_key)s AND guardian AND ended_at IS NULL AND until > %(now)s
    AND (proxy_key = %(proxy_key)s OR %(consent)s = ANY (consents))
LIMIT 1
""",
    {},
)
"""Whether a guardian acts by this record now."""

DENIES: Final = Prepared(
    """
SELECT FROM consent_grant
WHERE patient_key = %(patient_key)s AND consent_key = %(consent_key)s AND effect <> 1
LIMIT 1
""",
    {},
)
"""Whether a consent that counts denies something by itself."""

FOR_EVERYBODY: Final = Prepared(
    """
SELECT consent_key, coalesce(purposes, -1) AS purposes FROM consent_node
WHERE patient_key = ANY (%(patient_keys)s::bigint[]) AND consent_key = ANY (%(consent_keys)s::bigint[])
    AND (ordinal, node) = (0, 0) AND actors IS NULL AND (actions IS NULL OR actions & %(action)s <> 0)
""",
    {},
)
"""Of consents that deny by their root: which ones deny an action to everybody, and for which purposes."""
