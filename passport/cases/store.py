"""The statements of cases, each named for what it does.

https://www.postgresql.org/docs/current/sql-insert.html
"""

from typing import Final

from passport.sql import Prepared

_CASE: Final = """
SELECT c.case_id, c.opened_by, c.reason, c.patient_key, c.agent, c.starts, c.ends, c.opened_at, c.expires_at,
    c.closed_at, sealed.patient_key AS sealed_for, sealed.wrapped_key, sealed.patient_id
FROM audit_case AS c JOIN patient AS sealed ON sealed.patient_key = coalesce(c.patient_key, 0)
"""

OPEN: Final = Prepared(
    """
INSERT INTO audit_case (case_id, opened_by, reason, patient_key, agent, starts, ends, opened_at, expires_at)
VALUES (%(case_id)s, %(opened_by)s, %(reason)s, %(patient_key)s, %(agent)s, %(starts)s, %(ends)s, %(now)s,
    %(expires_at)s)
""",
    {},
)
"""Keep what an auditor opens a case for."""

OF_AUDITOR: Final = Prepared(
    f"{_CASE} WHERE c.opened_by = %(opened_by)s ORDER BY c.opened_at DESC, c.case_id LIMIT %(limit)s", {}
)
"""The cases of an auditor, the newest first."""

OPEN_NOW: Final = Prepared(
    """
SELECT case_id, patient_key, agent, starts, ends FROM audit_case
WHERE opened_by = %(opened_by)s AND closed_at IS NULL AND expires_at > %(now)s
ORDER BY opened_at, case_id
""",
    {},
)
"""By which cases an auditor sees more at this instant."""

OF_PATIENTS: Final = Prepared(
    f"""{_CASE} JOIN audit_case_told AS told USING (case_id)
WHERE told.patient_key = ANY (%(patient_keys)s::bigint[])
ORDER BY c.opened_at DESC, c.case_id
LIMIT %(limit)s
""",
    {},
)
"""The cases that opened somebody's log, the newest first."""

CLOSE: Final = Prepared(
    """
UPDATE audit_case SET closed_at = %(now)s
WHERE case_id = %(case_id)s AND opened_by = %(opened_by)s AND closed_at IS NULL AND expires_at > %(now)s
RETURNING patient_key
""",
    {},
)
"""End a case that goes on."""

ONE: Final = Prepared(f"{_CASE} WHERE c.case_id = %(case_id)s AND c.opened_by = %(opened_by)s", {})
"""One case of an auditor."""

TELL: Final = Prepared(
    """
INSERT INTO audit_case_told (patient_key, case_id, told_at)
SELECT patient_key, case_id, %(now)s
FROM unnest(%(patient_keys)s::bigint[], %(case_ids)s::uuid[]) AS rows (patient_key, case_id)
ON CONFLICT DO NOTHING
RETURNING patient_key, case_id
""",
    {},
)
"""Remember whose log a case opened; what comes back was not known before."""
