"""Pipelines that leave in one piece: what is said in one is sent when an answer is waited for, or when it ends.

https://www.postgresql.org/docs/current/libpq-pipeline-mode.html

The driver sends each statement of a pipeline by itself, and looks each time whether something came back: as many calls
of the system, and as often the server is woken, as there are statements. Nothing is read from them meanwhile, so here
they are written down one behind the other and sent once. What the driver does with the answers stays its own.
"""

from psycopg import AsyncPipeline
from psycopg.abc import PQGen
from psycopg.generators import send


class Gathered(AsyncPipeline):
    """A pipeline of psycopg's that sends less often; an error shows when an answer is waited for, or at the end."""

    def _communicate_gen(self) -> PQGen[None]:
        """What the driver does behind each statement: here nothing."""
        yield from ()

    def _fetch_gen(self, *, flush: bool) -> PQGen[None]:
        """Send what was said, and fetch all answers.

        Raises:
            psycopg.Error: as PostgreSQL says, the first one of several.
        """
        while self.command_queue:
            self.command_queue.popleft()()
        if flush and self.result_queue:
            self.pgconn.send_flush_request()
        # Reads while it writes, so that neither side waits for the other.
        yield from send(self.pgconn)
        yield from super()._fetch_gen(flush=False)
