"""The statement that counts what a caller asked for, named for what it does.

https://owasp.org/www-project-application-security-verification-standard/
"""

from typing import Final

from passport.sql import Prepared

TAKE: Final = Prepared(
    """
WITH forgotten AS (
    -- A few at a time, and none that somebody else is removing: nobody waits for another caller here.
    DELETE FROM asked_lately WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM asked_lately WHERE over_at <= %(now)s LIMIT 100 FOR UPDATE SKIP LOCKED))
), before AS (
    SELECT coalesce(sum(asked), 0)::int AS asked FROM asked_lately
    WHERE caller = %(caller)s AND window_start > %(since)s AND window_start <> %(window_start)s
)
INSERT INTO asked_lately (caller, window_start, asked, over_at)
SELECT %(caller)s, %(window_start)s, 1, %(over_at)s FROM before WHERE before.asked < %(most)s
ON CONFLICT (caller, window_start) DO UPDATE SET asked = asked_lately.asked + 1
WHERE asked_lately.asked + (SELECT before.asked FROM before) < %(most)s
RETURNING asked
""",
    {},
)
"""Count one request of a caller, and forget what counts for nobody any more; nothing comes back past the limit."""
