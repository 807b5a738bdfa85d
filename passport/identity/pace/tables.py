"""The table of what callers asked for lately.

https://owasp.org/www-project-application-security-verification-standard/
"""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table
from sqlalchemy.dialects.postgresql import TIMESTAMP

from passport.columns import instant

metadata = MetaData()


# `caller` is the key of a limit and of whoever asked, `over_at` when the row counts for nothing any more.
asked_lately = Table(
    "asked_lately",
    metadata,
    Column("caller", BigInteger, primary_key=True, autoincrement=False),
    Column("window_start", TIMESTAMP(timezone=True), primary_key=True),
    Column("asked", Integer, nullable=False),
    instant("over_at"),
    Index("asked_lately_by_end", "over_at"),
)
