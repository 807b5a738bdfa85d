"""Tables of cases: what an auditor opened one for, and whom it was shown to.

http://hl7.org/fhir/R4/auditevent.html
"""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from passport.columns import instant

metadata = MetaData()

# `reason` is sealed; `agent` is a reference, or a person of the city.
audit_case = Table(
    "audit_case",
    metadata,
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    Column("opened_by", Text(collation="C"), nullable=False),
    Column("reason", LargeBinary, nullable=False),
    Column("patient_key", BigInteger, nullable=True),
    Column("agent", Text(collation="C"), nullable=True),
    instant("starts"),
    instant("ends"),
    instant("opened_at"),
    instant("expires_at"),
    instant("closed_at", nullable=True),
    CheckConstraint("patient_key IS NOT NULL OR agent IS NOT NULL", name="audit_case_names_somebody"),
    Index("audit_case_by_auditor", "opened_by", "expires_at"),
)

audit_case_told = Table(
    "audit_case_told",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("case_id", UUID(as_uuid=True), primary_key=True),
    instant("told_at"),
)
