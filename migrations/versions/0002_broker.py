"""The broker's own schema: message queues in PostgreSQL, for installations without Redis or RabbitMQ.

https://github.com/pgmq/pgmq

The functions belong to the owner, the queues to the broker's role, which makes them on first use. That role
cannot replace a function, and holds no right outside of the schema: a stolen broker password shows keys of
outbox rows and no patient's data.

Revision ID: 0002
"""

from typing import Final

import psycopg
from alembic import context, op
from pgmq import get_embedded_install_sql, get_embedded_sql_version
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Its own bookkeeping, which the functions read and write with the rights of whoever calls them.
BOOKKEEPING: Final = ("meta", "notify_insert_throttle", "topic_bindings")


def upgrade() -> None:
    """Install the queue functions if the database has none yet, and let the broker's role use them."""
    broker = context.config.attributes["broker_role"]
    if op.get_bind().execute(text("SELECT to_regnamespace('pgmq') IS NULL")).scalar_one():
        _install()
    op.execute(f'GRANT USAGE, CREATE ON SCHEMA pgmq TO "{broker}"')
    for table in BOOKKEEPING:
        op.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON pgmq.{table} TO "{broker}"')


def _install() -> None:
    """Run the script that the package ships; its colons and percent signs are not parameters."""
    connection = op.get_bind().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        message = f"migrations run on psycopg, got `{type(connection).__name__}`"
        raise TypeError(message)
    connection.execute(get_embedded_install_sql().encode())
    op.execute(f"COMMENT ON SCHEMA pgmq IS 'pgmq {get_embedded_sql_version()}, as SQL'")


def downgrade() -> None:
    """Drop the queues: whatever they held is still in the outbox."""
    op.execute("DROP SCHEMA pgmq CASCADE")
