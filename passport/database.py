"""Connections to PostgreSQL: two roles, the migrations, and the pool that requests take their connection from.

https://www.postgresql.org/docs/current/ddl-rowsecurity.html

The owner migrates; the service's role owns nothing, so row-level security binds it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import URL

from fhirstore.line import Line
from fhirstore.statements import ADAPTERS

OWNER_ROLE: Final = "passport_owner"
SERVICE_ROLE: Final = "passport_service"
BROKER_ROLE: Final = "passport_broker"

STATEMENT_TIMEOUT_MS: Final = 10_000
"""No statement of a request runs longer; its caller is told 503 and `timeout`."""

TASK_STATEMENT_TIMEOUT_MS: Final = 60_000
"""No statement of a task in the background runs longer."""

ONE_AT_A_TIME: Final = 0x626F6F7473747261
"""The advisory lock of whoever makes roles: two commands may start at the same moment. It ends with the connection."""

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]


def bootstrap(superuser_url: str, database: str) -> tuple[str, str]:
    """Create the roles and the database where they are missing.

    Returns the owner's and the service's conninfo. Passwords are the server's matter: the embedded server
    trusts its own socket folder, elsewhere an operator creates the roles beforehand.
    """
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
        for role in (OWNER_ROLE, SERVICE_ROLE, BROKER_ROLE):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(database), sql.Identifier(OWNER_ROLE)
                )
            )
        with psycopg.connect(make_conninfo(superuser_url, dbname=database), autocommit=True) as inside:
            inside.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(OWNER_ROLE)))
            inside.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            inside.execute(
                sql.SQL("GRANT CREATE, CONNECT ON DATABASE {} TO {}").format(
                    sql.Identifier(database), sql.Identifier(OWNER_ROLE)
                )
            )
    owner = make_conninfo(superuser_url, dbname=database, user=OWNER_ROLE)
    service = make_conninfo(superuser_url, dbname=database, user=SERVICE_ROLE)
    return owner, service


def drop(superuser_url: str, database: str) -> None:
    """Remove a database with all that is in it, and whoever is connected to it."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )


def migrations_folder() -> Path:
    """Where the migrations lie: inside the wheel, or beside the package in a source tree."""
    installed = Path(__file__).parent / "migrations"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "migrations"


def migrate(
    migration_url: str,
    *,
    service_role: str = SERVICE_ROLE,
    broker_role: str = BROKER_ROLE,
    revision: str = "head",
) -> None:
    """Bring the database of `migration_url` to the newest revision, or only as far as `revision`.

    `service_role` and `broker_role` are the roles that get rights on what is created; both must exist.
    """
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.set_main_option("sqlalchemy.url", _alchemy_url(migration_url).replace("%", "%%"))
    config.attributes["service_role"] = service_role
    config.attributes["broker_role"] = broker_role
    command.upgrade(config, revision)


def _alchemy_url(conninfo: str) -> str:
    parts = conninfo_to_dict(conninfo)
    query = {name: str(value) for name, value in parts.items() if name not in {"user", "password", "dbname"}}
    url = URL.create(
        "postgresql+psycopg",
        username=_text(parts.get("user")),
        password=_text(parts.get("password")),
        database=_text(parts.get("dbname")),
        query=query,
    )
    return url.render_as_string(hide_password=False)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


async def _prepare(connection: Connection, *, timeout_ms: int, one_snapshot: bool, rules: int | None) -> None:
    """Every connection speaks UTC and bounds its statements; set once, not once per request."""
    await connection.set_autocommit(True)
    await connection.execute("SET TIME ZONE 'UTC'")
    await connection.execute(f"SET statement_timeout = {timeout_ms:d}")
    # Compiling a plan of ours costs more than running it, and its shape does not depend on the values.
    await connection.execute("SET jit = off")
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute("SET idle_in_transaction_session_timeout = '30s'")
    if one_snapshot:
        await connection.execute("SET default_transaction_isolation = 'repeatable read'")
    if rules is not None:
        await connection.execute(f"SET passport.rules = '{rules:d}'")


@asynccontextmanager
async def open_pool(
    service_url: str,
    *,
    size: int,
    one_snapshot: bool = False,
    timeout_ms: int = STATEMENT_TIMEOUT_MS,
    rules: int | None = None,
) -> AsyncIterator[Pool]:
    """Open a pool of `size` connections in autocommit; transactions are explicit.

    With `one_snapshot` a transaction that says nothing else is REPEATABLE READ, such as that of a pipeline. No
    statement runs longer than `timeout_ms`. `rules` is the number under which the log says what was decided by.

    A broken connection is met by the transaction that uses it (see `transaction`), not by a check per request.
    """
    pool: Pool = AsyncConnectionPool(
        service_url,
        connection_class=Line,
        min_size=min(2, size),
        max_size=size,
        open=False,
        configure=partial(_prepare, timeout_ms=timeout_ms, one_snapshot=one_snapshot, rules=rules),
        timeout=10,
        kwargs={"prepare_threshold": 2, "context": ADAPTERS},
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()
