"""What one operator proposes of a client, and another one has yet to approve; how its ID tokens are signed.

https://www.rfc-editor.org/rfc/rfc7591
https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata

Revision ID: 0014
"""

from typing import Final

from alembic import context, op

revision = "0014"
down_revision = "0009"
branch_labels = None
depends_on = None

# A client goes on as it is registered until its proposal is approved, so the two lie beside each other.
PROPOSALS: Final = (
    """
CREATE TABLE client_proposal (
    client_id TEXT COLLATE "C" NOT NULL,
    registration JSONB NOT NULL,
    proposed_by TEXT COLLATE "C" NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (client_id)
)
""",
    "CREATE INDEX client_proposal_by_time ON client_proposal (expires_at)",
)

SIGNED: Final = (
    """
ALTER TABLE client ADD COLUMN identity_algorithm TEXT COLLATE "C" NOT NULL DEFAULT 'ES256'
""",
    "UPDATE client SET identity_algorithm = 'RS256' WHERE profile = 'smart'",
    "ALTER TABLE client ALTER COLUMN identity_algorithm DROP DEFAULT",
)


def upgrade() -> None:
    """Carry the database on to this revision."""
    service = context.config.attributes["service_role"]
    for statement in (*PROPOSALS, *SIGNED):
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON client_proposal TO "{service}"')


def downgrade() -> None:
    """Take the proposals away; what is registered stays as it is."""
    op.execute("DROP TABLE client_proposal")
    op.execute("ALTER TABLE client DROP COLUMN identity_algorithm")
