"""The table of the audit log: one row per request and patient, written in the request's transaction.

https://profiles.ihe.net/ITI/BALP/
"""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, UUID

metadata = MetaData()

audit_event = Table(
    "audit_event",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("audit_id", UUID(as_uuid=True), primary_key=True),
    Column("recorded", TIMESTAMP(timezone=True), nullable=False),
    Column("action", Text(collation="C"), nullable=False),
    Column("kind", Text(collation="C"), nullable=False),
    Column("subject", Text(collation="C"), nullable=True),
    Column("role", Text(collation="C"), nullable=True),
    Column("client", Text(collation="C"), nullable=True),
    Column("behalf_of", Text(collation="C"), nullable=True),
    Column("purpose", Text(collation="C"), nullable=True),
    Column("query", Text(collation="C"), nullable=False),
    Column("record_keys", ARRAY(BigInteger), nullable=False),
    Column("versions", ARRAY(Integer), nullable=False),
    Column("grants", ARRAY(Text(collation="C")), nullable=False),
    Column("outcome", Text(collation="C"), nullable=False),
    Column("detail", Text(collation="C"), nullable=False),
    Index("audit_event_by_time", "patient_key", "recorded", "audit_id"),
    Index("audit_event_all_by_time", "recorded", "audit_id"),
)
