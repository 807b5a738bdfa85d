"""What records are labelled with, and by which table.

http://hl7.org/fhir/R4/security-labels.html

Revision ID: 0008
"""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the database from revision 0007 to this one."""


def downgrade() -> None:
    """Take it back."""
