"""Openings that are reviewed, what two people confirm, and who acts for whom.

http://hl7.org/fhir/R4/relatedperson.html

Revision ID: 0007
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the database from revision 0006 to this one."""


def downgrade() -> None:
    """Take it back."""
