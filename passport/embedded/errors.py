"""What keeps the embedded PostgreSQL from serving."""


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot serve; the message says what was found and what was expected."""


class NoBinaries(EmbeddedPostgresError):
    """No server program that may be run."""


class NotOurs(EmbeddedPostgresError):
    """The state folder belongs to another user."""


class WrongMajor(EmbeddedPostgresError):
    """The state folder belongs to another major version."""


class StateInUse(EmbeddedPostgresError):
    """Another process holds the state folder and does not get ready."""


class StartFailed(EmbeddedPostgresError):
    """The server does not come up."""


class StillRunning(EmbeddedPostgresError):
    """A server process of an earlier run cannot be ended."""
