"""Columns as all tables of the service have them.

https://www.postgresql.org/docs/current/datatype-datetime.html
"""

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import TIMESTAMP


def instant(name: str, *, nullable: bool = False) -> Column[object]:
    """A moment, with its offset from UTC."""
    return Column(name, TIMESTAMP(timezone=True), nullable=nullable)
