"""One event loop and one runtime per worker process, by which a synchronous task runs the service's own code.

https://docs.python.org/3/library/asyncio-runner.html#asyncio.Runner
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from passport.runtime import Runtime
from workers.ending import within

T = TypeVar("T")

GRACE_SECONDS: Final = 10
"""What a task has left, after its time is over, for noting that it failed; then its process ends."""


class Runner:
    """Keeps the loop and the runtime from the process's start to its end; use it as a context manager."""

    def __init__(
        self, open_runtime: Callable[[], AbstractAsyncContextManager[Runtime]], *, limit_seconds: float
    ) -> None:
        self._open = open_runtime
        self._loop = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.limit_seconds = limit_seconds

    def __enter__(self) -> Self:
        self._loop.__enter__()
        self._runtime = self._loop.run(self._stack.enter_async_context(self._open()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.run(self._stack.aclose())
        self._loop.__exit__(kind, error, traceback)

    def run(self, work: Callable[[Runtime], Coroutine[Any, Any, T]]) -> T:
        """Run `work` to its end.

        Work that neither ends nor can be cancelled ends the process: its row is counted as attempted, and the
        supervisor starts a new one.
        """
        with within(self.limit_seconds + GRACE_SECONDS):
            return self._loop.run(work(self._runtime))
