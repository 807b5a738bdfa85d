"""The tables of qualifications: what a certificate said, and the challenges that its holder signs.

https://www.iso.org/standard/63019.html (ISO 17090-2)
"""

from sqlalchemy import Column, Index, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from passport.columns import instant

metadata = MetaData()

# `titles` are those of hcRole; `revocation` says whether it was looked whether the certificate was taken back.
qualification = Table(
    "qualification",
    metadata,
    Column("qualification_id", UUID(as_uuid=True), primary_key=True),
    Column("subject", Text(collation="C"), nullable=False),
    Column("role", Text(collation="C"), nullable=True),
    Column("titles", ARRAY(Text(collation="C")), nullable=False),
    Column("certificate_hash", LargeBinary, nullable=False, unique=True),
    Column("authority", Text(collation="C"), nullable=False),
    Column("serial", Text(collation="C"), nullable=False),
    instant("starts"),
    instant("ends"),
    Column("revocation", Text(collation="C"), nullable=False),
    instant("recorded_at"),
)

qualification_challenge = Table(
    "qualification_challenge",
    metadata,
    Column("challenge_hash", LargeBinary, primary_key=True),
    Column("login_id", UUID(as_uuid=True), nullable=False),
    instant("expires_at"),
    Index("qualification_challenge_by_time", "expires_at"),
)
