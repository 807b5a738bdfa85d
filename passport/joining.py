"""Requests inside of a transaction: they see what it has written so far, and end with it.

http://hl7.org/fhir/R4/http.html#trules

A request that joins begins and commits nothing. Its standing is read anew, and nothing that it learns is kept for later
ones: what it rests on may be undone. If it is refused, whoever it belongs to undoes everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from passport.sql import Connection

_AROUND: Final[ContextVar[Connection | None]] = ContextVar("around", default=None)


def around() -> Connection | None:
    """The connection whose open transaction a request is part of, None for one that has its own."""
    return _AROUND.get()


@contextmanager
def joined(connection: Connection) -> Iterator[None]:
    """Let the requests of this block, one after the other, be part of the connection's transaction."""
    token = _AROUND.set(connection)
    try:
        yield
    finally:
        _AROUND.reset(token)
