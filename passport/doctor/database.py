"""What the database says: is the service bound by the wall there, and does what was answered stay.

https://www.postgresql.org/docs/current/ddl-rowsecurity.html
"""

from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row, scalar_row

from passport.audit.actions import BACKUP, RESTORE
from passport.doctor import store
from passport.doctor.findings import Finding, note, unsafe
from passport.health.readiness import newest_revision

VERSIONS: Final = range(150_000, 190_000)
"""https://www.postgresql.org/docs/current/libpq-status.html: server_version_num of 15 to 18."""

BACKUP_AGE: Final = timedelta(days=7)
OPERATORS: Final = 2

_URL: Final = "PASSPORT_DATABASE_URL"


def findings(url: str, now: datetime) -> Iterator[Finding]:
    """All that the service's own role can tell."""
    try:
        with psycopg.connect(url) as connection:
            yield from _server(connection)
            yield from _role(connection)
            if (yield from _migrated(connection)):
                yield from _use(connection, now)
    except psycopg.OperationalError:
        # Without its words: they repeat the address.
        yield unsafe(_URL, "the database does not answer")


def _server(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    found = _row(connection, store.SERVER, {})
    if found.version not in VERSIONS:
        yield unsafe(_URL, f"PostgreSQL {found.version // 10_000}, expected 15 to 18")
    if not (found.near or found.encrypted):
        yield unsafe(_URL, "another machine, reached without TLS, expected sslmode=verify-full")
    for setting, on in (("fsync", found.fsync), ("full_page_writes", found.full_pages)):
        if not on:
            yield unsafe(setting, "off: a crash may lose or break what was answered")
    if found.commits in {"off", "local"}:
        level = unsafe if found.commits == "off" else note
        yield level("synchronous_commit", f"{found.commits}: a crash may lose what was answered")


def _role(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    found = _row(
        connection,
        store.ROLE,
        {"walled": list(store.WALLED), "append_only": list(store.APPEND_ONLY)},
    )
    for so, text in (
        (found.super, "a superuser, whom no wall binds"),
        (found.bypasses, "a role that bypasses row-level security"),
        (found.makes_roles, "a role that makes roles"),
        (found.owns, "the owner of tables, who may take the wall down"),
    ):
        if so:
            yield unsafe(_URL, f"`{found.name}` is {text}")
    for table in found.open_tables:
        yield unsafe(table, "has no forced row-level security")
    for table in found.changeable:
        yield unsafe(table, f"`{found.name}` can change what was written, expected to add alone")


def _migrated(connection: psycopg.Connection[Any]) -> Generator[Finding, None, bool]:
    revision, newest = _one(connection, store.REVISION), newest_revision()
    if revision != newest:
        text = f"revision {revision}, expected {newest}: run `passport db migrate`"
        yield unsafe("database", text)
    return bool(revision == newest)


def _use(connection: psycopg.Connection[Any], now: datetime) -> Iterator[Finding]:
    operators = _one(connection, store.OPERATORS)
    if operators < OPERATORS:
        yield note("operators", f"{operators}, expected {OPERATORS}: policies and merges need two persons")
    last = _one(connection, store.LAST_BACKUP, {"backup": BACKUP, "restore": RESTORE})
    if last is None:
        yield unsafe("backup", "none yet: run `passport backup`")
    elif last < now - BACKUP_AGE:
        yield unsafe("backup", f"the last one is of {last:%Y-%m-%d}")


def _row(connection: psycopg.Connection[Any], statement: str, params: dict[str, Any]) -> Any:
    return connection.cursor(row_factory=namedtuple_row).execute(statement, params).fetchone()


def _one(connection: psycopg.Connection[Any], statement: str, params: dict[str, Any] | None = None) -> Any:
    return connection.cursor(row_factory=scalar_row).execute(statement, params).fetchone()
