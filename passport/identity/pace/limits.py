"""How often a caller may ask for something: by the caller's own requests, and by nobody else's.

https://owasp.org/www-project-application-security-verification-standard/
https://www.rfc-editor.org/rfc/rfc6585#section-4

A caller is named by what it proved, such as the key of a client, and by its network address where it proved nothing.
What was refused is not counted, so whoever waits is let through. A count is removed when its window is over.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from passport.identity.pace import store
from passport.outcomes import TooMany
from passport.runtime import Runtime
from passport.sql import Connection, fetch

_PARTS: Final = 6
"""In how many parts a window slides: what is asked for within one of them is one row, and is forgotten at once."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many requests of one kind a caller may make within a window."""

    name: str
    most: int
    window: timedelta


async def within(
    runtime: Runtime, connection: Connection, limit: Limit, caller: str, *, now: datetime
) -> bool:
    """Count one request of a caller; False, and nothing counted, where there were too many lately."""
    part = limit.window / _PARTS
    start = now - (now - _EPOCH) % part
    params = {
        "caller": runtime.keys.token(f"{limit.name} {caller}"),
        "window_start": start,
        "since": start - limit.window,
        "over_at": start + limit.window,
        "now": now,
        "most": limit.most,
    }
    return bool(await fetch(connection, store.TAKE, params))


async def require(
    runtime: Runtime, connection: Connection, limit: Limit, caller: str, *, now: datetime
) -> None:
    """Count one request of a caller.

    Raises:
        TooMany: there were too many lately.
    """
    if not await within(runtime, connection, limit, caller, now=now):
        raise TooMany(int(limit.window.total_seconds()))
