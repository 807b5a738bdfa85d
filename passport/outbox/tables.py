"""The table of work to be done.

The outbox is the truth: a request writes its row in its own transaction, a relay carries it to the broker.
`due_at` says when somebody is to look at a row that is not done yet, for the first time or again.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from passport.columns import instant

metadata = MetaData()


outbox = Table(
    "outbox",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("outbox_id", UUID(as_uuid=True), primary_key=True),
    Column("task", Text(collation="C"), nullable=False),
    Column("arguments", JSONB, nullable=False),
    instant("created_at"),
    instant("due_at"),
    instant("done_at", nullable=True),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("failure", Text(collation="C"), nullable=True),
    Index("outbox_due", "due_at", postgresql_where=text("done_at IS NULL")),
)
