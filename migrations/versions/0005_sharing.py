"""What people need to share: one-time codes, and what a requester may know of a request.

http://hl7.org/fhir/R4/consent.html

What was shown when they agreed stands in the Consent itself.

Revision ID: 0005
"""

from alembic import context, op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE sharing_code (
    patient_key BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    code_id UUID NOT NULL,
    code_hash BYTEA NOT NULL,
    token_hash BYTEA,
    terms BYTEA,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    organization TEXT COLLATE "C",
    consent_id TEXT COLLATE "C",
    PRIMARY KEY (patient_key, kind)
);

CREATE INDEX sharing_code_by_hash ON sharing_code (code_hash);

CREATE TABLE sharing_request (
    requester BIGINT NOT NULL,
    consent_key BIGINT NOT NULL,
    consent_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (requester, consent_key)
);

CREATE INDEX sharing_request_by_consent ON sharing_request (consent_key);

CREATE INDEX sharing_request_by_time ON sharing_request (requester, asked_at);
"""


def upgrade() -> None:
    """Create both; a request is never taken back, and follows its Consent."""
    service = context.config.attributes["service_role"]
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT, UPDATE ON sharing_code, sharing_request TO "{service}"')


def downgrade() -> None:
    """Drop both; the Consents stay as they are."""
    op.execute("DROP TABLE sharing_request, sharing_code")
