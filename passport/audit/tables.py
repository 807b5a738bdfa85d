"""The table of the audit log: one row per request and patient, written in the request's transaction.

https://profiles.ihe.net/ITI/BALP/
https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT

Beside what a row tells it keeps what its decision was made on: the session, by which of its scopes (`scopes`; of a
refusal for want of one those that were missing), what each record that was written rests on (`rests`), the rules
(`rules`), and the database as it was seen (`seen`). A version of a record was there for a
decision if the transaction that wrote it, which is the `written_in` of the row that tells of the writing, had ended in
that snapshot.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID
from sqlalchemy.types import UserDefinedType

metadata = MetaData()


class Xid8(UserDefinedType[Any]):
    """The number of a transaction, which never comes twice in one cluster."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in SQL."""
        return "XID8"


class Snapshot(UserDefinedType[Any]):
    """Which transactions had ended."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in SQL."""
        return "PG_SNAPSHOT"


rules = Table(
    "rules",
    metadata,
    Column("number", SmallInteger, Identity(always=False), primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("content", JSONB, nullable=False),
    Column("cluster", Text(collation="C"), nullable=False),
    Column("since", TIMESTAMP(timezone=True), nullable=False),
)
"""By which rules processes decide; `cluster` is the one whose transactions they number."""

audit_event = Table(
    "audit_event",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("audit_id", UUID(as_uuid=True), primary_key=True),
    Column("recorded", TIMESTAMP(timezone=True), nullable=False),
    Column("action", Text(collation="C"), nullable=False),
    Column("kind", Text(collation="C"), nullable=False),
    Column("subject", Text(collation="C"), nullable=True),
    Column("role", Text(collation="C"), nullable=True),
    Column("client", Text(collation="C"), nullable=True),
    Column("behalf_of", Text(collation="C"), nullable=True),
    Column("purpose", Text(collation="C"), nullable=True),
    Column("query", Text(collation="C"), nullable=False),
    Column("record_keys", ARRAY(BigInteger), nullable=False),
    Column("versions", ARRAY(Integer), nullable=False),
    Column("grants", ARRAY(Text(collation="C")), nullable=False),
    Column("outcome", Text(collation="C"), nullable=False),
    Column("detail", Text(collation="C"), nullable=False),
    Column("session_id", UUID(as_uuid=True), nullable=True),
    Column("rests", ARRAY(Text(collation="C")), nullable=True),
    Column("scopes", ARRAY(Text(collation="C")), nullable=True),
    Column(
        "rules",
        SmallInteger,
        nullable=True,
        server_default=sql("nullif(current_setting('passport.rules', true), '')::smallint"),
    ),
    Column("written_in", Xid8, nullable=True, server_default=sql("pg_current_xact_id()")),
    Column(
        "seen",
        Snapshot,
        nullable=True,
        server_default=sql(
            "coalesce(nullif(current_setting('passport.seen', true), '')::pg_snapshot, pg_current_snapshot())"
        ),
    ),
    Index("audit_event_by_time", "patient_key", "recorded", "audit_id"),
    Index("audit_event_all_by_time", "recorded", "audit_id"),
)
