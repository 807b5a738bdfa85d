"""Statements composed with SQLAlchemy Core, compiled once, and run on the psycopg connection itself.

https://docs.sqlalchemy.org/en/21/core/

A compiled statement is text and its constants; what varies per request is bound by name. PostgreSQL keeps the
plan: psycopg prepares a text that it has seen before.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import namedtuple_row
from sqlalchemy import ClauseElement, Dialect, NullPool, create_engine

DIALECT: Final[Dialect] = create_engine("postgresql+psycopg://", poolclass=NullPool).dialect
MAX_KEPT: Final = 2_000
"""Compiled statements kept per process; past it all are forgotten and compiled again."""

Connection = AsyncConnection[Any]
Row = Any
"""A named tuple, its fields named as the statement's columns."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled statement: its text, and the constants that were bound while composing it."""

    text: str
    constants: Mapping[str, object]

    def bound(self, params: Mapping[str, object]) -> dict[str, object]:
        """All parameters of one execution: `params` over the constants."""
        return {**self.constants, **params}


def prepare(statement: ClauseElement) -> Prepared:
    """Compile `statement` for PostgreSQL. Values reach the driver unchanged: JSON goes in as `Jsonb`."""
    compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
    return Prepared(str(compiled), dict(compiled.params))


class Kept:
    """Compiled statements by the structure they were composed from, safe across threads."""

    def __init__(self) -> None:
        self._by_structure: dict[Hashable, Prepared] = {}
        self._lock = Lock()

    def get(self, structure: Hashable) -> Prepared | None:
        """The statement composed for `structure` earlier, or None."""
        return self._by_structure.get(structure)

    def put(self, structure: Hashable, prepared: Prepared) -> Prepared:
        """Keep `prepared` for `structure` and return it."""
        with self._lock:
            if len(self._by_structure) >= MAX_KEPT:
                self._by_structure.clear()
            self._by_structure[structure] = prepared
        return prepared


async def fetch(connection: Connection, prepared: Prepared, params: Mapping[str, object]) -> Sequence[Row]:
    """Run a statement that returns rows."""
    cursor = connection.cursor(row_factory=namedtuple_row)
    await cursor.execute(prepared.text, prepared.bound(params))
    return await cursor.fetchall() if cursor.description else []


async def start(connection: Connection, prepared: Prepared, params: Mapping[str, object]) -> AsyncCursor[Row]:
    """Send a statement inside of a pipeline; its rows are fetched from the cursor after the pipeline's end."""
    cursor = connection.cursor(row_factory=namedtuple_row)
    await cursor.execute(prepared.text, prepared.bound(params))
    return cursor


async def run(connection: Connection, statement: ClauseElement, **params: object) -> Sequence[Row]:
    """Compile and run a statement too rare to be kept; its rows as named tuples, none if it returns none."""
    return await fetch(connection, prepare(statement), params)
