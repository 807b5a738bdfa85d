"""The statements of the outbox, each named for what it does.

https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE

A row that a worker is busy with is locked by that worker's transaction. Whoever looks for rows skips locked
ones, so a row is never sent again while it is worked on, and at once when its worker dies.
"""

from typing import Final

from passport.sql import Prepared

WALL: Final = Prepared("SELECT set_config('passport.patients', %(patients)s, true)", {})
"""Let the rest of the transaction see these patients and no others."""

LEAVE: Final = Prepared(
    """
INSERT INTO outbox (patient_key, outbox_id, task, arguments, created_at, due_at)
VALUES (%(patient_key)s, %(outbox_id)s, %(task)s, %(arguments)s, %(now)s, %(due_at)s)
""",
    {},
)
"""Promise a task, in the transaction of the request that asks for it."""

TAKE: Final = Prepared(
    """
UPDATE outbox SET due_at = %(again_at)s
FROM (
    SELECT patient_key, outbox_id FROM outbox
    WHERE done_at IS NULL AND due_at <= %(now)s
    ORDER BY due_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
) AS due
WHERE outbox.patient_key = due.patient_key AND outbox.outbox_id = due.outbox_id
RETURNING outbox.patient_key, outbox.outbox_id, task
""",
    {},
)
"""What is to be sent now, the new rows and those that stayed; each is looked at again at `again_at`.

It is committed before anything is sent: a worker that took up a message while its row was still being changed
would find the row locked, and leave it.
"""

RETURN: Final = Prepared(
    """
UPDATE outbox SET due_at = %(now)s
FROM unnest(%(patient_keys)s::bigint[], %(outbox_ids)s::uuid[]) AS unsent (patient_key, outbox_id)
WHERE outbox.patient_key = unsent.patient_key AND outbox.outbox_id = unsent.outbox_id
    AND done_at IS NULL AND due_at = %(again_at)s
""",
    {},
)
"""Make rows due that were taken and could not be sent."""

CLAIM: Final = Prepared(
    """
UPDATE outbox SET attempts = attempts + 1,
    due_at = %(now)s::timestamptz
        + least(%(claim_seconds)s::int * 2 ^ attempts, %(most_seconds)s::int) * interval '1 second'
WHERE patient_key = %(patient_key)s AND outbox_id = (
    SELECT outbox_id FROM outbox
    WHERE patient_key = %(patient_key)s AND outbox_id = %(outbox_id)s AND done_at IS NULL
    FOR UPDATE SKIP LOCKED
)
RETURNING task, arguments, attempts
""",
    {},
)
"""Count an attempt before it begins, so that one which kills its worker is counted too."""

HOLD: Final = Prepared(
    """
SELECT 1 AS held FROM outbox
WHERE patient_key = %(patient_key)s AND outbox_id = %(outbox_id)s
    AND done_at IS NULL AND attempts = %(attempt)s
FOR UPDATE SKIP LOCKED
""",
    {},
)
"""Lock the row for the transaction that does the work; nothing when another attempt has it or has done it."""

KEEP: Final = Prepared(
    """
UPDATE outbox SET done_at = %(now)s, failure = NULL
WHERE patient_key = %(patient_key)s AND outbox_id = %(outbox_id)s
""",
    {},
)
"""Mark the promise kept, in the transaction that kept it."""

DEFER: Final = Prepared(
    """
UPDATE outbox SET due_at = %(due_at)s, failure = %(failure)s
WHERE patient_key = %(patient_key)s AND outbox_id = %(outbox_id)s
    AND done_at IS NULL AND attempts = %(attempt)s
""",
    {},
)
"""Try again at `due_at`."""

GIVE_UP: Final = Prepared(
    """
UPDATE outbox SET done_at = %(now)s, failure = %(failure)s
WHERE patient_key = %(patient_key)s AND outbox_id = %(outbox_id)s
    AND done_at IS NULL AND attempts = %(attempt)s
""",
    {},
)
"""End a row that failed too often; it stays, with its reason, until an operator looks."""

FORGET: Final = Prepared(
    """
DELETE FROM outbox
WHERE done_at < %(before)s AND failure IS NULL
""",
    {},
)
"""Remove kept promises that nobody asks about any more."""
