"""Connections whose sockets the event loop watches from the first answer to the last.

https://www.psycopg.org/psycopg3/docs/api/connections.html#psycopg.AsyncConnection.wait

All that is said to PostgreSQL is psycopg's: it writes an exchange down as a generator, which tells whether it waits to
read or to write. The driver has the socket watched anew for each wait, and sets a timer beside; that was half of what
an exchange cost. Here the socket stays watched, and the generator goes on where it is ready.
"""

import select
from asyncio import AbstractEventLoop, CancelledError, Future, get_running_loop
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from psycopg import AsyncConnection, AsyncPipeline, Error, InterfaceError, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg.waiting import Ready, Wait

from fhirstore.gathered import Gathered
from fhirstore.prepared import PreparedStatements

CANCELLATION_SECONDS: Final = 5.0
"""How long the server may take to hear that a statement is given up, before its connection is closed."""

_ALONE: Final = frozenset({TransactionStatus.IDLE, TransactionStatus.UNKNOWN})
_INTERVAL_SECONDS: Final = 0.1  # The driver's own, for the waits that are left to it.
_READ: Final = select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL


class Line(AsyncConnection[tuple[Any, ...]]):
    """A connection of psycopg's that waits at less cost."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._statements = PreparedStatements(self)
        self._gen: PQGen[Any] | None = None
        self._end: Future[Any] | None = None
        self._loop: AbstractEventLoop | None = None
        # Kept as a number: libpq itself closes the socket of a connection that it finds broken.
        self._socket = self.pgconn.socket
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN | select.POLLOUT)

    async def ask(self, text: str, values: Sequence[object]) -> list[Any]:
        """The rows of a statement with numbered parameters, as named tuples: a transaction of its own.

        What the driver prepares by itself is dropped after a rollback, and what is prepared here with it. So it is for
        connections whose transactions are single statements.

        Raises:
            psycopg.Error: as PostgreSQL says.
            InterfaceError: a transaction or a pipeline goes on.
        """
        async with self.lock:
            if self.pgconn.transaction_status not in _ALONE or self.pgconn.pipeline_status:
                raise InterfaceError("got a statement within others, expected it alone")
            return await self.wait(self._statements.asked(text, values))

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[AsyncPipeline]:
        """The driver's pipeline, which leaves in one piece."""
        if self._pipeline is None:
            self._pipeline = Gathered(self)
        async with super().pipeline() as gathered:
            yield gathered

    async def wait(
        self, gen: PQGen[RV], interval: float = _INTERVAL_SECONDS, timeout: float | None = None
    ) -> RV:
        """Carry out an exchange and return what it returns.

        Whoever is cancelled meanwhile leaves no answer behind for the next one: the statement is given up, and the
        connection is closed.

        Raises:
            psycopg.Error: as the exchange itself.
            InterfaceError: another exchange goes on, whose answer this one would meet.
        """
        if self._gen is not None:
            raise InterfaceError("got an exchange during another one, expected it afterwards")
        if timeout is not None:
            self._unwatch()
            return await super().wait(gen, interval, timeout)
        try:
            wanted = self._gone_on(gen, next(gen))
        except StopIteration as finished:
            result: RV = finished.value
            return result
        finally:
            self._leave_broken()
        end: Future[RV] = get_running_loop().create_future()
        self._gen, self._end = gen, end
        try:
            self._watch(wanted)
            return await end
        except CancelledError:
            if not end.cancelled():
                # What came of it in the same moment is nobody's.
                end.exception()
            await self._give_up()
            raise
        finally:
            self._gen = self._end = None

    async def close(self) -> None:
        """Close the connection; an exchange that goes on fails."""
        self._unwatch()
        if self._end is not None and not self._end.done():
            self._end.set_exception(OperationalError("the connection was closed"))
        await super().close()

    def _gone_on(self, gen: PQGen[Any], wanted: Wait) -> Wait:
        """What an exchange waits for once it has done what can be done now: mostly there is room to write."""
        while wanted & Wait.W and (ready := self._ready(wanted)):
            wanted = gen.send(ready)
        return wanted

    def _ready(self, wanted: Wait) -> Ready:
        events = sum(found for _, found in self._poll.poll(0))
        return Ready(
            (wanted & Wait.R if events & _READ else 0) | (wanted & Wait.W if events & ~select.POLLIN else 0)
        )

    def _go_on(self, ready: Ready) -> None:
        """Hand an exchange the socket, as the loop has found it."""
        gen, end = self._gen, self._end
        if gen is None or end is None or end.done():
            # A notice, or the end of the server: whoever asks next meets it.
            self._unwatch()
            return
        try:
            self._watch(self._gone_on(gen, gen.send(ready)))
        except StopIteration as finished:
            end.set_result(finished.value)
        except (Error, OSError) as error:
            end.set_exception(error)
        except BaseException:
            # Nobody waits for ever because of a fault that was not foreseen; it is reported by the loop.
            end.set_exception(InterfaceError("the exchange has failed"))
            raise
        finally:
            self._leave_broken()

    def _watch(self, wanted: Wait) -> None:
        if self._loop is None:
            self._loop = get_running_loop()
            self._loop.add_reader(self._socket, self._go_on, Ready.R)
        if wanted & Wait.W:
            self._loop.add_writer(self._socket, self._write_on)

    def _write_on(self) -> None:
        if self._loop is not None:
            self._loop.remove_writer(self._socket)
        self._go_on(Ready.W)

    def _unwatch(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._loop = None

    def _leave_broken(self) -> None:
        """Watch no number that belongs to nobody, and soon to somebody else."""
        if self.closed:
            self._unwatch()

    async def _give_up(self) -> None:
        self._unwatch()
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            try:
                with suppress(Error):
                    await self.cancel_safe(timeout=CANCELLATION_SECONDS)
            finally:
                await self.close()
