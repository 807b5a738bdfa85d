"""The statements of policies, each named for what it does.

https://www.postgresql.org/docs/current/sql-insert.html
"""

from typing import Final

from passport.sql import Prepared

PROPOSE: Final = Prepared(
    """
INSERT INTO policy_proposal (consent_key, version, proposed_by)
VALUES (%(consent_key)s, %(version)s, %(proposed_by)s)
ON CONFLICT (consent_key) DO UPDATE SET version = excluded.version, proposed_by = excluded.proposed_by
""",
    {},
)
"""Remember who wrote this version of a policy, which is in force only when somebody else says so."""

PROPOSED: Final = Prepared(
    """
SELECT proposed_by FROM policy_proposal WHERE consent_key = %(consent_key)s AND version = %(version)s
""",
    {},
)
"""Who wrote this version of a policy."""
