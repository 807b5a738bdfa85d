"""Tables that decide: consents compiled to nodes and grants, and the directory's memberships.

http://hl7.org/fhir/R4/consent.html

A consent's roots become grants (`effect` permit or block); the request-facets of each provision stand in
`consent_node`, its record-facets in an interned, immutable `consent_shape`. Policies carry patient_key 0.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

metadata = MetaData()


def _grant_key() -> tuple[Column[object], ...]:
    return (
        Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
        Column("consent_key", BigInteger, primary_key=True, autoincrement=False),
        Column("ordinal", SmallInteger, primary_key=True, autoincrement=False),
    )


def _instant(name: str) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=True)


consent_grant = Table(
    "consent_grant",
    metadata,
    *_grant_key(),
    Column("consent_ref", Text(collation="C"), nullable=False),
    Column("effect", SmallInteger, nullable=False),
    Column("shape_key", BigInteger, nullable=False),
    Index("consent_grant_that_blocks", "patient_key", postgresql_where=text("effect <> 1")),
)

consent_node = Table(
    "consent_node",
    metadata,
    *_grant_key(),
    Column("node", SmallInteger, primary_key=True, autoincrement=False),
    Column("granting", Boolean, nullable=False),
    Column("actors", ARRAY(BigInteger), nullable=True),
    Column("collectives", ARRAY(BigInteger), nullable=False),
    Column("chained", Boolean, nullable=False),
    Column("purposes", Integer, nullable=True),
    Column("actions", Integer, nullable=True),
    _instant("starts"),
    _instant("ends"),
)

consent_actor = Table(
    "consent_actor",
    metadata,
    Column("patient_key", BigInteger, primary_key=True, autoincrement=False),
    Column("actor_key", BigInteger, primary_key=True, autoincrement=False),
    Column("consent_key", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", SmallInteger, primary_key=True, autoincrement=False),
    Index("consent_actor_by_actor", "actor_key", "patient_key"),
)

consent_shape = Table(
    "consent_shape",
    metadata,
    Column("shape_key", BigInteger, primary_key=True, autoincrement=False),
    Column("content", JSONB, nullable=False),
)

membership = Table(
    "membership",
    metadata,
    Column("member", BigInteger, primary_key=True, autoincrement=False),
    Column("container", BigInteger, primary_key=True, autoincrement=False),
    Column("origin", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", SmallInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    _instant("starts"),
    _instant("ends"),
    Index("membership_by_origin", "origin"),
)

collective = Table(
    "collective",
    metadata,
    Column("actor_key", BigInteger, primary_key=True, autoincrement=False),
    Column("resolvable", Boolean, nullable=False),
)
