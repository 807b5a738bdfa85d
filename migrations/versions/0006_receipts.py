"""What a grant was, so that it can be proved and decided again.

https://www.iso.org/standard/80392.html

Revision ID: 0006
"""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the database from revision 0005 to this one."""


def downgrade() -> None:
    """Take it back."""
