"""The table of imports: what was handed over, what became of it, and how it deviated.

https://www.jahis.jp/
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

metadata = MetaData()


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable)


import_job = Table(
    "import_job",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("import_id", UUID(as_uuid=True), primary_key=True),
    Column("source", Text(collation="C"), nullable=False),
    Column("format", Text(collation="C"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("status", Text(collation="C"), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("grants", ARRAY(Text(collation="C")), nullable=False),
    Column("session", JSONB, nullable=False),
    Column("created", ARRAY(Text(collation="C")), nullable=False),
    Column("deviations", JSONB, nullable=False),
    _instant("received_at"),
    _instant("done_at", nullable=True),
    Index("import_once", "patient_key", "source", "digest", unique=True),
)
