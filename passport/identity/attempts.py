"""How often a caller may fail to sign in: by the caller's own failures, and by nobody else's.

https://owasp.org/www-project-application-security-verification-standard/

A limit per login would let anyone lock a resident out, and would tell that somebody else tries. So failures count
per caller: a browser that is known for the login, somebody who is signed in, or else a network address. Successes never
count, and the limit bounds work only: codes are too long to be guessed.
"""

from datetime import datetime, timedelta
from typing import Final

from passport.identity import store
from passport.outcomes import TooMany
from passport.runtime import Runtime
from passport.sql import Connection, fetch

WINDOW: Final = timedelta(minutes=1)
FAILURES_MAX: Final = 10


async def check(runtime: Runtime, connection: Connection, caller: str, *, now: datetime) -> None:
    """Refuse a caller who failed too often within the last window.

    Raises:
        TooMany: they did.
    """
    if await too_many(runtime, connection, caller, now=now):
        raise refusal()


async def too_many(runtime: Runtime, connection: Connection, caller: str, *, now: datetime) -> bool:
    """Whether this caller failed too often within the last window."""
    rows = await fetch(connection, store.FAILURES, _params(runtime, caller, now))
    return bool(rows[0].failures >= FAILURES_MAX)


def refusal() -> TooMany:
    """The answer to whoever failed too often."""
    return TooMany(int(WINDOW.total_seconds()))


async def count(runtime: Runtime, connection: Connection, caller: str, *, now: datetime) -> None:
    """Count one failure of this caller."""
    await fetch(connection, store.COUNT_FAILURE, _params(runtime, caller, now))


def _params(runtime: Runtime, caller: str, now: datetime) -> dict[str, object]:
    # Ten seconds at a time, so that a window slides and a caller has few rows.
    start = now.replace(second=now.second // 10 * 10, microsecond=0)
    return {"caller": runtime.keys.token(caller), "window_start": start, "since": start - WINDOW}
