"""Whether a standing that was read before is what it would be now: one statement, which then sets the wall from it.

https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT

Nothing of a standing is derived again. It is what it was if its session's row is there, alive and untouched, if what
was asked about has the same holders, if no transaction that its reading did not see has changed anything that it
rests on, and if no instant has passed since at which time alone changes any of that. All of it is asked in the snapshot
of the request itself, so what a withdrawal that was answered has written is seen. Where anything differs there is no
row, no wall is set, and nothing can be seen or recorded.
"""

from typing import Final

from passport.sql import Prepared

HELD_MARK: Final = "held"
"""What the setting `passport.standing` says in a transaction in which a standing was found to hold."""

HELD: Final = Prepared(
    f"""
SELECT num_nonnulls(
        set_config('passport.standing', '{HELD_MARK}', true),
        set_config('passport.patients', %(wall)s, true),
        set_config('passport.everyone', %(everyone)s, true),
        set_config('passport.requester', %(requester)s, true),
        -- The log names what was seen when it was decided.
        set_config('passport.seen', pg_current_snapshot()::text, true)
    ) AS set
FROM session
WHERE token_hash = %(token_hash)s AND xmin = %(session_row)s::xid
    AND issued_at <= %(now)s AND expires_at > %(now)s AND (ended_at IS NULL OR ended_at > %(now)s)
    AND confirmation IS NOT DISTINCT FROM %(confirmation)s::bytea
    AND %(now)s >= %(read_at)s::timestamptz AND (%(until)s::timestamptz IS NULL OR %(now)s < %(until)s)
    AND NOT EXISTS (SELECT FROM standing_change
        WHERE concerns = ANY (%(concerns)s::bigint[]) AND written_in >= %(unseen)s::text::xid8)
    AND NOT EXISTS (SELECT FROM standing_instant
        WHERE concerns = ANY (%(concerns)s::bigint[]) AND at > %(read_at)s AND at <= %(now)s)
    AND (SELECT coalesce(array_agg(DISTINCT patient_key ORDER BY patient_key), '{{}}') FROM locator
        WHERE record_key = ANY (%(about_keys)s::bigint[])) = %(holders)s::bigint[]
""",
    {},
)
"""A row if the standing holds, with the wall set; no row and no wall if it does not.

`unseen` is the first transaction that the reading may not have seen, `read_at` its instant, and `until` the instant at
which a death changes it, if one will.
"""
