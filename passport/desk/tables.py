"""The table of matters: what one person of the city entered, until another one of their office decides it.

http://hl7.org/fhir/R4/documentreference.html

`content` is sealed with the patient's own key; `document` is the DocumentReference of the paper that was scanned.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, UUID

metadata = MetaData()

desk_matter = Table(
    "desk_matter",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("matter_id", UUID(as_uuid=True), primary_key=True),
    Column("kind", Text(collation="C"), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("document", Text(collation="C"), nullable=True),
    Column("proposed_by", Text(collation="C"), nullable=False),
    Column("proposed_at", TIMESTAMP(timezone=True), nullable=False),
    Column("decided_by", Text(collation="C"), nullable=True),
    Column("decided_at", TIMESTAMP(timezone=True), nullable=True),
    Column("outcome", Text(collation="C"), nullable=True),
    Column("results", ARRAY(Text(collation="C")), nullable=False),
    Index("desk_matter_by_id", "matter_id"),
    Index("desk_matter_waiting", "proposed_at", postgresql_where=text("decided_at IS NULL")),
)
