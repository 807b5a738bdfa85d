"""The table of browser sessions: a cookie's hash, and who is signed in by it.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec5
"""

from sqlalchemy import Column, Index, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from passport.columns import instant, whom

metadata = MetaData()


# `purposes` and `scopes` are what an operator allowed the login; `methods` how its person was recognised. One that is
# `limited_to` something is good for that alone; one that began by a passkey ends with it. `browser` is what kind it is.
login_session = Table(
    "login_session",
    metadata,
    Column("cookie_hash", LargeBinary, primary_key=True),
    Column("login_id", UUID(as_uuid=True), nullable=False, unique=True),
    Column("login", Text(collation="C"), nullable=False),
    *whom(),
    Column("methods", ARRAY(Text(collation="C")), nullable=False),
    instant("authenticated_at"),
    instant("second_factor_at", nullable=True),
    instant("seen_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
    Column("limited_to", Text(collation="C"), nullable=True),
    Column("passkey_id", UUID(as_uuid=True), nullable=True),
    Column("browser", Text(collation="C"), nullable=True),
    Index("login_session_by_subject", "subject"),
    Index("login_session_by_passkey", "passkey_id", postgresql_where=text("passkey_id IS NOT NULL")),
)
