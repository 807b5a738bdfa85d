"""Turns of the event loop, counted: each is one in which others could have been answered.

https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.call_soon
"""

from asyncio import Handle, get_running_loop
from types import TracebackType
from typing import Self


class Turns:
    """Counts the turns of the event loop while the block runs."""

    def __init__(self) -> None:
        self.count = 0
        self._next: Handle | None = None

    def __enter__(self) -> Self:
        self._next = get_running_loop().call_soon(self._turn)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._next is not None:
            self._next.cancel()

    def _turn(self) -> None:
        self.count += 1
        self._next = get_running_loop().call_soon(self._turn)
