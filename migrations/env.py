"""Runs the migrations as the owner role, each in its own transaction and never waiting long for a lock."""

from alembic import context
from sqlalchemy import create_engine, pool, text

ONE_AT_A_TIME = 0x70617373706F7274
"""The advisory lock of whoever migrates: two commands may start at the same moment. It ends with the connection."""


def run() -> None:
    """Migrate the database named by `sqlalchemy.url`."""
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "", poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({ONE_AT_A_TIME})"))
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("SET statement_timeout = '10min'"))
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
