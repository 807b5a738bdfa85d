"""Sign-in at other providers, whom a name there stands for here, and what a certificate says that somebody may do.

https://openid.net/specs/openid-connect-core-1_0.html

Revision ID: 0012
"""

from typing import Final

from alembic import context, op

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES: Final = (
    """
CREATE TABLE federation_provider (
    provider_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    auth_method TEXT COLLATE "C" NOT NULL,
    key_file TEXT COLLATE "C" NOT NULL,
    people TEXT COLLATE "C" NOT NULL,
    organization TEXT COLLATE "C",
    hosts TEXT[] COLLATE "C" NOT NULL,
    two_factors TEXT[] COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    asked_by TEXT COLLATE "C" NOT NULL,
    approved_by TEXT COLLATE "C",
    document JSONB,
    document_at TIMESTAMP WITH TIME ZONE,
    keys JSONB,
    keys_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (provider_id)
)
""",
    """
CREATE TABLE federation_attempt (
    state_hash BYTEA NOT NULL,
    browser_hash BYTEA NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    leads_to TEXT COLLATE "C" NOT NULL,
    query TEXT COLLATE "C" NOT NULL,
    fresh BOOLEAN NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    spent_at TIMESTAMP WITH TIME ZONE,
    sub_hash BYTEA,
    authenticated_at TIMESTAMP WITH TIME ZONE,
    second_factor BOOLEAN,
    said BYTEA,
    done_at TIMESTAMP WITH TIME ZONE,
    login_id UUID,
    PRIMARY KEY (state_hash),
    UNIQUE (browser_hash)
)
""",
    "CREATE INDEX federation_attempt_by_time ON federation_attempt (expires_at)",
    "CREATE INDEX federation_attempt_by_login ON federation_attempt (login_id) WHERE login_id IS NOT NULL",
    """
CREATE TABLE federation_link (
    link_id UUID NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    sub_hash BYTEA NOT NULL,
    login TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    asked_by TEXT COLLATE "C",
    confirmed_by TEXT COLLATE "C",
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (link_id)
)
""",
    "CREATE INDEX federation_link_by_sub ON federation_link (provider_id, sub_hash)",
    "CREATE INDEX federation_link_by_subject ON federation_link (subject)",
    """
CREATE TABLE federation_attribute (
    patient_key BIGINT NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    value BYTEA NOT NULL,
    said_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, provider_id, name)
)
""",
    """
CREATE TABLE qualification (
    qualification_id UUID NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    titles TEXT[] COLLATE "C" NOT NULL,
    certificate_hash BYTEA NOT NULL,
    authority TEXT COLLATE "C" NOT NULL,
    serial TEXT COLLATE "C" NOT NULL,
    starts TIMESTAMP WITH TIME ZONE NOT NULL,
    ends TIMESTAMP WITH TIME ZONE NOT NULL,
    revocation TEXT COLLATE "C" NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (qualification_id),
    UNIQUE (certificate_hash)
)
""",
    """
CREATE TABLE qualification_challenge (
    challenge_hash BYTEA NOT NULL,
    login_id UUID NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (challenge_hash)
)
""",
    "CREATE INDEX qualification_challenge_by_time ON qualification_challenge (expires_at)",
)

KEPT: Final = ("federation_provider", "federation_link", "qualification")
"""What was approved, linked or recorded stays: the service may end it, and deletes none of it."""

FORGOTTEN: Final = ("federation_attempt", "federation_attribute", "qualification_challenge")


def upgrade() -> None:
    """Carry the database from the revision before to this one."""
    service = context.config.attributes["service_role"]
    for statement in TABLES:
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT, UPDATE ON {", ".join(KEPT)} TO "{service}"')
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON {", ".join(FORGOTTEN)} TO "{service}"')


def downgrade() -> None:
    """Drop what was linked and recorded: who signed in at a provider signs in by code again."""
    op.execute(f"DROP TABLE {', '.join((*KEPT, *FORGOTTEN))}")
