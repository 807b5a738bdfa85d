"""One round trip for several statements: they leave in one write, and are answered together.

https://www.postgresql.org/docs/current/libpq-pipeline-mode.html

Every request runs the same few statements. psycopg's own pipeline writes each by itself, so that the server
wakes up for each, and gives up all prepared statements at every rollback. So they go through its connection by
libpq's own calls: prepared once, parameters as text whose types the statement says itself, rows in binary.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple, Self
from weakref import WeakKeyDictionary

from psycopg import errors, generators
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from fhirstore.literals import literal
from fhirstore.statements import Connection, Prepared, Row

MAX_PREPARED: Final = 200
"""Statements that one connection keeps prepared; each holds its plan in the memory of a server process."""


class Step(NamedTuple):
    """A statement with the values of its parameters, by name."""

    prepared: Prepared
    params: Mapping[str, object] = {}


async def fetch(connection: Connection, prepared: Prepared, params: Mapping[str, object]) -> Sequence[Row]:
    """Run one statement; return its rows, none if it returns none."""
    (rows,) = await exchange(connection, Step(prepared, params))
    return rows


async def exchange(connection: Connection, *steps: Step) -> list[Sequence[Row]]:
    """Run the statements in one round trip; return the rows of each, none of one that returns none.

    Outside of a transaction they are one, which ends with the last of them.

    Raises:
        psycopg.Error: of the first that failed; nothing after it was run.
    """
    known = _KNOWN.get(connection) or _known(connection)
    sendable = [_Sendable.of(step) for step in steps]
    async with connection.lock:
        results = await connection.wait(_exchanged(connection.pgconn, known, sendable))
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise errors.error_from_result(result, encoding=connection.info.encoding)
    return [_rows(connection, result) for result in results]


class _Known:
    """What one connection has prepared, by its text, the least lately used first."""

    def __init__(self) -> None:
        self._names: dict[str, bytes] = {}
        self._made = 0

    def name(self, text: str) -> bytes | None:
        """The name under which the server knows `text`."""
        found = self._names.pop(text, None)
        if found is not None:
            self._names[text] = found
        return found

    def new_name(self) -> bytes:
        """A name that was never used on this connection."""
        self._made += 1
        return b"passport_%d" % self._made

    def keep(self, text: str, name: bytes, result: PGresult) -> None:
        """Take the answer to a preparation of `text`."""
        if result.status == ExecStatus.COMMAND_OK:
            self._names[text] = name

    def superfluous(self) -> Iterator[bytes]:
        """Names to give up for a new one, forgotten here."""
        while len(self._names) >= MAX_PREPARED:
            yield self._names.pop(next(iter(self._names)))


_KNOWN: Final[WeakKeyDictionary[Connection, _Known]] = WeakKeyDictionary()
"""A prepared statement lives as long as its connection, and so does what is known of it."""


def _known(connection: Connection) -> _Known:
    # What psycopg prepares itself it gives up at a rollback, and all that is prepared here with it.
    connection.prepare_threshold = None
    return _KNOWN.setdefault(connection, _Known())


class _Sendable(NamedTuple):
    """A step as it is sent: nothing of it can be refused any more before the server has it."""

    text: str
    values: list[bytes | None]

    @classmethod
    def of(cls, step: Step) -> Self:
        return cls(step.prepared.numbered, [literal(value) for value in step.prepared.bound(step.params)])


_Take = Callable[[PGresult], None]


def _exchanged(pgconn: PGconn, known: _Known, steps: Sequence[_Sendable]) -> PQGen[list[PGresult]]:
    """Send all, then read until the server has answered all; return the steps' own results."""
    results: list[PGresult] = []
    pgconn.enter_pipeline_mode()
    answered = [take for step in steps for take in _sent(pgconn, known, step, results)]
    pgconn.pipeline_sync()
    yield from generators.send(pgconn)
    for take in answered:
        (result,) = yield from generators.fetch_many(pgconn)
        take(result)
    # A commit of what is no transaction of its own comes with the synchronisation, and may fail there.
    while (last := (yield from generators.fetch_many(pgconn))[0]).status != ExecStatus.PIPELINE_SYNC:
        results.append(last)
    pgconn.exit_pipeline_mode()
    return results


def _sent(pgconn: PGconn, known: _Known, step: _Sendable, results: list[PGresult]) -> Iterator[_Take]:
    """Send one step, prepared before where the server does not know it; yields who takes each answer."""
    name = known.name(step.text)
    if name is None:
        for forgotten in known.superfluous():
            pgconn.send_query_params(b"DEALLOCATE %b" % forgotten, None)
            yield _ignored
        name = known.new_name()
        pgconn.send_prepare(name, step.text.encode())
        yield partial(known.keep, step.text, name)
    pgconn.send_query_prepared(name, step.values, result_format=Format.BINARY)
    yield results.append


def _ignored(_: PGresult) -> None:
    """A name that could not be given up is given up with the connection."""


def _rows(connection: Connection, result: PGresult) -> Sequence[Row]:
    if result.status != ExecStatus.TUPLES_OK:
        return []
    transformer = Transformer(connection)
    transformer.set_pgresult(result)
    names = tuple((result.fname(at) or b"").decode() for at in range(result.nfields))
    return transformer.load_rows(0, result.ntuples, _row_type(names)._make)


@lru_cache(MAX_PREPARED)
def _row_type(names: tuple[str, ...]) -> Any:
    return namedtuple("Row", names, rename=True)
