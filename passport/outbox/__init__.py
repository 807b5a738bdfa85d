"""Work that a request leaves behind: written in its transaction, carried out by a worker."""

from passport.outbox.keeping import enter, keeping
from passport.outbox.promise import MAX_ATTEMPTS, Promise, Taken, claim, defer, hold, keep, leave

__all__ = [
    "MAX_ATTEMPTS",
    "Promise",
    "Taken",
    "claim",
    "defer",
    "enter",
    "hold",
    "keep",
    "keeping",
    "leave",
]
