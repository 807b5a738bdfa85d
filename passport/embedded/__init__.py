"""PostgreSQL without an administrator: the server that a state folder starts for itself.

https://www.postgresql.org/docs/current/server-start.html

A server named by URL replaces all of this; nothing else in the service knows which of the two it talks to.
"""

from passport.embedded.errors import EmbeddedPostgresError
from passport.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
