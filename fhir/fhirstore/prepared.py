"""The statements that one connection keeps prepared, and what is sent and read of each.

https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY

Values are written and rows are read by psycopg's adapters, and the exchange is its own. What is left out is a cursor,
which would be made anew for each answer, though it is read once and whole.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from psycopg import AsyncCursor, AsyncRawCursor
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.rows import RowMaker, namedtuple_row

PREPARED_FROM: Final = 1
"""How often a statement is sent as text before the connection keeps it prepared: each time it is planned anew."""

MOST_KEPT: Final = 100
"""Statements that one connection knows; of more the one that was used longest ago is forgotten."""


@dataclass(slots=True)
class _Kept:
    """A statement with the types of its parameters: how often it was sent, its name once it is prepared, its rows."""

    times: int = 0
    name: bytes = b""
    make: RowMaker[Any] | None = None


def made_at_once(cursor: AsyncCursor[Any]) -> RowMaker[Any]:
    """Named tuples, each made at once: the driver makes them by a function that checks what a row cannot lack."""
    make = namedtuple_row(cursor)
    row: type[tuple[Any, ...]] | None = getattr(make, "__self__", None)
    return make if row is None else partial(tuple.__new__, row)


class PreparedStatements:
    """Those of one connection, which asks for one at a time."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._adapted = Transformer(connection)
        self._kept: OrderedDict[tuple[str, tuple[int, ...] | None], _Kept] = OrderedDict()
        self._over: list[bytes] = []
        self._named = 0

    def asked(self, text: str, values: Sequence[object]) -> PQGen[list[Any]]:
        """The exchange that sends a statement with its values and returns its rows, once all of it has ended well.

        Raises:
            psycopg.Error: as PostgreSQL says; the statement is prepared anew when it is sent next.
        """
        adapted, server = self._adapted, self._connection.pgconn
        sent = adapted.dump_sequence(values, [PyFormat.AUTO] * len(values))
        types, formats = adapted.types, adapted.formats
        while self._over:
            server.send_query(b"DEALLOCATE " + self._over.pop())
            # One that is not there any more is gone as well.
            yield from execute(server)
        kept = self._recalled((text, types))
        if not kept.name and kept.times >= PREPARED_FROM:
            name = b"kept_%d" % self._named
            self._named += 1
            server.send_prepare(name, text.encode(), types)
            self._checked((text, types), (yield from execute(server)))
            kept.name = name
        kept.times += 1
        if kept.name:
            server.send_query_prepared(kept.name, sent, formats, Format.BINARY)
        else:
            server.send_query_params(text.encode(), sent, types, formats, Format.BINARY)
        # An error of the commit comes after the rows.
        return self._rows(kept, self._checked((text, types), (yield from execute(server))))

    def _recalled(self, key: tuple[str, tuple[int, ...] | None]) -> _Kept:
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _Kept()
            if len(self._kept) > MOST_KEPT:
                self._forget(next(iter(self._kept)))
        else:
            self._kept.move_to_end(key)
        return kept

    def _forget(self, key: tuple[str, tuple[int, ...] | None]) -> None:
        kept = self._kept.pop(key)
        if kept.name:
            self._over.append(kept.name)

    def _checked(
        self, key: tuple[str, tuple[int, ...] | None], results: Sequence[PGresult]
    ) -> Sequence[PGresult]:
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                self._forget(key)
                raise error_from_result(result, encoding=self._connection.info.encoding)
        return results

    def _rows(self, kept: _Kept, results: Sequence[PGresult]) -> list[Any]:
        result = results[0]
        if result.status != ExecStatus.TUPLES_OK:
            return []
        if kept.make is None:
            cursor = AsyncRawCursor(self._connection)
            cursor.pgresult = result
            kept.make = made_at_once(cursor)
        self._adapted.set_pgresult(result, set_loaders=True, format=Format.BINARY)
        rows = self._adapted.load_rows(0, result.ntuples, kept.make)
        self._adapted.set_pgresult(None)
        return rows
