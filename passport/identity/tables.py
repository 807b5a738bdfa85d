"""Tables of identity: clients, sign-in codes, sessions (opaque tokens, hashed) and emergency openings.

https://www.rfc-editor.org/rfc/rfc6749
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID

from passport.columns import instant, whom

metadata = MetaData()


# `state` is `waiting` (for an operator), `active` or `ended`; one that waits need not have a subject yet.
client = Table(
    "client",
    metadata,
    Column("client_id", Text(collation="C"), primary_key=True),
    Column("name", Text(collation="C"), nullable=False),
    Column("subject", Text(collation="C"), nullable=True),
    Column("profile", Text(collation="C"), nullable=False),
    Column("redirect_uris", ARRAY(Text(collation="C")), nullable=False),
    Column("grant_types", ARRAY(Text(collation="C")), nullable=False),
    Column("auth_method", Text(collation="C"), nullable=False),
    Column("introspects", Boolean, nullable=False),
    Column("jwks", JSONB, nullable=False),
    Column("purposes", ARRAY(Text(collation="C")), nullable=False),
    Column("scopes", ARRAY(Text(collation="C")), nullable=False),
    Column("state", Text(collation="C"), nullable=False),
    Column("asked_by", Text(collation="C"), nullable=True),
    Column("approved_by", Text(collation="C"), nullable=True),
    Column("identity_algorithm", Text(collation="C"), nullable=False),
)

# What one operator proposes of a client, beside what is registered of it until another operator approves that.
client_proposal = Table(
    "client_proposal",
    metadata,
    Column("client_id", Text(collation="C"), primary_key=True),
    Column("registration", JSONB, nullable=False),
    Column("proposed_by", Text(collation="C"), nullable=False),
    instant("proposed_at"),
    instant("expires_at"),
    Index("client_proposal_by_time", "expires_at"),
)

client_assertion = Table(
    "client_assertion",
    metadata,
    Column("client_id", Text(collation="C"), primary_key=True),
    Column("jti", Text(collation="C"), primary_key=True),
    instant("expires_at"),
)


def _code() -> tuple[Column[object], ...]:
    """A code and whom it is for; `person` is the Practitioner whom a person of the city is as well."""
    return (
        Column("login", Text(collation="C"), primary_key=True),
        Column("secret_hash", Text(collation="C"), nullable=False),
        *whom(),
        Column("person", Text(collation="C"), nullable=True),
    )


# `used_at` is when somebody signed in by the code, or it was handed out; `entered_at` when anybody first signed in by a
# code of this login, whichever that was; `vouched` whether two people stand behind all that leads in by this login.
sign_in_code = Table(
    "sign_in_code",
    metadata,
    *_code(),
    Column("active", Boolean, nullable=False),
    instant("used_at"),
    instant("entered_at", nullable=True),
    Column("vouched", Boolean, nullable=False),
    Index("sign_in_code_by_subject", "subject"),
)

# A code that one operator handed out, beside the one that is good, until another operator confirms it.
code_proposal = Table(
    "code_proposal",
    metadata,
    *_code(),
    Column("proposed_by", Text(collation="C"), nullable=False),
    instant("proposed_at"),
    instant("expires_at"),
    Index("code_proposal_by_time", "expires_at"),
    Index("code_proposal_by_subject", "subject"),
)

# `caller` is the key of a network address: whoever fails too often waits, and nobody else does.
sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("caller", BigInteger, primary_key=True, autoincrement=False),
    Column("window_start", TIMESTAMP(timezone=True), primary_key=True),
    Column("failures", Integer, nullable=False),
)

# `family_id` is the family of tokens that it ends with, `confirmation` the key that its bearer has to show,
# `derived_from` the session that it was exchanged for, `authenticated_at` when its person proved who they are,
# `client_id` the client that got it.
session = Table(
    "session",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("session_id", UUID(as_uuid=True), nullable=False, unique=True),
    Column("kind", Text(collation="C"), nullable=False),
    Column("subject", Text(collation="C"), nullable=False),
    Column("role", Text(collation="C"), nullable=True),
    Column("client", Text(collation="C"), nullable=True),
    Column("actor_key", BigInteger, nullable=True),
    Column("client_key", BigInteger, nullable=True),
    Column("patient_key", BigInteger, nullable=True),
    Column("opened_patient_key", BigInteger, nullable=True),
    Column("purpose", Text(collation="C"), nullable=False),
    Column("scopes", ARRAY(Text(collation="C")), nullable=False),
    instant("issued_at"),
    instant("expires_at"),
    instant("ended_at", nullable=True),
    Column("family_id", UUID(as_uuid=True), nullable=True),
    Column("confirmation", LargeBinary, nullable=True),
    Column("derived_from", UUID(as_uuid=True), nullable=True),
    instant("authenticated_at", nullable=True),
    Column("client_id", Text(collation="C"), nullable=True),
    Index("session_by_family", "family_id", postgresql_where=text("family_id IS NOT NULL")),
    Index("session_by_origin", "derived_from", postgresql_where=text("derived_from IS NOT NULL")),
    Index("session_by_end", "expires_at"),
)

opening = Table(
    "opening",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("opening_id", UUID(as_uuid=True), primary_key=True),
    Column("subject", Text(collation="C"), nullable=False),
    Column("role", Text(collation="C"), nullable=True),
    Column("reason", LargeBinary, nullable=False),
    instant("opened_at"),
    instant("expires_at"),
    Column("session_id", UUID(as_uuid=True), nullable=True),
    Index("opening_by_time", "patient_key", "expires_at"),
    Index("opening_by_id", "opening_id"),
)
