"""Tables of the authorization server: families of tokens, and what leads to one.

https://www.rfc-editor.org/rfc/rfc6749

Secrets are kept as SHA-256 of 32 random bytes; what was spent is kept, so that it is known again.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

from passport.columns import instant

metadata = MetaData()


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text(collation="C"), nullable=nullable)


def _id(name: str, *, nullable: bool = False, key: bool = False) -> Column[object]:
    return Column(name, UUID(as_uuid=True), nullable=nullable, primary_key=key)


# Everything that follows from one decision of one person about one client: it ends as a whole. `beside` are scopes
# that open no record (`openid`, `offline_access`); `login_id` is the browser session that it ends with, `methods` and
# `passkey_id` by what its person had been recognised there.
grant_family = Table(
    "grant_family",
    metadata,
    _id("family_id", key=True),
    _text("client_id"),
    _text("kind"),
    _text("subject"),
    _text("role", nullable=True),
    Column("patient_key", BigInteger, nullable=True),
    Column("scopes", ARRAY(Text(collation="C")), nullable=False),
    Column("beside", ARRAY(Text(collation="C")), nullable=False),
    _text("purpose"),
    _text("nonce", nullable=True),
    Column("launch", JSONB, nullable=False),
    _id("login_id", nullable=True),
    Column("confirmation", LargeBinary, nullable=True),
    instant("authenticated_at"),
    instant("begun_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
    Column("methods", ARRAY(Text(collation="C")), nullable=False),
    _id("passkey_id", nullable=True),
    Index("grant_family_by_passkey", "passkey_id", postgresql_where=text("passkey_id IS NOT NULL")),
    Index("grant_family_by_subject", "subject"),
    Index("grant_family_by_client", "client_id"),
    Index("grant_family_by_login", "login_id", postgresql_where=text("login_id IS NOT NULL")),
)

authorization_code = Table(
    "authorization_code",
    metadata,
    Column("code_hash", LargeBinary, primary_key=True),
    _id("family_id"),
    _text("client_id"),
    _text("redirect_uri"),
    _text("challenge"),
    Column("thumbprint", LargeBinary, nullable=True),
    instant("expires_at"),
    instant("spent_at", nullable=True),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    _id("family_id"),
    _text("client_id"),
    instant("issued_at"),
    instant("spent_at", nullable=True),
    Index("refresh_token_by_family", "family_id"),
)

pushed_request = Table(
    "pushed_request",
    metadata,
    Column("request_hash", LargeBinary, primary_key=True),
    _text("client_id"),
    Column("parameters", JSONB, nullable=False),
    instant("expires_at"),
    instant("spent_at", nullable=True),
)

device_authorization = Table(
    "device_authorization",
    metadata,
    Column("device_hash", LargeBinary, primary_key=True),
    Column("user_code_hash", LargeBinary, nullable=False, unique=True),
    _text("client_id"),
    _text("scope"),
    _text("purpose", nullable=True),
    Column("confirmation", LargeBinary, nullable=True),
    instant("expires_at"),
    instant("polled_at", nullable=True),
    Column("interval_seconds", Integer, nullable=False),
    _id("family_id", nullable=True),
    instant("denied_at", nullable=True),
    instant("spent_at", nullable=True),
)

# What a clinician's system has open when it opens an app: for that clinician in that role alone.
launch_context = Table(
    "launch_context",
    metadata,
    Column("launch_hash", LargeBinary, primary_key=True),
    _text("subject"),
    _text("role", nullable=True),
    Column("context", JSONB, nullable=False),
    instant("expires_at"),
    instant("spent_at", nullable=True),
)

# Row-level security lets the service delete only what is too old to be presented again.
proof_seen = Table(
    "proof_seen",
    metadata,
    Column("proof_hash", LargeBinary, primary_key=True),
    instant("expires_at"),
    Index("proof_seen_by_time", "expires_at"),
)
