"""What is over is removed: rules by which the service may, and by which scopes each row of the log was let through.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14

Revision ID: 0010
"""

from typing import Final

from alembic import context, op

revision = "0010"
down_revision = "0011"
branch_labels = None
depends_on = None

AUDIT: Final = 'ALTER TABLE audit_event ADD COLUMN scopes TEXT[] COLLATE "C"'

INDEXES: Final = (
    "CREATE INDEX session_by_end ON session (expires_at)",
    "CREATE INDEX refresh_token_by_family ON refresh_token (family_id)",
)

# What is spent tells a thief from its owner as long as its family goes on.
_FAMILY_OVER: Final = """EXISTS (SELECT FROM grant_family AS family WHERE family.family_id = {table}.family_id
    AND least(family.ended_at, family.expires_at) < clock_timestamp() - interval '1 day')"""

OVER: Final = {
    "login_session": "least(ended_at, expires_at) < clock_timestamp() - interval '1 day'",
    "authorization_code": f"""expires_at < clock_timestamp() - interval '1 day'
    AND (spent_at IS NULL OR {_FAMILY_OVER.format(table="authorization_code")})""",
    "refresh_token": _FAMILY_OVER.format(table="refresh_token"),
    "pushed_request": "expires_at < clock_timestamp() - interval '1 day'",
    "device_authorization": f"""expires_at < clock_timestamp() - interval '1 day'
    AND (spent_at IS NULL OR {_FAMILY_OVER.format(table="device_authorization")})""",
    "launch_context": "expires_at < clock_timestamp() - interval '1 day'",
    # An assertion lasts five minutes.
    "client_assertion": "expires_at < clock_timestamp() - interval '1 hour'",
}
"""When a row of each table is of no more use, by the clock of the server."""

POLICIES: Final = """
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {table}_is_looked_for ON {table} FOR SELECT USING (true);
CREATE POLICY {table}_is_kept ON {table} FOR INSERT WITH CHECK (true);
CREATE POLICY {table}_is_spent ON {table} FOR UPDATE USING (true);
CREATE POLICY {table}_is_forgotten ON {table} FOR DELETE USING ({over})
"""


def upgrade() -> None:
    """Carry the database from the revision before to this one; rows of the log that are there name no scopes."""
    service = context.config.attributes["service_role"]
    for statement in (AUDIT, *INDEXES):
        op.execute(statement)
    for table, over in OVER.items():
        for statement in POLICIES.format(table=table, over=over).split(";\n"):
            op.execute(statement)
    op.execute(f'GRANT DELETE ON {", ".join(OVER)} TO "{service}"')


def downgrade() -> None:
    """Refuse: the log would lose what its rows name."""
    message = "the scopes that the log names have no way back by a migration"
    raise RuntimeError(message)
