"""Long work in pieces: in between the event loop has a turn, and answers others.

https://docs.python.org/3/library/asyncio-task.html#sleeping

A piece is as much as one request may keep others waiting for. What has no more parts than that costs nothing.
"""

from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Sequence
from typing import Final, TypeVar

from fhirstore.parse import Limits, Tree, parse

Part = TypeVar("Part")

PIECE: Final = 20
"""Resources that are looked through in one go: some milliseconds."""

PIECE_BYTES: Final = 65_536
"""A text that is read in one go; a longer one is read beside the event loop, since its reader cannot pause."""


async def in_pieces(parts: Sequence[Part]) -> AsyncIterator[Part]:
    """Yield the parts in their order, and let the event loop have a turn between pieces."""
    for at, part in enumerate(parts):
        if at and at % PIECE == 0:
            await sleep(0)
        yield part


async def parsed(body: bytes, limits: Limits) -> Tree:
    """Read one JSON object, however long it is.

    Raises:
        ParseError: as `parse`.
    """
    if len(body) <= PIECE_BYTES:
        return parse(body, limits)
    return await to_thread(parse, body, limits)
