"""The statements of notifications, each named for what it does.

https://www.postgresql.org/docs/current/sql-createpolicy.html

Anyone's transaction may tell any resident, whomever its wall hides; reading stands behind the wall. So a
statement that tells returns nothing, and asks for nothing that is there already.
"""

from typing import Final

from passport.sql import Prepared

TELL: Final = Prepared(
    """
INSERT INTO notification (patient_key, notification_id, kind, about, created_at, recipient)
VALUES (%(patient_key)s, %(notice_id)s, %(kind)s, %(about)s, %(now)s, %(recipient)s)
""",
    {},
)
"""Tell a resident something, in the transaction in which it happens."""

TOLD: Final = Prepared(
    """
SELECT notification_id, kind, created_at, about FROM notification
WHERE patient_key = %(patient_key)s AND created_at <= %(now)s AND recipient IS NOT DISTINCT FROM %(recipient)s
  AND (%(before)s::timestamptz IS NULL OR (created_at, notification_id) < (%(before)s, %(before_id)s::uuid))
ORDER BY created_at DESC, notification_id DESC
LIMIT %(limit)s
""",
    {},
)
"""What a resident was told, or somebody who acts for them, newest first; what is for later is not among it.

With a place, what comes after it alone."""

TELL_AT: Final = Prepared(
    """
UPDATE notification SET created_at = %(at)s
WHERE patient_key = %(patient_key)s AND notification_id = ANY (%(notice_ids)s::uuid[]) AND created_at > %(now)s
""",
    {},
)
"""Let what is for later come at another time; what was told stays told."""

UNTELL: Final = Prepared(
    """
DELETE FROM notification
WHERE patient_key = %(patient_key)s AND notification_id = ANY (%(notice_ids)s::uuid[]) AND created_at > %(now)s
""",
    {},
)
"""Take back what is for later."""
