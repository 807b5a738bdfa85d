"""Openings that are reviewed, what two people confirm, and who acts for whom.

http://hl7.org/fhir/R4/relatedperson.html

Revision ID: 0007
"""

from typing import Final

from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# A code of a person of the city waits for another operator; a notice may be for somebody who acts for the patient.
COLUMNS: Final = (
    'ALTER TABLE sign_in_code ADD COLUMN person TEXT COLLATE "C", ADD COLUMN handed_by TEXT COLLATE "C"',
    "ALTER TABLE opening ADD COLUMN session_id UUID",
    'ALTER TABLE notification ADD COLUMN recipient TEXT COLLATE "C"',
)

# Until now all operators were one subject, and all auditors another: each becomes who their login says.
TELL_PERSONS_APART: Final = """
UPDATE sign_in_code SET role = subject, subject = subject || '/' || login
WHERE kind IN ('operator', 'auditor') AND subject = kind
"""

# Every opening began a session at the same instant, and nothing else did for this patient.
NAME_SESSIONS: Final = """
UPDATE opening SET session_id = (SELECT session.session_id FROM session
    WHERE session.opened_patient_key = opening.patient_key AND session.subject = opening.subject
        AND session.issued_at = opening.opened_at
    ORDER BY session.session_id LIMIT 1)
"""

TABLES: Final = (
    """
CREATE TABLE opening_review (
    patient_key BIGINT NOT NULL,
    opening_id UUID NOT NULL,
    verdict TEXT COLLATE "C" NOT NULL,
    comment BYTEA NOT NULL,
    reviewed_by TEXT COLLATE "C" NOT NULL,
    reviewed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (patient_key, opening_id)
)
""",
    "CREATE INDEX opening_by_id ON opening (opening_id)",
    """
CREATE TABLE policy_proposal (
    consent_key BIGINT NOT NULL,
    version INTEGER NOT NULL,
    proposed_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (consent_key)
)
""",
    """
CREATE TABLE family_proxy (
    patient_key BIGINT NOT NULL,
    proxy_key BIGINT NOT NULL,
    proxy_id TEXT COLLATE "C" NOT NULL,
    login TEXT COLLATE "C" NOT NULL,
    guardian BOOLEAN NOT NULL,
    consents TEXT[] COLLATE "C" NOT NULL,
    until TIMESTAMP WITH TIME ZONE,
    notices UUID[] NOT NULL,
    begun_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (patient_key, proxy_key)
)
""",
    "CREATE INDEX family_proxy_by_key ON family_proxy (proxy_key)",
    """
CREATE TABLE desk_matter (
    patient_key BIGINT NOT NULL,
    matter_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    document TEXT COLLATE "C",
    proposed_by TEXT COLLATE "C" NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by TEXT COLLATE "C",
    decided_at TIMESTAMP WITH TIME ZONE,
    outcome TEXT COLLATE "C",
    results TEXT[] COLLATE "C" NOT NULL,
    PRIMARY KEY (patient_key, matter_id)
)
""",
    "CREATE INDEX desk_matter_by_id ON desk_matter (matter_id)",
    "CREATE INDEX desk_matter_waiting ON desk_matter (proposed_at) WHERE decided_at IS NULL",
)


def upgrade() -> None:
    """Carry the database from revision 0006 to this one; a review is only ever added."""
    service = context.config.attributes["service_role"]
    for statement in (*COLUMNS, TELL_PERSONS_APART, NAME_SESSIONS, *TABLES):
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT ON opening_review TO "{service}"')
    op.execute(f'GRANT SELECT, INSERT, UPDATE ON policy_proposal, family_proxy, desk_matter TO "{service}"')


def downgrade() -> None:
    """Refuse: what two people confirmed would be what one of them said."""
    message = "what two people confirmed has no way back by a migration: end it at the desk instead"
    raise RuntimeError(message)
