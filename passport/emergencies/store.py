"""The statements of emergencies, each named for what it does.

http://terminology.hl7.org/CodeSystem/v3-ActReason (BTG)
"""

from typing import Final

from passport.sql import Prepared

_OPENING: Final = """
SELECT o.patient_key, p.patient_id, p.wrapped_key, o.opening_id, o.subject, o.role, o.reason, o.opened_at, o.expires_at,
    s.ended_at, o.session_id, r.verdict, r.comment, r.reviewed_by, r.reviewed_at
FROM opening AS o JOIN patient AS p USING (patient_key) LEFT JOIN session AS s USING (session_id)
    LEFT JOIN opening_review AS r ON r.patient_key = o.patient_key AND r.opening_id = o.opening_id
"""

OF_PATIENTS: Final = Prepared(
    f"""{_OPENING}
WHERE o.patient_key = ANY (%(patient_keys)s::bigint[])
ORDER BY o.opened_at DESC, o.opening_id
LIMIT %(limit)s
""",
    {},
)
"""The openings of some patients, newest first."""

ONE: Final = Prepared(f"{_OPENING} WHERE o.opening_id = %(opening_id)s", {})
"""One opening."""

WAITING: Final = Prepared(
    f"""{_OPENING}
WHERE r.opening_id IS NULL AND (%(before)s::timestamptz IS NULL OR o.expires_at <= %(before)s
    OR s.ended_at <= %(before)s)
ORDER BY o.opened_at, o.opening_id
LIMIT %(limit)s
""",
    {},
)
"""Openings that nobody reviewed, oldest first; with `before` those alone that were over by then."""

REVIEWED: Final = Prepared(
    f"""{_OPENING}
WHERE r.opening_id IS NOT NULL
ORDER BY r.reviewed_at DESC, o.opening_id
LIMIT %(limit)s
""",
    {},
)
"""Openings that were reviewed, the newest review first."""

REVIEW: Final = Prepared(
    """
INSERT INTO opening_review (patient_key, opening_id, verdict, comment, reviewed_by, reviewed_at)
VALUES (%(patient_key)s, %(opening_id)s, %(verdict)s, %(comment)s, %(reviewed_by)s, %(now)s)
ON CONFLICT DO NOTHING
RETURNING opening_id
""",
    {},
)
"""Note what was found of an opening; nothing comes back where somebody did before."""

END: Final = Prepared(
    """
UPDATE session SET ended_at = %(now)s
WHERE session_id = %(session_id)s AND ended_at IS NULL AND expires_at > %(now)s
RETURNING session_id
""",
    {},
)
"""End an opening; nothing comes back where it was over."""

LOOKS: Final = Prepared(
    """
SELECT recorded, action, query, record_keys, outcome FROM audit_event
WHERE patient_key = %(patient_key)s AND subject = %(subject)s AND role IS NOT DISTINCT FROM %(role)s
    AND purpose = 'BTG' AND action <> 'break-glass' AND recorded >= %(since)s AND recorded <= %(until)s
ORDER BY recorded, audit_id
LIMIT %(limit)s
""",
    {},
)
"""What was asked for by an opening, as the audit log has it."""
