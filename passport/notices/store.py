"""The statements of notifications, each named for what it does.

https://www.postgresql.org/docs/current/sql-createpolicy.html

Anyone's transaction may tell any resident, whomever its wall hides; reading stands behind the wall. So a
statement that tells returns nothing, and asks for nothing that is there already.
"""

from typing import Final

from passport.sql import Prepared

TELL: Final = Prepared(
    """
INSERT INTO notification (patient_key, notification_id, kind, about, created_at)
VALUES (%(patient_key)s, %(notice_id)s, %(kind)s, %(about)s, %(now)s)
""",
    {},
)
"""Tell a resident something, in the transaction in which it happens."""

TOLD: Final = Prepared(
    """
SELECT notification_id, kind, created_at, about FROM notification
WHERE patient_key = %(patient_key)s
ORDER BY created_at DESC, notification_id DESC
LIMIT %(limit)s
""",
    {},
)
"""What a resident was told, newest first."""
