"""What a resident is told is written where it happens.

https://www.postgresql.org/docs/current/sql-createpolicy.html

Revision ID: 0004
"""

from typing import Final

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Whoever tells a resident something need not see anything of theirs; reading and changing stay behind the wall.
TOLD: Final = "CREATE POLICY told ON notification FOR INSERT WITH CHECK (true)"

# Until now a worker wrote them down. A row that a worker holds is waited for, and is then kept already; one that
# was given up is told now. A kept row stays for as long as any other.
TELL_WHAT_WAITS: Final = """
WITH untold AS (
    UPDATE outbox SET done_at = now(), failure = NULL
    WHERE task = 'notify' AND (done_at IS NULL OR failure IS NOT NULL)
    RETURNING patient_key, outbox_id, arguments, created_at
)
INSERT INTO notification (patient_key, notification_id, kind, about, created_at)
SELECT patient_key, outbox_id, arguments ->> 'kind', arguments -> 'about', created_at FROM untold
"""


def upgrade() -> None:
    """Carry the database from the third revision to this one, one matter after the other."""
    _notices()


def _notices() -> None:
    op.execute(TOLD)
    op.execute(TELL_WHAT_WAITS)


def downgrade() -> None:
    """Take back what has a way back; whatever was told stays told."""
    op.execute("DROP POLICY told ON notification")
