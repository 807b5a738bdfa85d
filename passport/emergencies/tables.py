"""The table of reviews: what an auditor found of an opening, once.

http://terminology.hl7.org/CodeSystem/v3-ActReason (BTG)

The openings themselves are a table of identity, since an opening is a way to a session.
"""

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

metadata = MetaData()

opening_review = Table(
    "opening_review",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("opening_id", UUID(as_uuid=True), primary_key=True),
    Column("verdict", Text(collation="C"), nullable=False),
    Column("comment", LargeBinary, nullable=False),
    Column("reviewed_by", Text(collation="C"), nullable=False),
    Column("reviewed_at", TIMESTAMP(timezone=True), nullable=False),
)
