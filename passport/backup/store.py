"""The statements around a dump: is there anything in a database, and nobody stays signed in to one put back.

https://www.postgresql.org/docs/current/view-pg-tables.html
"""

from datetime import datetime
from typing import Final

import psycopg
from psycopg.rows import scalar_row

_FILLED: Final = """
SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))
"""

# Whatever opens something by itself: each may have been ended after the backup was made.
_SIGNED_IN: Final = (
    "UPDATE session SET ended_at = %(now)s WHERE ended_at IS NULL",
    "UPDATE login_session SET ended_at = %(now)s WHERE ended_at IS NULL",
    "UPDATE grant_family SET ended_at = %(now)s WHERE ended_at IS NULL",
    "UPDATE recovery_code SET ended_at = %(now)s WHERE ended_at IS NULL",
)

# Another server numbers its transactions anew: what one of a higher number told would count for good.
_NUMBERED_ELSEWHERE: Final = "DELETE FROM standing_change WHERE written_in >= pg_current_xact_id()"


def is_filled(superuser_url: str) -> bool:
    """Whether a database holds any table."""
    with psycopg.connect(superuser_url, row_factory=scalar_row) as connection:
        return bool(connection.execute(_FILLED).fetchone())


def end_sessions(superuser_url: str, now: datetime) -> None:
    """End whatever anybody had open, and forget what tells of changes by transactions of another server."""
    with psycopg.connect(superuser_url) as connection:
        for statement in _SIGNED_IN:
            connection.execute(statement, {"now": now})
        connection.execute(_NUMBERED_ELSEWHERE)
