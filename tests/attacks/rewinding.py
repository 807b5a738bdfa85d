"""Turning a database back to what it was, under a service that runs on: every sequence of requests begins alike."""

import psycopg
from psycopg import sql

_KEPT = "kept"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"


def kept(superuser_url: str) -> None:
    """Keep a copy of every table, and of where the sequences stand."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_KEPT)))
        for (name,) in connection.execute(_TABLES).fetchall():
            connection.execute(_about("CREATE TABLE {copy} AS TABLE {table}", name))
        for (name,) in connection.execute(_SEQUENCES).fetchall():
            connection.execute(
                _about("CREATE TABLE {copy} AS SELECT last_value, is_called FROM {table}", name)
            )


def restored(superuser_url: str) -> None:
    """Put everything back as it was kept."""
    with psycopg.connect(superuser_url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # no trigger looks at a copy
        tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
        together = sql.SQL(", ").join(sql.Identifier("public", name) for name in tables)
        connection.execute(sql.SQL("TRUNCATE {}").format(together))
        for name in tables:
            connection.execute(_about("INSERT INTO {table} SELECT * FROM {copy}", name))
        for (name,) in connection.execute(_SEQUENCES).fetchall():
            place = sql.Literal(f"public.{name}")
            connection.execute(
                sql.SQL("SELECT setval({}, last_value, is_called) FROM {}").format(
                    place, sql.Identifier(_KEPT, name)
                )
            )


def _about(statement: str, name: str) -> sql.Composed:
    return sql.SQL(statement).format(table=sql.Identifier("public", name), copy=sql.Identifier(_KEPT, name))
