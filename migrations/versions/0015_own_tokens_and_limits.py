"""Which client got a token, and what callers asked for lately.

https://www.rfc-editor.org/rfc/rfc7009#section-2.1
https://www.rfc-editor.org/rfc/rfc9126#section-2.3

Revision ID: 0015
"""

from typing import Final

from alembic import context, op

revision = "0015"
down_revision = "0016"
branch_labels = None
depends_on = None

# Of two clients of one Organization it is not known which one got a token that is there already: it ends, as all of
# them do within minutes. A token that was exchanged has the family of another client's.
CLIENTS: Final = (
    'ALTER TABLE session ADD COLUMN client_id TEXT COLLATE "C"',
    """
UPDATE session SET client_id = grant_family.client_id FROM grant_family
WHERE grant_family.family_id = session.family_id AND session.derived_from IS NULL
""",
    """
UPDATE session SET client_id = (
    SELECT min(client.client_id) FROM client WHERE client.subject = coalesce(session.client, session.subject)
    HAVING count(*) = 1)
WHERE client_id IS NULL AND (kind = 'service' OR derived_from IS NOT NULL)
""",
    """
UPDATE session SET ended_at = now()
WHERE client_id IS NULL AND kind = 'service' AND ended_at IS NULL AND expires_at > now()
""",
)

# What was counted of registrations was counted for an hour.
COUNTED: Final = (
    "DROP TABLE registration_asked",
    """
CREATE TABLE asked_lately (
    caller BIGINT NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    asked INTEGER NOT NULL,
    over_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (caller, window_start)
)
""",
    "CREATE INDEX asked_lately_by_end ON asked_lately (over_at)",
)


def upgrade() -> None:
    """Carry the database on to this revision."""
    service = context.config.attributes["service_role"]
    for statement in (*CLIENTS, *COUNTED):
        op.execute(statement)
    op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON asked_lately TO "{service}"')


def downgrade() -> None:
    """Refuse: a token would be good for every client of an Organization again."""
    message = "whose a token is has no way back by a migration"
    raise RuntimeError(message)
