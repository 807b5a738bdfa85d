"""kombu's PostgreSQL transport, mended in two places that a killed or distant database shows.

https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.pgmq.html

An acknowledgement that fails keeps its place among the messages under way; a consumer that takes one at a
time then waits for ever, in good health. And the client makes a connection string of five of its parts,
which drops `sslmode` and all that stands beside it.
"""

from collections.abc import Callable
from typing import Any, cast

import psycopg
from kombu.connection import Connection
from kombu.transport import pgmq
from pgmq import PGMQueue
from psycopg_pool import ConnectionPool


class Channel(pgmq.Channel):
    """A channel that goes on, or finds out that it cannot, after an acknowledgement failed."""

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Remove a message from its queue; it is no longer under way even if that fails."""
        acknowledge: Callable[[str, bool], None] = super().basic_ack
        try:
            acknowledge(delivery_tag, multiple)
        except psycopg.Error:
            self.qos.ack(delivery_tag)
            raise


class Transport(pgmq.Transport):
    """The transport; its option `conn_string` is used as it is written."""

    Channel = Channel
    _pool: ConnectionPool[Any] | None = None

    def _create_pgmq_client(self) -> PGMQueue:
        options = cast(Connection, self.client).transport_options or {}
        self._pool = ConnectionPool(
            options["conn_string"],
            min_size=1,
            max_size=options["pool_size"],
            timeout=options["pool_timeout"],
            open=True,
        )
        return PGMQueue(pool=self._pool, vt=options["visibility_timeout"], init_extension=False)

    def close_connection(self, connection: Any) -> None:
        """Close the channels, and the pool, which is ours."""
        super().close_connection(connection)
        if self._pool is not None:
            self._pool.close()
            self._pool = None
