"""The table of those who act for a patient.

http://hl7.org/fhir/R4/relatedperson.html

What they may see stands in Consents alone. `until` is when a guardian's child is of age: no session of theirs lasts
longer, and `notices` wait for that instant.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, UUID

metadata = MetaData()

family_proxy = Table(
    "family_proxy",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("proxy_key", BigInteger, primary_key=True, autoincrement=False),
    Column("proxy_id", Text(collation="C"), nullable=False),
    Column("login", Text(collation="C"), nullable=False),
    Column("guardian", Boolean, nullable=False),
    Column("consents", ARRAY(Text(collation="C")), nullable=False),
    Column("until", TIMESTAMP(timezone=True), nullable=True),
    Column("notices", ARRAY(UUID(as_uuid=True)), nullable=False),
    Column("begun_at", TIMESTAMP(timezone=True), nullable=False),
    Column("ended_at", TIMESTAMP(timezone=True), nullable=True),
    Index("family_proxy_by_key", "proxy_key"),
)
