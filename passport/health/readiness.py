"""Readiness: a database that answers, migrated to the revision that this version was written for.

https://alembic.sqlalchemy.org/
"""

from functools import cache
from typing import Final

from alembic.script import ScriptDirectory

from passport.database import migrations_folder
from passport.health import store
from passport.labelling.store import MARK, waits
from passport.outcomes import Unavailable
from passport.runtime import Runtime
from passport.sql import fetch

WAIT_SECONDS: Final = 2
"""A probe that waits longer than its caller answers nobody."""


@cache
def newest_revision() -> str:
    """The revision that the shipped migrations lead to."""
    return ScriptDirectory(str(migrations_folder())).get_current_head() or ""


async def require_ready(runtime: Runtime) -> bool:
    """Return if requests can be answered; whether stored records wait to be labelled with this release's table.

    Raises:
        Unavailable: the database has another revision.
        psycopg.Error, psycopg_pool.PoolTimeout: it does not answer.
    """
    async with runtime.pool.connection(timeout=WAIT_SECONDS) as connection:
        rows = await fetch(connection, store.REVISION, {"mark": MARK})
    if [row.version_num for row in rows] != [newest_revision()]:
        raise Unavailable("the database is not migrated to this version")
    return waits(rows[0].labels, anybody=rows[0].anybody)
