"""Families of tokens: what one person allowed one client, and whatever follows from it; it ends as a whole.

https://www.rfc-editor.org/rfc/rfc9700#section-4.14

Each token is issued to the person as they stand now: a role that ended, a guardian out of office or somebody who died
gets none. Whoever ends a family waits for those who issue from it, and then ends what they issued.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from fhirstore import base64url
from passport.identity import tokens
from passport.identity.authorization import store
from passport.identity.clients import Client
from passport.identity.persons import city_kind
from passport.identity.principals import UnknownPrincipal, principal
from passport.identity.store import END_DERIVED_OF
from passport.runtime import Runtime
from passport.sql import Connection, Row, fetch
from passport.subjects import Subject

OFFLINE_LASTS: Final = timedelta(days=90)
"""How long an app goes on without its person, at most."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a person allowed a client; `until` is when it ends at the latest."""

    kind: str
    subject: str
    role: str | None
    patient_key: int | None
    scopes: frozenset[str]
    beside: frozenset[str]
    purpose: str
    authenticated_at: datetime
    until: datetime
    nonce: str | None = None
    launch: Mapping[str, str] | None = None
    login_id: UUID | None = None
    confirmation: bytes | None = None


def secret(runtime: Runtime) -> tuple[str, bytes]:
    """Draw a secret: its text, known once, and its hash, which is kept."""
    text = base64url.encode(runtime.ring.random(tokens.TOKEN_BYTES))
    return text, hashed(text)


def hashed(text: str) -> bytes:
    """What is kept of a secret: SHA-256, enough for 32 random bytes."""
    return sha256(text.encode()).digest()


async def begin(
    runtime: Runtime, connection: Connection, client: Client, allowed: Allowed, *, now: datetime
) -> UUID:
    """Begin a family."""
    family_id = tokens.random_uuid(runtime)
    params = {
        "family_id": family_id,
        "client_id": client.client_id,
        "kind": allowed.kind,
        "subject": allowed.subject,
        "role": allowed.role,
        "patient_key": allowed.patient_key,
        "scopes": sorted(allowed.scopes),
        "beside": sorted(allowed.beside),
        "purpose": allowed.purpose,
        "nonce": allowed.nonce,
        "launch": Jsonb(dict(allowed.launch or {})),
        "login_id": allowed.login_id,
        "confirmation": allowed.confirmation,
        "authenticated_at": allowed.authenticated_at,
        "now": now,
        "expires_at": allowed.until,
    }
    await fetch(connection, store.BEGIN_FAMILY, params)
    return family_id


async def held(connection: Connection, family_id: UUID, *, now: datetime) -> Row | None:
    """A family that goes on, held until the transaction ends; None where it ended."""
    rows = await fetch(connection, store.HOLD_FAMILY, {"family_id": family_id, "now": now})
    return rows[0] if rows else None


async def subject_of(
    runtime: Runtime, connection: Connection, family: Any, client: Client, *, now: datetime
) -> Subject | None:
    """The person of a family as they stand now, through the client; None where they act no more."""
    of_city = city_kind(family.subject) is not None
    reference = family.subject if of_city else family.role or family.subject
    try:
        subject = await principal(
            runtime, connection, reference, purpose=family.purpose, scopes=frozenset(family.scopes), now=now
        )
    except UnknownPrincipal:
        return None
    # A role may have been given to somebody else.
    same = subject.reference == family.subject and subject.role == family.role
    return replace(subject, client=client.subject) if same else None


async def new_refresh(
    runtime: Runtime, connection: Connection, family_id: UUID, client: Client, *, now: datetime
) -> str:
    """Hand out a refresh token."""
    text, kept = secret(runtime)
    params = {"token_hash": kept, "family_id": family_id, "client_id": client.client_id, "now": now}
    await fetch(connection, store.PUT_REFRESH, params)
    return text


async def end(connection: Connection, family_id: UUID, *, now: datetime) -> list[Row]:
    """End a family with all its tokens; whose it was, nothing where it had ended."""
    ended = await fetch(connection, store.END_FAMILY, {"family_id": family_id, "now": now})
    await _end_sessions(connection, [family_id], now)
    return list(ended)


async def end_of_login(connection: Connection, login_id: UUID, *, now: datetime) -> None:
    """End what goes on only while its person is signed in at that browser: what apps have, and its own tokens."""
    await fetch(connection, store.END_TOKENS_OF_LOGIN, {"login_id": login_id, "now": now})
    rows = await fetch(connection, store.END_FAMILIES_OF_LOGIN, {"login_id": login_id, "now": now})
    # Statements of their own: they see the opening of whoever held one of its tokens until now.
    await fetch(connection, END_DERIVED_OF, {"origins": [login_id], "now": now})
    await _end_sessions(connection, [row.family_id for row in rows], now)


async def end_of_role(connection: Connection, subject: str, role: str | None, *, now: datetime) -> None:
    """End what a person allowed in a role."""
    params = {"subject": subject, "role": role, "now": now}
    rows = await fetch(connection, store.END_FAMILIES_OF_ROLE, params)
    await _end_sessions(connection, [row.family_id for row in rows], now)


async def end_of_subject(connection: Connection, subject: str, *, now: datetime) -> None:
    """End what somebody allowed."""
    rows = await fetch(connection, store.END_FAMILIES_OF_SUBJECT, {"subject": subject, "now": now})
    await _end_sessions(connection, [row.family_id for row in rows], now)


async def end_of_method(
    connection: Connection, method: str, *, now: datetime, subject: str | None = None
) -> None:
    """End what people allowed, or the one that is named, whom nothing but this way of signing in had recognised."""
    params = {"method": method, "subject": subject, "now": now}
    rows = await fetch(connection, store.END_FAMILIES_BY, params)
    await _end_sessions(connection, [row.family_id for row in rows], now)


async def end_of_passkey(connection: Connection, passkey_id: UUID, *, now: datetime) -> None:
    """End what somebody allowed whom a passkey had recognised."""
    params = {"passkey_id": passkey_id, "now": now}
    rows = await fetch(connection, store.END_FAMILIES_OF_PASSKEY, params)
    await _end_sessions(connection, [row.family_id for row in rows], now)


async def _end_sessions(connection: Connection, families: list[UUID], now: datetime) -> None:
    # A statement of its own: it sees the session of whoever held the family until now.
    if families:
        await fetch(connection, store.END_SESSIONS_OF_FAMILIES, {"families": families, "now": now})
