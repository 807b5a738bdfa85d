"""Access tokens: opaque, short-lived, stored as a hash, looked up on every request.

https://www.rfc-editor.org/rfc/rfc6750

A token says nothing by itself. What it is good for stands in its session, so that ending the session ends it
at once, and so that identity may change behind the same `Subject`.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from fhirstore import base64url
from passport.identity import store
from passport.identity.scopes import told
from passport.outcomes import Refused
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Subject

TOKEN_BYTES: Final = 32

DELEGATED_DAYS: Final = 30
"""How long a task may act for the caller who asked for it."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as its owner gets it, once; only its hash is kept."""

    text: str = field(repr=False)
    session_id: UUID
    scopes: frozenset[str]
    issued_at: datetime
    expires_at: datetime

    @property
    def seconds(self) -> int:
        """How long it is good for."""
        return int((self.expires_at - self.issued_at).total_seconds())

    @property
    def answer(self) -> dict[str, object]:
        """The successful answer of RFC 6749, section 5.1."""
        return {
            "access_token": self.text,
            "token_type": "Bearer",
            "expires_in": self.seconds,
            "scope": " ".join(sorted(told(self.scopes))),
        }


def token_hash(text: str) -> bytes:
    """Return what is stored of a token: SHA-256, enough for 32 random bytes."""
    return sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Bound:
    """What a session ends with, and what its bearer has to prove.

    `family_id` is the family of tokens that it belongs to, `confirmation` the thumbprint of a key, `derived_from` the
    session that it was exchanged for or that opened it in an emergency, or the sign-in at a browser that it is of.
    `client_id` is the client that gets it, where one asked; what follows from a token is that token's client's.
    """

    family_id: UUID | None = None
    confirmation: bytes | None = None
    derived_from: UUID | None = None
    client_id: str | None = None


UNBOUND: Final = Bound()


async def issue(
    runtime: Runtime,
    connection: Connection,
    subject: Subject,
    *,
    now: datetime,
    lifetime: timedelta,
    authenticated_at: datetime | None,
    bound: Bound = UNBOUND,
) -> Issued:
    """Begin a session for `subject` in the open transaction and return its token.

    The subject's own `session_id` plays no part: a session is new. `authenticated_at` is when whoever it is for proved
    who they are, which is not when an app got a new token for them; None is never lately.
    """
    text = base64url.encode(runtime.ring.random(TOKEN_BYTES))
    session_id = random_uuid(runtime)
    hashed = token_hash(text)
    ends = await _open(
        runtime, connection, subject, hashed, session_id, now, now + lifetime, bound, authenticated_at
    )
    return Issued(text, session_id, subject.scopes, now, ends)


async def delegate(
    runtime: Runtime,
    connection: Connection,
    subject: Subject,
    *,
    now: datetime,
    lifetime: timedelta = timedelta(days=DELEGATED_DAYS),
) -> bytes:
    """Begin a session with which a task acts for `subject`, and return its token's hash.

    Nobody knows the token: the hash itself is random. What was withdrawn by the time the task runs is
    withdrawn for the task.

    Raises:
        Refused: an emergency opening ends within hours and is for the one who opened it.
    """
    if subject.opened_patient_key is not None:
        raise Refused("an emergency opening cannot be handed on to a task")
    hashed = runtime.ring.random(TOKEN_BYTES)
    # A task of a service is its client's; one that a person asked for through an app is that person's.
    origin = subject.session_id if subject.kind == "service" else None
    await _open(
        runtime, connection, subject, hashed, random_uuid(runtime), now, now + lifetime, origin=origin
    )
    return hashed


async def revoke(connection: Connection, hashed: bytes, *, now: datetime) -> bool:
    """End the session of a token; False when there is none that goes on."""
    params = {"token_hash": hashed, "now": now}
    ended = await fetch(connection, store.END_SESSION, params)
    # A statement of its own: it sees the session of an exchange that held this one until now.
    await fetch(connection, store.END_DERIVED, params)
    return bool(ended)


def random_uuid(runtime: Runtime) -> UUID:
    """Draw an id from the installation's own source of randomness."""
    return UUID(bytes=runtime.ring.random(16), version=4)


async def _open(
    runtime: Runtime,
    connection: Connection,
    subject: Subject,
    hashed: bytes,
    session_id: UUID,
    now: datetime,
    expires_at: datetime,
    bound: Bound = UNBOUND,
    authenticated_at: datetime | None = None,
    *,
    origin: UUID | None = None,
) -> datetime:
    keys = runtime.keys
    row = {
        "token_hash": hashed,
        "session_id": session_id,
        "kind": subject.kind,
        "subject": subject.reference,
        "role": subject.role,
        "client": subject.client,
        "actor_key": keys.reference(subject.actor),
        "client_key": None if subject.client is None else keys.reference(subject.client),
        "patient_key": subject.patient_key,
        "opened_patient_key": subject.opened_patient_key,
        "purpose": subject.purpose,
        "scopes": sorted(subject.scopes),
        "issued_at": now,
        "expires_at": expires_at,
        "family_id": bound.family_id,
        "confirmation": bound.confirmation,
        "derived_from": bound.derived_from,
        "authenticated_at": authenticated_at,
        "client_id": bound.client_id,
        "origin": bound.derived_from or origin,
    }
    (opened,) = await fetch(connection, store.OPEN_SESSION, row)
    ends: datetime = opened.expires_at
    return ends
