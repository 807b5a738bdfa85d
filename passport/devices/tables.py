"""Tables of devices: approved models, claims, enrolled devices and their certificates, what each sent, the quarantine.

http://hl7.org/fhir/R4/device.html
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from passport.columns import instant

metadata = MetaData()


device_model = Table(
    "device_model",
    metadata,
    Column("model", Text(collation="C"), primary_key=True),
    Column("manufacturer", Text(collation="C"), nullable=False),
    Column("display", Text(collation="C"), nullable=False),
    Column("readings", ARRAY(Text(collation="C")), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("gateway", Boolean, nullable=False),
)

# A device has a key of its own or is signed for by a gateway; `next_jwk` takes the key's place when it is first used.
device = Table(
    "device",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("device_key", BigInteger, primary_key=True, autoincrement=False),
    Column("device_id", Text(collation="C"), nullable=False),
    Column("model", Text(collation="C"), nullable=False),
    Column("jwk", JSONB, nullable=True),
    Column("next_jwk", JSONB, nullable=True),
    Column("gateway_key", BigInteger, nullable=True),
    Column("status", Text(collation="C"), nullable=False),
    Column("consent_id", Text(collation="C"), nullable=True),
    Column("consent_key", BigInteger, nullable=True),
    instant("enrolled_at"),
    Column("enrolled_by", Text(collation="C"), nullable=True),
    CheckConstraint("(jwk IS NULL) = (gateway_key IS NOT NULL)", name="device_is_signed_for"),
)

device_certificate = Table(
    "device_certificate",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("device_key", BigInteger, primary_key=True, autoincrement=False),
    Column("thumbprint", LargeBinary, primary_key=True),
    Column("kid", Text(collation="C"), nullable=False),
    Column("content", LargeBinary, nullable=False),
    instant("issued_at"),
    instant("ends_at"),
)

# Of nobody until a person enters its code.
device_claim = Table(
    "device_claim",
    metadata,
    Column("claim_id", UUID(as_uuid=True), primary_key=True),
    Column("code_hash", LargeBinary, nullable=False),
    Column("model", Text(collation="C"), nullable=False),
    Column("serial", Text(collation="C"), nullable=False),
    Column("jwk", JSONB, nullable=False),
    instant("expires_at"),
    instant("redeemed_at", nullable=True),
    Column("device_id", Text(collation="C"), nullable=True),
    UniqueConstraint("code_hash"),
    Index("device_claim_by_time", "expires_at"),
)

device_message = Table(
    "device_message",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("device_key", BigInteger, primary_key=True, autoincrement=False),
    Column("counter", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    instant("received_at"),
)

# A reading is known by what was measured, when and by which device: late and twice is normal, stored once.
device_reading = Table(
    "device_reading",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("reading", UUID(as_uuid=True), primary_key=True),
    Column("observation_id", Text(collation="C"), nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("quarantine_id", UUID(as_uuid=True), primary_key=True),
    Column("source", Text(collation="C"), nullable=False),
    Column("reason", Text(collation="C"), nullable=False),
    Column("content", LargeBinary, nullable=False),
    instant("received_at"),
    Index("quarantine_by_time", "patient_key", "received_at"),
)
