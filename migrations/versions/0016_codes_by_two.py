"""Sign-in codes that wait for another operator, by which passkey apps were allowed, and at which browser a session is.

https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final (AC-3(2), dual authorization)

Revision ID: 0016
"""

from typing import Final

from alembic import context, op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

# A code that waits lies beside the one that is good, which goes on until then.
PROPOSALS: Final = (
    """
CREATE TABLE code_proposal (
    login TEXT COLLATE "C" NOT NULL,
    secret_hash TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    patient_key BIGINT,
    purposes TEXT[] COLLATE "C" NOT NULL,
    scopes TEXT[] COLLATE "C" NOT NULL,
    person TEXT COLLATE "C",
    proposed_by TEXT COLLATE "C" NOT NULL,
    proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (login)
)
""",
    "CREATE INDEX code_proposal_by_time ON code_proposal (expires_at)",
    "CREATE INDEX code_proposal_by_subject ON code_proposal (subject)",
    """
INSERT INTO code_proposal
SELECT login, secret_hash, kind, subject, role, patient_key, purposes, scopes, person, handed_by, used_at,
    used_at + interval '14 days'
FROM sign_in_code WHERE active AND handed_by IS NOT NULL
""",
    "UPDATE sign_in_code SET active = false WHERE handed_by IS NOT NULL",
    "ALTER TABLE sign_in_code DROP COLUMN handed_by",
)

# Whether anybody signed in by a code that is there already is not known: each counts as one that let somebody in.
ENTERED: Final = (
    "ALTER TABLE sign_in_code ADD COLUMN entered_at TIMESTAMP WITH TIME ZONE",
    "UPDATE sign_in_code SET entered_at = used_at",
    "CREATE INDEX sign_in_code_by_subject ON sign_in_code (subject)",
)

# What was allowed by a passkey outlives the session in which it was, which is forgotten a day after its end.
ALLOWED_BY: Final = (
    "ALTER TABLE grant_family ADD COLUMN passkey_id UUID",
    """
UPDATE grant_family SET passkey_id = login_session.passkey_id
FROM login_session WHERE login_session.login_id = grant_family.login_id
""",
    "CREATE INDEX grant_family_by_passkey ON grant_family (passkey_id) WHERE passkey_id IS NOT NULL",
)

BROWSERS: Final = ('ALTER TABLE login_session ADD COLUMN browser TEXT COLLATE "C"',)


def upgrade() -> None:
    """Carry the database on to this revision."""
    service = context.config.attributes["service_role"]
    for statement in (*PROPOSALS, *ENTERED, *ALLOWED_BY, *BROWSERS):
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON code_proposal TO "{service}"')


def downgrade() -> None:
    """Refuse: codes that wait would be good, and what a passkey allowed would be forgotten."""
    message = "who let whom in has no way back by a migration"
    raise RuntimeError(message)
