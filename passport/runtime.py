"""What a running service is made of; built once in the lifespan and handed to whoever serves a request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from consent.shape import Shape
from fhirstore.keys import KeyMaker
from passport.database import Pool
from passport.keys import KeyRing
from passport.remembering.standings import Standings
from passport.settings import Settings
from passport.sql import Kept


def utc_now() -> datetime:
    """The instant of a request, UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """An id for a resource that the server names."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Runtime:
    """The parts of one process: no module of the service holds state of its own.

    `reading` holds connections on which every transaction, an implicit one too, sees one snapshot.
    `statements` keeps compiled SQL and `shapes` interned consent shapes, both immutable once made. `standings`
    were read before, each worth nothing until its request has found that it still holds (see
    `passport.remembering`); beside them no grant, session or decision is kept.
    """

    settings: Settings
    pool: Pool
    ring: KeyRing
    keys: KeyMaker
    clock: Callable[[], datetime] = utc_now
    new_id: Callable[[], str] = new_id
    statements: Kept = field(default_factory=Kept)
    shapes: dict[int, Shape] = field(default_factory=dict)
    standings: Standings = field(default_factory=Standings)
    reading: Pool | None = None
