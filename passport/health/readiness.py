"""Readiness: a database that answers, migrated to the revision that this version was written for.

https://alembic.sqlalchemy.org/
"""

from functools import cache
from typing import Final

from alembic.script import ScriptDirectory

from passport.database import migrations_folder
from passport.health import store
from passport.outcomes import Unavailable
from passport.runtime import Runtime
from passport.sql import fetch

WAIT_SECONDS: Final = 2
"""A probe that waits longer than its caller answers nobody."""


@cache
def newest_revision() -> str:
    """The revision that the shipped migrations lead to."""
    return ScriptDirectory(str(migrations_folder())).get_current_head() or ""


async def require_ready(runtime: Runtime) -> None:
    """Return if requests can be answered.

    Raises:
        Unavailable: the database has another revision.
        psycopg.Error, psycopg_pool.PoolTimeout: it does not answer.
    """
    async with runtime.pool.connection(timeout=WAIT_SECONDS) as connection:
        rows = await fetch(connection, store.REVISION, {})
    if [row.version_num for row in rows] != [newest_revision()]:
        raise Unavailable("the database is not migrated to this version")
