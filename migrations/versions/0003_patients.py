"""Who is registered twice, and who died: merges of registrations, and what follows from both.

http://hl7.org/fhir/R4/patient.html#merge

Revision ID: 0003
"""

from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE patient_merge (
    patient_key BIGINT NOT NULL,
    merge_id UUID NOT NULL,
    survivor_key BIGINT NOT NULL,
    was_active BOOLEAN,
    merged_at TIMESTAMP WITH TIME ZONE NOT NULL,
    undone_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (patient_key, merge_id)
);

CREATE UNIQUE INDEX patient_merge_standing ON patient_merge (patient_key) WHERE undone_at IS NULL;

CREATE TABLE patient_link (
    patient_key BIGINT NOT NULL,
    other_key BIGINT NOT NULL,
    PRIMARY KEY (patient_key, other_key)
);

CREATE TABLE patient_death (
    patient_key BIGINT NOT NULL,
    stated_by BIGINT NOT NULL,
    recorded TIMESTAMP WITH TIME ZONE NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, stated_by)
);
"""


def upgrade() -> None:
    """Create the tables; a merge is only ever added or undone, never deleted."""
    service = context.config.attributes["service_role"]
    for statement in TABLES.split(";\n"):
        if statement.strip():
            op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT, UPDATE ON patient_merge TO "{service}"')
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON patient_link, patient_death TO "{service}"')


def downgrade() -> None:
    """Refuse: without its merges and deaths a passport would show what it must not."""
    message = "the registrations that were merged have no way back by a migration: undo the merges instead"
    raise RuntimeError(message)
