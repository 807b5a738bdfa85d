"""Passkeys, the challenges that they answered, codes to come back by, and when somebody proved who they are.

https://www.w3.org/TR/webauthn-3/#reg-ceremony-store-credential-record

Revision ID: 0011
"""

from typing import Final

from alembic import context, op

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None

# Of what was issued so far it is not known when its person proved who they are: that is never lately.
SESSIONS: Final = (
    "ALTER TABLE session ADD COLUMN authenticated_at TIMESTAMP WITH TIME ZONE",
    'ALTER TABLE login_session ADD COLUMN limited_to TEXT COLLATE "C", ADD COLUMN passkey_id UUID',
    "CREATE INDEX login_session_by_passkey ON login_session (passkey_id) WHERE passkey_id IS NOT NULL",
)

TABLES: Final = (
    """
CREATE TABLE passkey (
    passkey_id UUID NOT NULL,
    credential_id BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    sign_count BIGINT NOT NULL,
    transports TEXT[] COLLATE "C" NOT NULL,
    backed_up BOOLEAN NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    login TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    patient_key BIGINT,
    purposes TEXT[] COLLATE "C" NOT NULL,
    scopes TEXT[] COLLATE "C" NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    doubted_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (passkey_id),
    UNIQUE (credential_id)
)
""",
    "CREATE INDEX passkey_by_subject ON passkey (subject)",
    """
CREATE TABLE passkey_challenge (
    challenge_hash BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (challenge_hash)
)
""",
    "CREATE INDEX passkey_challenge_by_time ON passkey_challenge (expires_at)",
    """
CREATE TABLE recovery_code (
    code_hash BYTEA NOT NULL,
    concerned_key BIGINT NOT NULL,
    login TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    patient_key BIGINT,
    purposes TEXT[] COLLATE "C" NOT NULL,
    scopes TEXT[] COLLATE "C" NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    spent_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (code_hash)
)
""",
    "CREATE INDEX recovery_code_by_subject ON recovery_code (subject)",
)

# What was ended or spent in these is kept: the service may not delete it.
KEPT: Final = ("passkey", "recovery_code")

# An answered challenge is forgotten by the service once it is too old to be answered, and no moment before.
CHALLENGES: Final = (
    "ALTER TABLE passkey_challenge ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY challenge_is_looked_for ON passkey_challenge FOR SELECT USING (true)",
    "CREATE POLICY challenge_is_kept ON passkey_challenge FOR INSERT WITH CHECK (true)",
    """
CREATE POLICY challenge_is_forgotten ON passkey_challenge FOR DELETE
    USING (expires_at < clock_timestamp() - interval '1 minute')
""",
)


def upgrade() -> None:
    """Carry the database from the revision before to this one; what is spent or ended is kept."""
    service = context.config.attributes["service_role"]
    for statement in (*SESSIONS, *TABLES, *CHALLENGES):
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT, UPDATE ON {", ".join(KEPT)} TO "{service}"')
    op.execute(f'GRANT SELECT, INSERT, DELETE ON passkey_challenge TO "{service}"')


def downgrade() -> None:
    """Refuse: who has a passkey alone could sign in no more."""
    message = "passkeys have no way back by a migration: people who have nothing else could sign in no more"
    raise RuntimeError(message)
