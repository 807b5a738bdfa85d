"""The tables of passkeys, of challenges that were used, and of the codes by which somebody comes back.

https://www.w3.org/TR/webauthn-3/#reg-ceremony-store-credential-record
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from passport.columns import instant, whom

metadata = MetaData()


# `login` to `scopes` are whom it signs in, as a browser session has them. `doubted_at` is when its counter went back.
passkey = Table(
    "passkey",
    metadata,
    Column("passkey_id", UUID(as_uuid=True), primary_key=True),
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("transports", ARRAY(Text(collation="C")), nullable=False),
    Column("backed_up", Boolean, nullable=False),
    Column("name", Text(collation="C"), nullable=False),
    Column("login", Text(collation="C"), nullable=False),
    *whom(),
    instant("registered_at"),
    instant("used_at", nullable=True),
    instant("doubted_at", nullable=True),
    instant("ended_at", nullable=True),
    Index("passkey_by_subject", "subject"),
    Index("passkey_by_end", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
)

# A challenge is made without being kept; one that was answered is, until it would be too old anyway.
passkey_challenge = Table(
    "passkey_challenge",
    metadata,
    Column("challenge_hash", LargeBinary, primary_key=True),
    instant("expires_at"),
    Index("passkey_challenge_by_time", "expires_at"),
)

# `concerned_key` is the patient whose passport it is about, whoever comes back by it.
recovery_code = Table(
    "recovery_code",
    metadata,
    Column("code_hash", LargeBinary, primary_key=True),
    Column("concerned_key", BigInteger, nullable=False),
    Column("login", Text(collation="C"), nullable=False),
    *whom(),
    instant("expires_at"),
    instant("spent_at", nullable=True),
    instant("ended_at", nullable=True),
    Index("recovery_code_by_subject", "subject"),
    Index("recovery_code_by_time", "expires_at"),
)
