"""What one operator proposes of a client, how its ID tokens are signed, and what of signing in is over.

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

# What a family rests on outlives the session in which it was allowed, which is forgotten a day after its end.
RECOGNISED: Final = (
    """
ALTER TABLE grant_family ADD COLUMN methods TEXT[] COLLATE "C" NOT NULL DEFAULT '{}'
""",
    """
UPDATE grant_family SET methods = login_session.methods
FROM login_session WHERE login_session.login_id = grant_family.login_id
""",
    "ALTER TABLE grant_family ALTER COLUMN methods DROP DEFAULT",
)

# When a code was handed out that is there already is not known: it is as good as one of today.
CODES: Final = (
    "ALTER TABLE sign_in_code ADD COLUMN used_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()",
    "ALTER TABLE sign_in_code ALTER COLUMN used_at DROP DEFAULT",
)

OVER: Final = {
    "passkey": "ended_at < clock_timestamp() - interval '1 day'",
    "recovery_code": "expires_at < clock_timestamp() - interval '1 day'",
}
"""When the service may remove a row of each table, by the clock of the server."""

FORGOTTEN: Final = (
    "CREATE INDEX passkey_by_end ON passkey (ended_at) WHERE ended_at IS NOT NULL",
    "CREATE INDEX recovery_code_by_time ON recovery_code (expires_at)",
)

POLICIES: Final = (
    "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY {table}_is_looked_for ON {table} FOR SELECT USING (true)",
    "CREATE POLICY {table}_is_kept ON {table} FOR INSERT WITH CHECK (true)",
    "CREATE POLICY {table}_is_spent ON {table} FOR UPDATE USING (true)",
    "CREATE POLICY {table}_is_forgotten ON {table} FOR DELETE USING ({over})",
)


def upgrade() -> None:
    """Carry the database on to this revision."""
    service = context.config.attributes["service_role"]
    for statement in (*PROPOSALS, *SIGNED, *RECOGNISED, *CODES, *FORGOTTEN):
        op.execute(statement)
    for table, over in OVER.items():
        for statement in POLICIES:
            op.execute(statement.format(table=table, over=over))
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON client_proposal TO "{service}"')
    op.execute(f'GRANT DELETE ON {", ".join(OVER)} TO "{service}"')


def downgrade() -> None:
    """Refuse: who allowed what by which provider would be forgotten, and codes on paper would have no end again."""
    message = "what sign-ins rest on has no way back by a migration"
    raise RuntimeError(message)
