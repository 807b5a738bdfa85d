"""Columns as all tables of the service have them.

https://www.postgresql.org/docs/current/datatype-datetime.html
"""

from sqlalchemy import BigInteger, Column, Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP


def instant(name: str, *, nullable: bool = False) -> Column[object]:
    """A moment, with its offset from UTC."""
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def whom() -> tuple[Column[object], ...]:
    """Whom a way to sign in lets in, in which role, and for what; columns of their own for each table."""
    return (
        Column("kind", Text(collation="C"), nullable=False),
        Column("subject", Text(collation="C"), nullable=False),
        Column("role", Text(collation="C"), nullable=True),
        Column("patient_key", BigInteger, nullable=True),
        Column("purposes", ARRAY(Text(collation="C")), nullable=False),
        Column("scopes", ARRAY(Text(collation="C")), nullable=False),
    )
