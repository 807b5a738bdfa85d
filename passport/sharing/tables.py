"""Tables of sharing: the codes that people show, and what a requester may know of a request.

http://hl7.org/fhir/R4/consent.html

One live code of each kind belongs to a person; a new one takes its place. Whoever is shown a code names it by its
keyed hash alone. `terms` are what a share code offers, sealed with the person's key; `token_hash` opens the session
in which the person acts when it is redeemed.

`sharing_request` says to whoever asked how the Consent stands that they asked for, and nothing else: it is kept for
people who are here and for those who are not, and follows the Consent in the transaction that writes it.
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from passport.columns import instant

metadata = MetaData()


sharing_code = Table(
    "sharing_code",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text(collation="C"), primary_key=True),
    Column("code_id", UUID(as_uuid=True), nullable=False),
    Column("code_hash", LargeBinary, nullable=False),
    Column("token_hash", LargeBinary, nullable=True),
    Column("terms", LargeBinary, nullable=True),
    instant("expires_at"),
    Column("organization", Text(collation="C"), nullable=True),
    Column("consent_id", Text(collation="C"), nullable=True),
    Index("sharing_code_by_hash", "code_hash"),
)

sharing_request = Table(
    "sharing_request",
    metadata,
    Column("requester", BigInteger, primary_key=True, autoincrement=False),
    Column("consent_key", BigInteger, primary_key=True, autoincrement=False),
    Column("consent_id", Text(collation="C"), nullable=False),
    Column("status", Text(collation="C"), nullable=False),
    instant("asked_at"),
    instant("ends_at", nullable=True),
    Index("sharing_request_by_consent", "consent_key"),
    Index("sharing_request_by_time", "requester", "asked_at"),
)
