"""Which sign-in codes two people stand behind, and who enrolled a device.

https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final (AC-3(2), dual authorization)

Revision ID: 0017
"""

from typing import Final

from alembic import op

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

# A code of the city took two people before. Of the others it is not known: they count as one operator's alone.
VOUCHED: Final = (
    "ALTER TABLE sign_in_code ADD COLUMN vouched BOOLEAN NOT NULL DEFAULT false",
    """
UPDATE sign_in_code SET vouched = true WHERE kind IN ('operator', 'auditor', 'clerk', 'approver')
""",
    "ALTER TABLE sign_in_code ALTER COLUMN vouched DROP DEFAULT",
)

# Who enrolled a device that is there already is not known: it is answered again to its person alone.
ENROLLED_BY: Final = ('ALTER TABLE device ADD COLUMN enrolled_by TEXT COLLATE "C"',)


def upgrade() -> None:
    """Carry the database on to this revision."""
    for statement in (*VOUCHED, *ENROLLED_BY):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: what rests on one operator's word would count as what two people stand behind."""
    message = "who vouched for whom has no way back by a migration"
    raise RuntimeError(message)
