"""The authorization server: clients of two profiles, browser sessions, families of tokens, codes and proofs.

https://www.rfc-editor.org/rfc/rfc6749

Revision ID: 0008
"""

from typing import Final

from alembic import context, op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What was registered so far is a service with a key of its own; whoever approved it was one operator.
CLIENTS: Final = (
    """
ALTER TABLE client
    ALTER COLUMN subject DROP NOT NULL,
    ADD COLUMN profile TEXT COLLATE "C",
    ADD COLUMN redirect_uris TEXT[] COLLATE "C",
    ADD COLUMN grant_types TEXT[] COLLATE "C",
    ADD COLUMN auth_method TEXT COLLATE "C",
    ADD COLUMN introspects BOOLEAN,
    ADD COLUMN state TEXT COLLATE "C",
    ADD COLUMN asked_by TEXT COLLATE "C",
    ADD COLUMN approved_by TEXT COLLATE "C"
""",
    """
UPDATE client SET profile = 'smart', redirect_uris = '{}', grant_types = '{client_credentials}',
    auth_method = 'private_key_jwt', introspects = false, state = CASE WHEN active THEN 'active' ELSE 'ended' END
""",
    """
ALTER TABLE client
    ALTER COLUMN profile SET NOT NULL,
    ALTER COLUMN redirect_uris SET NOT NULL,
    ALTER COLUMN grant_types SET NOT NULL,
    ALTER COLUMN auth_method SET NOT NULL,
    ALTER COLUMN introspects SET NOT NULL,
    ALTER COLUMN state SET NOT NULL,
    DROP COLUMN active
""",
)

SESSIONS: Final = (
    "ALTER TABLE session ADD COLUMN family_id UUID, ADD COLUMN confirmation BYTEA, ADD COLUMN derived_from UUID",
    "CREATE INDEX session_by_family ON session (family_id) WHERE family_id IS NOT NULL",
    "CREATE INDEX session_by_origin ON session (derived_from) WHERE derived_from IS NOT NULL",
)

TABLES: Final = (
    """
CREATE TABLE login_session (
    cookie_hash BYTEA NOT NULL,
    login_id UUID NOT NULL,
    login TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    patient_key BIGINT,
    purposes TEXT[] COLLATE "C" NOT NULL,
    scopes TEXT[] COLLATE "C" NOT NULL,
    methods TEXT[] COLLATE "C" NOT NULL,
    authenticated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    second_factor_at TIMESTAMP WITH TIME ZONE,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (cookie_hash),
    UNIQUE (login_id)
)
""",
    "CREATE INDEX login_session_by_subject ON login_session (subject)",
    """
CREATE TABLE grant_family (
    family_id UUID NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    patient_key BIGINT,
    scopes TEXT[] COLLATE "C" NOT NULL,
    beside TEXT[] COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    nonce TEXT COLLATE "C",
    launch JSONB NOT NULL,
    login_id UUID,
    confirmation BYTEA,
    authenticated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (family_id)
)
""",
    "CREATE INDEX grant_family_by_subject ON grant_family (subject)",
    "CREATE INDEX grant_family_by_client ON grant_family (client_id)",
    "CREATE INDEX grant_family_by_login ON grant_family (login_id) WHERE login_id IS NOT NULL",
    """
CREATE TABLE authorization_code (
    code_hash BYTEA NOT NULL,
    family_id UUID NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    redirect_uri TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    thumbprint BYTEA,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    spent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (code_hash)
)
""",
    """
CREATE TABLE refresh_token (
    token_hash BYTEA NOT NULL,
    family_id UUID NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    spent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (token_hash)
)
""",
    """
CREATE TABLE pushed_request (
    request_hash BYTEA NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    parameters JSONB NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    spent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (request_hash)
)
""",
    """
CREATE TABLE device_authorization (
    device_hash BYTEA NOT NULL,
    user_code_hash BYTEA NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C",
    confirmation BYTEA,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    polled_at TIMESTAMP WITH TIME ZONE,
    interval_seconds INTEGER NOT NULL,
    family_id UUID,
    denied_at TIMESTAMP WITH TIME ZONE,
    spent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (device_hash),
    UNIQUE (user_code_hash)
)
""",
    """
CREATE TABLE launch_context (
    launch_hash BYTEA NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    context JSONB NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    spent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (launch_hash)
)
""",
    """
CREATE TABLE proof_seen (
    proof_hash BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (proof_hash)
)
""",
    "CREATE INDEX proof_seen_by_time ON proof_seen (expires_at)",
    """
CREATE TABLE registration_asked (
    caller BIGINT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    asked INTEGER NOT NULL,
    PRIMARY KEY (caller, window_start)
)
""",
)

# What is spent or ended in these is kept: the service may not delete it.
KEPT: Final = (
    "login_session",
    "grant_family",
    "authorization_code",
    "refresh_token",
    "pushed_request",
    "device_authorization",
    "launch_context",
)

# A proof is forgotten by the service once it is too old to be presented, and no moment before.
PROOFS: Final = (
    "ALTER TABLE proof_seen ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY proof_is_looked_for ON proof_seen FOR SELECT USING (true)",
    "CREATE POLICY proof_is_kept ON proof_seen FOR INSERT WITH CHECK (true)",
    """
CREATE POLICY proof_is_forgotten ON proof_seen FOR DELETE
    USING (expires_at < clock_timestamp() - interval '1 minute')
""",
)


def upgrade() -> None:
    """Carry the database from revision 0007 to this one; what is spent or ended is kept."""
    service = context.config.attributes["service_role"]
    for statement in (*CLIENTS, *SESSIONS, *TABLES, *PROOFS):
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT, UPDATE ON {", ".join(KEPT)} TO "{service}"')
    op.execute(f'GRANT SELECT, INSERT, DELETE ON proof_seen TO "{service}"')
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON registration_asked TO "{service}"')


def downgrade() -> None:
    """Refuse: a token that is bound to a key would be good without it."""
    message = "tokens that are bound to a key have no way back by a migration: end them instead"
    raise RuntimeError(message)
