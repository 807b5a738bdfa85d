"""Tables of the identity of patients: merges of registrations, what they link, and deaths.

http://hl7.org/fhir/R4/patient.html#merge

`patient_link` is what the standing merges come to: every pair of registrations of one person, each with itself too.
Who died is linked with themselves: whoever has no row here needs no further look.
A row of `patient_death` says of a registration that its person died; `stated_by` is the one whose Patient says so.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Table, text
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

metadata = MetaData()

patient_merge = Table(
    "patient_merge",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("merge_id", UUID, primary_key=True),
    Column("survivor_key", BigInteger, nullable=False),
    Column("was_active", Boolean, nullable=True),
    Column("merged_at", TIMESTAMP(timezone=True), nullable=False),
    Column("undone_at", TIMESTAMP(timezone=True), nullable=True),
    Index("patient_merge_standing", "patient_key", unique=True, postgresql_where=text("undone_at IS NULL")),
)

patient_link = Table(
    "patient_link",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("other_key", BigInteger, primary_key=True, autoincrement=False),
)

patient_death = Table(
    "patient_death",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("stated_by", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded", TIMESTAMP(timezone=True), nullable=False),
    Column("since", TIMESTAMP(timezone=True), nullable=False),
)
