"""Migrated databases on real servers, copied from a template that is migrated once per server."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from passport.database import bootstrap, migrate
from passport.embedded import EmbeddedPostgres

GIVEN_URL_VARIABLE: Final = "PASSPORT_TEST_DATABASE_URL"
"""Superuser URL of a further server on which the migrations and the SQL have to hold."""

RUNNING_URL_VARIABLE: Final = "PASSPORT_TEST_POSTGRESQL_18_URL"
"""Superuser URL of a PostgreSQL 18 that runs already and has `TEMPLATE`: many test processes share it in turn."""

TEMPLATE: Final = "passport_test_template"

POSTGRESQL_18: Final = "postgresql-18"
POSTGRESQL_16: Final = "postgresql-16"
GIVEN: Final = "given"

_PREFIX: Final = "passport_test_{}_"

# https://www.postgresql.org/docs/current/sql-createdatabase.html: without fsync, copying the files costs half of
# writing each block to the log.
_COPY: Final = "CREATE DATABASE {} TEMPLATE {} OWNER passport_owner STRATEGY FILE_COPY"

ROLES_LOCK: Final = 7_061_737
"""Roles belong to the whole server: test processes that share one make them in turn."""


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database of a test's own, by the connection strings of those who use it."""

    name: str
    superuser_url: str
    owner_url: str
    service_url: str


class Server:
    """A running server on which tests get databases."""

    def __init__(self, superuser_url: str, template: str | None = None) -> None:
        self.superuser_url = superuser_url
        self._given_template = template
        self._numbers = count(1)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A fresh migrated database, dropped afterwards."""
        name = self.new_name()
        self._execute(_COPY, name, self._template)
        try:
            yield self._described(name)
        finally:
            self._execute("DROP DATABASE {} WITH (FORCE)", name)

    def empty_database(self) -> Database:
        """A fresh database with the roles and without a table; the caller migrates it."""
        return self._described(self.new_name())

    def new_name(self) -> str:
        """A database name that no other test process uses."""
        return f"{_PREFIX.format(os.getpid())}{next(self._numbers)}"

    def drop_all(self) -> None:
        """Remove what this process made."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            named = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)",
                (_PREFIX.format(os.getpid()),),
            )
            for (name,) in named.fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def make_template(self, name: str) -> None:
        """A migrated database that others are copied from."""
        migrate(self._described(name).owner_url)

    @cached_property
    def _template(self) -> str:
        if self._given_template is not None:
            return self._given_template
        name = self.new_name()
        self.make_template(name)
        return name

    def _described(self, name: str) -> Database:
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (ROLES_LOCK,))
            owner_url, service_url = bootstrap(self.superuser_url, name)
        superuser_url = psycopg.conninfo.make_conninfo(self.superuser_url, dbname=name)
        return Database(name, superuser_url, owner_url, service_url)

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


class Servers:
    """The servers of one test process, each started when a test first asks for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open = ExitStack()
        self._by_label: dict[str, Server] = {}

    def get(self, label: str) -> Server:
        """The running server of `label`."""
        if label not in self._by_label:
            running = os.environ.get(RUNNING_URL_VARIABLE) if label == POSTGRESQL_18 else None
            server = Server(running, TEMPLATE) if running else Server(self._superuser_url(label))
            self._by_label[label] = server
            self._open.callback(server.drop_all)
        return self._by_label[label]

    def close(self) -> None:
        """Drop the databases, then stop the servers."""
        self._open.close()

    def _superuser_url(self, label: str) -> str:
        if label == GIVEN:
            return os.environ[GIVEN_URL_VARIABLE]
        embedded = EmbeddedPostgres.start(
            self._folder / label, major=18 if label == POSTGRESQL_18 else 16, unsafe_fast=True
        )
        return self._open.enter_context(embedded).superuser_dsn()


def labels() -> list[str]:
    """Every server that the migrations and the SQL are tried on."""
    return [POSTGRESQL_18, POSTGRESQL_16, *([GIVEN] if GIVEN_URL_VARIABLE in os.environ else [])]
