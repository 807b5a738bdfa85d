"""Devices that are claimed, certified or behind a gateway, and the cases in which an auditor sees what was asked.

https://www.rfc-editor.org/rfc/rfc5280
http://hl7.org/fhir/R4/auditevent.html

Revision ID: 0013
"""

from typing import Final

from alembic import context, op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# The name of a key is made of the key and the device, so it is no fact of its own. A device behind a gateway has no
# key; one that takes another key has both until it uses the new one.
DEVICES: Final = (
    "ALTER TABLE device_model ADD COLUMN gateway BOOLEAN NOT NULL DEFAULT false",
    """
ALTER TABLE device
    DROP COLUMN kid,
    ALTER COLUMN jwk DROP NOT NULL,
    ADD COLUMN next_jwk JSONB,
    ADD COLUMN gateway_key BIGINT,
    ADD CONSTRAINT device_is_signed_for CHECK ((jwk IS NULL) = (gateway_key IS NOT NULL))
""",
    "ALTER TABLE device_model ALTER COLUMN gateway DROP DEFAULT",
    """
CREATE TABLE device_certificate (
    patient_key BIGINT NOT NULL,
    device_key BIGINT NOT NULL,
    thumbprint BYTEA NOT NULL,
    kid TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, device_key, thumbprint)
)
""",
    """
CREATE TABLE device_claim (
    claim_id UUID NOT NULL,
    code_hash BYTEA NOT NULL,
    model TEXT COLLATE "C" NOT NULL,
    serial TEXT COLLATE "C" NOT NULL,
    jwk JSONB NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    redeemed_at TIMESTAMP WITH TIME ZONE,
    device_id TEXT COLLATE "C",
    PRIMARY KEY (claim_id),
    UNIQUE (code_hash)
)
""",
    "CREATE INDEX device_claim_by_time ON device_claim (expires_at)",
)

CASES: Final = (
    """
CREATE TABLE audit_case (
    case_id UUID NOT NULL,
    opened_by TEXT COLLATE "C" NOT NULL,
    reason BYTEA NOT NULL,
    patient_key BIGINT,
    agent TEXT COLLATE "C",
    starts TIMESTAMP WITH TIME ZONE NOT NULL,
    ends TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (case_id),
    CONSTRAINT audit_case_names_somebody CHECK (patient_key IS NOT NULL OR agent IS NOT NULL)
)
""",
    "CREATE INDEX audit_case_by_auditor ON audit_case (opened_by, expires_at)",
    """
CREATE TABLE audit_case_told (
    patient_key BIGINT NOT NULL,
    case_id UUID NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, case_id)
)
""",
)


def upgrade() -> None:
    """Carry the database on to this revision: what a case was opened for is only ever added to."""
    service = context.config.attributes["service_role"]
    for statement in (*DEVICES, *CASES):
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT ON device_certificate, audit_case, audit_case_told TO "{service}"')
    op.execute(f'GRANT UPDATE (closed_at) ON audit_case TO "{service}"')
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON device_claim TO "{service}"')


def downgrade() -> None:
    """Refuse: a device behind a gateway would be one that nobody signs for."""
    message = "devices behind a gateway have no way back by a migration: revoke them instead"
    raise RuntimeError(message)
