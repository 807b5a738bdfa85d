"""What changed that standings rest on, and when time alone will change them; the database's own triggers fill both.

https://www.postgresql.org/docs/current/plpgsql-trigger.html

`concerns` is a patient_key (0: the policies), the key of an actor, or one of the numbers below.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, MetaData, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import TIMESTAMP

from passport.audit.tables import Xid8

metadata = MetaData()

DIRECTORY: Final = -1
"""Who is a member of what, and all that no other number stands for."""

BLOCKS: Final = -2
"""What anybody denies."""

standing_change = Table(
    "standing_change",
    metadata,
    Column("concerns", BigInteger, primary_key=True, autoincrement=False),
    Column("written_in", Xid8, primary_key=True, server_default=sql("pg_current_xact_id()")),
)

standing_instant = Table(
    "standing_instant",
    metadata,
    Column("concerns", BigInteger, primary_key=True, autoincrement=False),
    Column("at", TIMESTAMP(timezone=True), primary_key=True),
    Column("written_in", Xid8, primary_key=True, server_default=sql("pg_current_xact_id()")),
)
