"""Tables of imports: what was handed over, what became of it, and how it deviated.

https://www.jahis.jp/

`content` is sealed under the patient's key; `token_hash` names the delegated session with which a worker acts
for whoever handed the file over; `reason` and `deviations` quote nothing from the file. `import_entry` is what
a source has written, by the identifier it gave: the same source's next file does not write it again.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from passport.columns import instant

metadata = MetaData()


import_job = Table(
    "import_job",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("import_id", UUID(as_uuid=True), primary_key=True),
    Column("source", Text(collation="C"), nullable=False),
    Column("format", Text(collation="C"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("status", Text(collation="C"), nullable=False),
    Column("reason", Text(collation="C"), nullable=True),
    Column("content", LargeBinary, nullable=False),
    Column("token_hash", LargeBinary, nullable=False),
    Column("created", ARRAY(Text(collation="C")), nullable=False),
    Column("deviations", JSONB, nullable=False),
    instant("received_at"),
    instant("done_at", nullable=True),
    Index("import_once", "patient_key", "source", "digest", unique=True),
)

import_entry = Table(
    "import_entry",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text(collation="C"), primary_key=True),
    Column("identifier", BigInteger, primary_key=True, autoincrement=False),
    Column("reference", Text(collation="C"), nullable=False),
)
