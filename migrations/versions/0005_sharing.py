"""What people need to share: one-time codes, and what was shown when they agreed.

http://hl7.org/fhir/R4/consent.html

Revision ID: 0005
"""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the database from revision 0004 to this one."""


def downgrade() -> None:
    """Take it back."""
