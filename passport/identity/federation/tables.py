"""The tables of federation: providers, attempts to sign in at one, whom a name there stands for, and what it said.

https://openid.net/specs/openid-connect-core-1_0.html

A provider's name for somebody (`sub`) is nowhere kept: `sub_hash` is a keyed hash of it, another one per provider.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from passport.columns import instant

metadata = MetaData()


# `state` is `waiting` (for another operator), `active` or `ended`; `document` and `keys` are what it publishes.
federation_provider = Table(
    "federation_provider",
    metadata,
    Column("provider_id", Text(collation="C"), primary_key=True),
    Column("name", Text(collation="C"), nullable=False),
    Column("profile", Text(collation="C"), nullable=False),
    Column("issuer", Text(collation="C"), nullable=False),
    Column("client_id", Text(collation="C"), nullable=False),
    Column("auth_method", Text(collation="C"), nullable=False),
    Column("key_file", Text(collation="C"), nullable=False),
    Column("people", Text(collation="C"), nullable=False),
    Column("organization", Text(collation="C"), nullable=True),
    Column("hosts", ARRAY(Text(collation="C")), nullable=False),
    Column("two_factors", ARRAY(Text(collation="C")), nullable=False),
    Column("state", Text(collation="C"), nullable=False),
    Column("asked_by", Text(collation="C"), nullable=False),
    Column("approved_by", Text(collation="C"), nullable=True),
    Column("document", JSONB, nullable=True),
    instant("document_at", nullable=True),
    Column("keys", JSONB, nullable=True),
    instant("keys_at", nullable=True),
)

# One way to a provider and back: `sub_hash` and what follows is there once its answer was believed.
federation_attempt = Table(
    "federation_attempt",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("browser_hash", LargeBinary, nullable=False, unique=True),
    Column("provider_id", Text(collation="C"), nullable=False),
    Column("issuer", Text(collation="C"), nullable=False),
    Column("leads_to", Text(collation="C"), nullable=False),
    Column("query", Text(collation="C"), nullable=False),
    Column("fresh", Boolean, nullable=False),
    instant("expires_at"),
    instant("spent_at", nullable=True),
    Column("sub_hash", LargeBinary, nullable=True),
    instant("authenticated_at", nullable=True),
    Column("second_factor", Boolean, nullable=True),
    Column("said", LargeBinary, nullable=True),
    instant("done_at", nullable=True),
    Column("login_id", UUID(as_uuid=True), nullable=True),
    Index("federation_attempt_by_time", "expires_at"),
    Index("federation_attempt_by_login", "login_id", postgresql_where=text("login_id IS NOT NULL")),
)

# One that an operator asked for waits until another one has confirmed it.
federation_link = Table(
    "federation_link",
    metadata,
    Column("link_id", UUID(as_uuid=True), primary_key=True),
    Column("provider_id", Text(collation="C"), nullable=False),
    Column("sub_hash", LargeBinary, nullable=False),
    Column("login", Text(collation="C"), nullable=False),
    Column("subject", Text(collation="C"), nullable=False),
    Column("asked_by", Text(collation="C"), nullable=True),
    Column("confirmed_by", Text(collation="C"), nullable=True),
    instant("linked_at"),
    instant("ended_at", nullable=True),
    Index("federation_link_by_sub", "provider_id", "sub_hash"),
    Index("federation_link_by_subject", "subject"),
)

# `value` is sealed with the patient's own key.
federation_attribute = Table(
    "federation_attribute",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("provider_id", Text(collation="C"), primary_key=True),
    Column("name", Text(collation="C"), primary_key=True),
    Column("value", LargeBinary, nullable=False),
    instant("said_at"),
)
