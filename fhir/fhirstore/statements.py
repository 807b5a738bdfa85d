"""Statements composed with SQLAlchemy Core, compiled once, and run on the psycopg connection itself.

https://docs.sqlalchemy.org/en/21/core/

A compiled statement is text and its constants; what varies per request is bound by name. PostgreSQL keeps the
plan: psycopg prepares a text that it has seen before.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, ProgrammingError
from psycopg.adapt import AdaptersMap
from psycopg.pq import PipelineStatus
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from sqlalchemy import ClauseElement, Dialect, NullPool, create_engine

from fhirstore.line import Line
from fhirstore.prepared import made_at_once

DIALECT: Final[Dialect] = create_engine("postgresql+psycopg://", poolclass=NullPool).dialect
_PARAMETER: Final = re.compile(r"%(?:%|\((\w+)\)s)")

MAX_KEPT: Final = 2_000
"""Compiled statements kept per process; past it all are forgotten and compiled again."""

Connection = AsyncConnection[Any]


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    for dumper in (Int8Dumper, Int8BinaryDumper):
        adapters.register_dumper(int, dumper)
    return adapters


ADAPTERS: Final = _adapters()
"""How values travel: a whole number as a bigint, whatever its size.

The driver would send a list of small numbers as `smallint[]`, and a kept plan casts it to the column's type anew
for every row that it is compared with.
"""

Row = Any
"""A named tuple, its fields named as the statement's columns."""

Cursor = AsyncRawCursor[Row]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement with named parameters, `%(name)s`, and the constants that were bound while composing it.

    It travels with numbered parameters: rewritten once here, it costs no rewriting per execution.
    """

    text: str
    constants: Mapping[str, object]
    numbered: str = field(init=False)
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        numbers: dict[str, int] = {}

        def number(match: re.Match[str]) -> str:
            name = match[1]
            return "%" if name is None else f"${numbers.setdefault(name, len(numbers) + 1)}"

        object.__setattr__(self, "numbered", _PARAMETER.sub(number, self.text))
        object.__setattr__(self, "names", tuple(numbers))

    def bound(self, params: Mapping[str, object]) -> list[object]:
        """The parameters of one execution in their order: `params` over the constants."""
        values = {**self.constants, **params} if self.constants else params
        return [value if type(value := values[name]) is not list else _written(value) for name in self.names]


_PLAIN: Final = frozenset({int, bool, type(None)})
_QUOTED: Final = frozenset({str, type(None)})
_INSTANTS: Final = frozenset({datetime, type(None)})
_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\""})


def _written(value: list[Any]) -> object:
    """A list of whole numbers, booleans, texts or instants as the text of an array.

    The driver would look through it for a type that fits all, and then dump each by itself.
    """
    if not value:
        return value
    kinds = set(map(type, value))
    if kinds <= _PLAIN:
        return "{" + ",".join(["NULL" if each is None else str(each) for each in value]) + "}"
    if kinds <= _QUOTED:
        return "{" + ",".join(["NULL" if each is None else _quoted(each) for each in value]) + "}"
    if kinds <= _INSTANTS:
        return "{" + ",".join(["NULL" if each is None else f'"{each.isoformat()}"' for each in value]) + "}"
    return value


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPED)}"'


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

    def composed(self, structure: Hashable, compose: Callable[[], ClauseElement]) -> Prepared:
        """The statement for `structure`, composed and compiled only if it was not before."""
        return self.get(structure) or self.put(structure, prepare(compose()))

    def put(self, structure: Hashable, prepared: Prepared) -> Prepared:
        """Keep `prepared` for `structure` and return it."""
        with self._lock:
            if len(self._by_structure) >= MAX_KEPT:
                self._by_structure.clear()
            self._by_structure[structure] = prepared
        return prepared


async def fetch(connection: Connection, prepared: Prepared, params: Mapping[str, object]) -> Sequence[Row]:
    """Run a statement and give its rows, if it returns any; inside of a pipeline it waits for them."""
    cursor = await start(connection, prepared, params)
    if connection.pgconn.pipeline_status == PipelineStatus.OFF and cursor.rownumber is None:
        # A statement that returns rows has a next one, even where there is none.
        return []
    try:
        return await cursor.fetchall()
    except ProgrammingError as error:
        # Not an answer of the server's: the statement, which the pipeline has sent meanwhile, returns no rows.
        if error.sqlstate is None:
            return []
        raise


async def fetch_alone(
    connection: Connection, prepared: Prepared, params: Mapping[str, object]
) -> Sequence[Row]:
    """The same of a statement that is a transaction of its own, at less cost on a connection that is a `Line`."""
    if isinstance(connection, Line):
        return await connection.ask(prepared.numbered, prepared.bound(params))
    return await fetch(connection, prepared, params)


@lru_cache(maxsize=256)
def written(text: str) -> Prepared:
    """A statement that is written out in full, kept prepared by its text."""
    return Prepared(text, {})


async def start(connection: Connection, prepared: Prepared, params: Mapping[str, object]) -> Cursor:
    """Send a statement inside of a pipeline; its rows are fetched from the cursor after the pipeline's end.

    Rows come in binary: bodies are not written in hexadecimal, and times are not read from text.
    """
    cursor = AsyncRawCursor(connection, row_factory=made_at_once)
    await cursor.execute(prepared.numbered, prepared.bound(params), binary=True)
    return cursor


async def run(connection: Connection, statement: ClauseElement, **params: object) -> Sequence[Row]:
    """Compile and run a statement too rare to be kept; its rows as named tuples, none if it returns none."""
    return await fetch(connection, prepare(statement), params)
