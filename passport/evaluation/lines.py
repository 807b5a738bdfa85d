"""Worlds line by line: each line that comes is answered by one, in order, whatever is in it.

https://jsonlines.org/
"""

from collections.abc import Iterator, Sequence
from io import BufferedIOBase
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import psycopg

from passport.evaluation.errors import EvaluationError, UnreadableWorld
from passport.evaluation.store import Connection
from passport.evaluation.trial import Decided, Trial, Verdicts
from passport.evaluation.world import World, read_world

TOGETHER: Final = 50
"""So many worlds share one statement; more would make it long and save little."""

CHUNK_BYTES: Final = 1 << 20


class Answer(NamedTuple):
    """The line that answers one, and whether the two ways of deciding agree about it."""

    line: bytes
    agrees: bool


class NotTried(EvaluationError):
    """The server refused the statement of a world."""


def answers(
    stream: BufferedIOBase, connection: Connection, secret: bytes, zone: ZoneInfo
) -> Iterator[Answer]:
    """Answer the worlds of a stream as they come; empty lines are passed over.

    Args:
        stream: JSON lines.
        connection: to the server that decides.
        secret: random bytes, of which keys are made.
        zone: the passport's time zone.

    Raises:
        psycopg.OperationalError: the server is gone.
    """
    trial = Trial(connection, secret, zone)
    for lines in _arriving(stream):
        read = [_read(line, zone) for line in lines]
        yield from _answered(trial, connection, read)


def _arriving(stream: BufferedIOBase) -> Iterator[Sequence[bytes]]:
    """Lines in the batches in which they come: whoever waits for an answer before going on gets it."""
    begun: list[bytes] = []
    while chunk := stream.read1(CHUNK_BYTES):
        whole, newline, rest = chunk.rpartition(b"\n")
        if newline:
            yield from _batches(b"".join([*begun, whole]))
            begun = []
        begun.append(rest)
    yield from _batches(b"".join(begun))


def _batches(text: bytes) -> Iterator[Sequence[bytes]]:
    lines = [line for line in text.split(b"\n") if line.strip()]
    for first in range(0, len(lines), TOGETHER):
        yield lines[first : first + TOGETHER]


def _read(line: bytes, zone: ZoneInfo) -> World | EvaluationError:
    try:
        return read_world(line, zone)
    except UnreadableWorld as error:
        return error


def _answered(
    trial: Trial, connection: Connection, read: Sequence[World | EvaluationError]
) -> Iterator[Answer]:
    worlds = [one for one in read if isinstance(one, World)]
    decided = iter(_decided(trial, connection, worlds))
    for one in read:
        yield _written(next(decided) if isinstance(one, World) else one)


def _decided(
    trial: Trial, connection: Connection, worlds: Sequence[World]
) -> Sequence[Decided | EvaluationError]:
    """All of them together; if that fails each for itself, so that one cannot spoil the others."""
    try:
        return trial.decided(worlds)
    except psycopg.Error as error:
        if connection.closed:
            raise
        if len(worlds) > 1:
            return [each for world in worlds for each in _decided(trial, connection, [world])]
        return [NotTried(f"got `{error.sqlstate}` from PostgreSQL, expected a world that it can decide")]


def _written(one: Decided | EvaluationError) -> Answer:
    if isinstance(one, EvaluationError):
        return Answer(orjson.dumps({"error": str(one)}), agrees=True)
    told = {
        "reference": _words(one.reference),
        "sql": _words(one.sql),
        "refused": [refusal._asdict() for refusal in one.refused],
    }
    return Answer(orjson.dumps(told), agrees=one.reference == one.sql)


def _words(verdicts: Verdicts) -> dict[str, str]:
    return {name: "permit" if permitted else "deny" for name, permitted in verdicts.items()}
