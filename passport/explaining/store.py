"""The statements of explanations, each named for what it does; what they read is no record of anybody.

https://www.postgresql.org/docs/current/queries-with.html
"""

from typing import Final

from passport.sql import Prepared

REACHED: Final = Prepared(
    """
WITH RECURSIVE reached (member) AS (
    SELECT unnest(%(keys)s::bigint[])
    UNION
    -- From a practitioner to the roles (2), from a CareTeam or Group to whom it lists (4).
    SELECT m.member FROM reached JOIN membership AS m ON m.container = reached.member AND m.kind IN (2, 4)
    WHERE (m.starts IS NULL OR m.starts <= %(now)s) AND (m.ends IS NULL OR m.ends > %(now)s)
        -- Whom another person's CareTeam lists is theirs to tell.
        AND (m.kind = 2 OR EXISTS (SELECT FROM locator AS l
            WHERE l.record_key = m.container AND l.patient_key = ANY (%(patient_keys)s::bigint[])))
)
SELECT member FROM reached WHERE member <> ALL (%(keys)s::bigint[]) ORDER BY member LIMIT %(limit)s
""",
    {},
)
"""Who acts as these actors now: roles of practitioners, members of collectives."""

RESOLVABLE: Final = Prepared(
    "SELECT actor_key FROM collective WHERE actor_key = ANY (%(keys)s::bigint[]) AND resolvable", {}
)
"""Which of these CareTeams and Groups have members who are known one by one."""

HERE: Final = Prepared(
    """
SELECT record_key FROM locator
WHERE record_key = ANY (%(keys)s::bigint[]) AND patient_key = ANY (%(patient_keys)s::bigint[])
""",
    {},
)
"""Which of these actors are in the directory, or among a person's own records."""

HELD: Final = Prepared(
    """
SELECT purpose FROM unnest(%(purposes)s::text[]) AS asked (purpose)
WHERE EXISTS (SELECT FROM client WHERE state = 'active' AND purpose = ANY (purposes))
    OR EXISTS (SELECT FROM sign_in_code WHERE active AND purpose = ANY (purposes))
    OR EXISTS (SELECT FROM session WHERE session.purpose = asked.purpose AND expires_at > %(now)s)
""",
    {},
)
"""Which of these purposes anybody may ask for."""

OPENED: Final = Prepared(
    """
SELECT subject, role, client, kind, max(expires_at) AS expires_at FROM session
WHERE opened_patient_key = ANY (%(patient_keys)s::bigint[]) AND issued_at <= %(now)s AND expires_at > %(now)s
    AND (ended_at IS NULL OR ended_at > %(now)s)
GROUP BY subject, role, client, kind
ORDER BY expires_at, subject
""",
    {},
)
"""Who has an emergency opening of a person's records now, and until when."""

HOLD_LOOK: Final = Prepared("SELECT pg_try_advisory_xact_lock(%(turn)s) AS held", {})
"""Hold one of a caller's turns until the transaction ends; it waits for nobody."""
