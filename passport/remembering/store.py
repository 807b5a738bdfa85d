"""Whether a standing that was read before is what it would be now: one statement, which then sets the wall from it.

https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT

Nothing of a standing is derived again. It is what it was if its session's row is there, alive and untouched, if what
was asked about has the same holders, if no transaction that its reading did not see has changed anything that it
rests on, and if no instant has passed since at which time alone changes any of that. All of it is asked in the snapshot
of the request itself, so what a withdrawal that was answered has written is seen. Where anything differs there is no
row, no wall is set, and nothing can be seen or recorded.
"""

from typing import Final

from passport.audit.disclosed import CONDITION
from passport.sql import Prepared

HELD: Final = Prepared(
    """
SELECT num_nonnulls(
        set_config('passport.patients', %(wall)s, true),
        set_config('passport.everyone', %(wall_everyone)s, true),
        set_config('passport.requester', %(wall_requester)s, true),
        -- The log names what was seen when it was decided.
        set_config('passport.seen', pg_current_snapshot()::text, true)
    ) AS set
FROM session
WHERE token_hash = %(token_hash)s AND xmin = %(session_row)s::xid
    AND issued_at <= %(now)s AND expires_at > %(now)s AND (ended_at IS NULL OR ended_at > %(now)s)
    AND confirmation IS NOT DISTINCT FROM %(confirmation)s::bytea
    AND %(now)s >= %(read_at)s::timestamptz AND (%(lasts_until)s::timestamptz IS NULL OR %(now)s < %(lasts_until)s)
    AND NOT EXISTS (SELECT FROM standing_change
        WHERE concerns = ANY (%(concerns)s::bigint[]) AND written_in >= %(unseen)s::text::xid8)
    AND NOT EXISTS (SELECT FROM standing_instant
        WHERE concerns = ANY (%(concerns)s::bigint[]) AND at > %(read_at)s AND at <= %(now)s)
    AND (SELECT coalesce(array_agg(DISTINCT patient_key ORDER BY patient_key), '{}') FROM locator
        WHERE record_key = ANY (%(about_keys)s::bigint[])) = %(held_by)s::bigint[]
""",
    {},
)
"""A row if the standing holds, with the wall set; no row and no wall if it does not.

`unseen` is the first transaction that the reading may not have seen, `read_at` its instant, and `lasts_until` the
instant at which a death changes it, if one will.
"""


def behind(disclosure: Prepared) -> Prepared:
    """The statement of a disclosure which shows and records something only if the standing holds.

    That is asked first: nothing of the rest is evaluated before the insertion of the audit rows, and its condition is
    the first of that. Were it otherwise there would be no wall yet, and nothing behind it.

    It holds no constants: what two consents say differently may be the constants alone, so they are bound each time.
    """
    with_, opened, rest = disclosure.text.partition("WITH ")
    before, condition, after = rest.partition(CONDITION)
    if with_ or not opened or not condition or CONDITION in after:
        raise ValueError("got a statement that is no disclosure")
    held = f"WITH held AS MATERIALIZED ({HELD.text}), "
    return Prepared(f"{held}{before}EXISTS (SELECT FROM held){after}", {})
