"""The table of notifications.

`recipient` is somebody who acts for the patient, where a notice is theirs and not the patient's. A notice that is for
later is there from the beginning, with its time.
"""

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

metadata = MetaData()

notification = Table(
    "notification",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("notification_id", UUID(as_uuid=True), primary_key=True),
    Column("kind", Text(collation="C"), nullable=False),
    Column("about", JSONB, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False),
    Column("recipient", Text(collation="C"), nullable=True),
    Index("notification_by_time", "patient_key", text("created_at DESC"), text("notification_id DESC")),
)
