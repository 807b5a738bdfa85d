"""Browser sessions: who is signed in, since when and by what; ended by idleness, by time, or by the person.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec5

The cookie's text is 32 random bytes and is kept as its hash. A sign-in always begins a new session, so that nobody
is signed in to one that somebody else knows. It opens no record by itself: an app that asks gets a token of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any, Final
from uuid import UUID

from fhirstore import base64url
from passport.identity import tokens
from passport.identity.authorization import families
from passport.identity.login import store
from passport.outcomes import Refused
from passport.runtime import Runtime
from passport.sql import Connection, fetch
from passport.subjects import Kind

IDLE: Final = timedelta(minutes=30)
LASTS: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person at a browser; `purposes` and `scopes` are what an operator allowed their login.

    Where `limited_to` says something, the session is good for that alone.
    """

    login_id: UUID
    login: str
    kind: Kind
    subject: str
    role: str | None
    patient_key: int | None
    purposes: tuple[str, ...]
    scopes: tuple[str, ...]
    methods: tuple[str, ...]
    authenticated_at: datetime
    second_factor_at: datetime | None
    cookie: str = field(repr=False)
    limited_to: str | None = None

    @property
    def csrf(self) -> str:
        """What a form of this session carries: nobody knows it who does not know the cookie."""
        return csrf_of(self.cookie)

    def require_csrf(self, given: object) -> None:
        """Let a form through that was made for this session.

        Raises:
            Refused: it was not.
        """
        if not isinstance(given, str) or not compare_digest(given.encode(), self.csrf.encode()):
            raise Refused("expected the form that was shown in this session")

    def fresh(self, now: datetime, within: timedelta) -> bool:
        """Whether the person proved who they are lately."""
        return now - self.authenticated_at <= within


def csrf_of(cookie: str) -> str:
    """What a form carries of the session that a cookie is of."""
    made = digest(cookie.encode(), b"form of a browser session", "sha256")
    return base64url.encode(made)


async def begin(
    runtime: Runtime,
    connection: Connection,
    row: Any,
    *,
    methods: Sequence[str],
    now: datetime,
    second_factor_at: datetime | None = None,
    limited_to: str | None = None,
    passkey_id: UUID | None = None,
    lasts: timedelta = LASTS,
) -> tuple[UUID, str]:
    """Begin a session for whoever `row` tells of; its id and the cookie's text, which is known once.

    Args:
        runtime: the service's parts.
        connection: a connection inside a transaction.
        row: the login, and what it stands for, as a sign-in code has it.
        methods: how the person was recognised.
        now: the instant.
        second_factor_at: when they showed a second factor, None where they showed one alone.
        limited_to: what the session is good for alone, None where it is good for whatever a person does.
        passkey_id: the passkey by which it began, None where that was something else.
        lasts: how long it lasts at most.
    """
    text = base64url.encode(runtime.ring.random(tokens.TOKEN_BYTES))
    login_id = tokens.random_uuid(runtime)
    params = {
        "cookie_hash": _hashed(text),
        "login_id": login_id,
        "login": row.login,
        "kind": row.kind,
        "subject": row.subject,
        "role": row.role,
        "patient_key": row.patient_key,
        "purposes": list(row.purposes),
        "scopes": list(row.scopes),
        "methods": list(methods),
        "now": now,
        "expires_at": now + lasts,
        "second_factor_at": second_factor_at,
        "limited_to": limited_to,
        "passkey_id": passkey_id,
    }
    await fetch(connection, store.OPEN, params)
    return login_id, text


async def signed_in(
    connection: Connection, cookie: str, *, now: datetime, limited_to: str | None = None
) -> SignedIn | None:
    """Whose cookie it is, None where nobody is signed in by it any more; the session goes on by being asked.

    A session that is good for one thing alone is nobody's, unless it is asked for that thing.
    """
    params = {
        "cookie_hash": _hashed(cookie),
        "now": now,
        "idle_since": now - IDLE,
        "limited_to": limited_to,
    }
    rows = await fetch(connection, store.SEEN, params)
    if not rows:
        return None
    (row,) = rows
    return SignedIn(
        login_id=row.login_id,
        login=row.login,
        kind=row.kind,
        subject=row.subject,
        role=row.role,
        patient_key=row.patient_key,
        purposes=tuple(row.purposes),
        scopes=tuple(row.scopes),
        methods=tuple(row.methods),
        authenticated_at=row.authenticated_at,
        second_factor_at=row.second_factor_at,
        cookie=cookie,
        limited_to=row.limited_to,
    )


async def name_browser(connection: Connection, login_id: UUID, kind: str | None) -> None:
    """Note at what kind of browser a session is, for its person to know it again."""
    await fetch(connection, store.NAME_BROWSER, {"login_id": login_id, "browser": kind})


async def end(connection: Connection, cookie: str, *, now: datetime) -> Any | None:
    """End a session with all that apps have by it, but for what was allowed to go on; whose it was."""
    rows = await fetch(connection, store.END, {"cookie_hash": _hashed(cookie), "now": now})
    for row in rows:
        await families.end_of_login(connection, row.login_id, now=now)
    return rows[0] if rows else None


async def end_of_passkey(
    connection: Connection, passkey_id: UUID, *, now: datetime, but: UUID | None = None
) -> None:
    """End what began by a passkey, but for the session in which that is asked for; and what apps were allowed by it.

    Whoever took the device may have allowed an app that goes on without it.
    """
    params = {"passkey_id": passkey_id, "but": but, "now": now}
    for row in await fetch(connection, store.END_OF_PASSKEY, params):
        await families.end_of_login(connection, row.login_id, now=now)
    # A statement of its own: it sees what was allowed in a session until that was ended.
    await families.end_of_passkey(connection, passkey_id, now=now)


async def end_of(connection: Connection, subject: str, role: str | None, *, now: datetime) -> None:
    """End whatever a person has in a role: browser sessions, and what apps may do for them."""
    await fetch(connection, store.END_OF_ROLE, {"subject": subject, "role": role, "now": now})
    await families.end_of_role(connection, subject, role, now=now)


async def end_of_subject(connection: Connection, subject: str, *, now: datetime) -> None:
    """End whatever somebody has, in any role."""
    await fetch(connection, store.END_OF_SUBJECT, {"subject": subject, "now": now})
    await families.end_of_subject(connection, subject, now=now)


def _hashed(text: str) -> bytes:
    return sha256(text.encode()).digest()
