"""Coming back after a passkey was lost: a code that the city desk prints, good once and for a new passkey alone.

https://pages.nist.gov/800-63-4/sp800-63b.html#sec4.2

Two clerks have seen who it is. The code opens no record: it begins a session that registers one passkey and ends with
that. Whoever says that their passkeys were lost ends them, and whatever was opened by them, before anything else; and
whatever one operator alone let in ends, whatever they say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Literal

from passport.identity import attempts, codes, sign_in, tokens
from passport.identity.login import sessions
from passport.identity.passkeys import store
from passport.identity.passkeys.recorded import Tried, audit
from passport.identity.passkeys.registering import LIMIT
from passport.identity.principals import UnknownPrincipal, principal
from passport.identity.sign_in_codes.clearing import end_unvouched, registrations_of
from passport.notices import tell
from passport.outcomes import Conflict, TooMany, Unauthenticated
from passport.runtime import Runtime
from passport.sql import Connection, Row, fetch

LASTS: Final = timedelta(hours=24)
SESSION_LASTS: Final = timedelta(minutes=15)
METHOD: Final = "recovery"

CODE_CHARACTERS: Final = 25
"""125 random bits: from 112 on a plain hash is enough to keep a code by (OWASP ASVS 5.0, 6.5.2)."""
QUERY: Final = "POST auth/recovery"


@dataclass(frozen=True, slots=True)
class Printed:
    """A code as the desk prints it, once."""

    code: str
    until: datetime


class WrongRecovery(Unauthenticated):
    """No such code, or none that is good any more: the two look the same."""

    def __init__(self) -> None:
        super().__init__(
            "got no code that is good, expected one that the city desk printed within a day, used once"
        )


async def login_of(connection: Connection, subject: str, login: str | None) -> str:
    """By which login somebody comes back: that of their passkeys.

    Raises:
        Conflict: they never had a passkey, or have some by several logins and none of these was named.
    """
    rows = await _logins(connection, subject, login)
    if not rows:
        raise Conflict(
            "got somebody without a passkey of this login, expected one; or give them a sign-in code"
        )
    if len(rows) > 1:
        raise Conflict("got somebody with passkeys of several logins, expected `login`", ("login",))
    found: str = rows[0].login
    return found


async def print_code(
    runtime: Runtime, connection: Connection, subject: str, login: str, concerned: int, *, now: datetime
) -> Printed:
    """Make a code for somebody to come back by; those of before are good for nothing from then on.

    Raises:
        Conflict: they may act no more, or have no passkey of the login.
    """
    rows = await _logins(connection, subject, login)
    if not rows or not await _may_act(runtime, connection, subject, now):
        raise Conflict("got somebody who signs in no more by this login")
    code = codes.draw(runtime.ring.random, CODE_CHARACTERS)
    await fetch(connection, store.END_RECOVERIES, {"subject": subject, "now": now})
    (row,) = rows
    kept = {
        "code_hash": _hashed(code),
        "concerned_key": concerned,
        "login": row.login,
        "kind": row.kind,
        "subject": row.subject,
        "role": row.role,
        "patient_key": row.patient_key,
        "purposes": list(row.purposes),
        "scopes": list(row.scopes),
        "expires_at": now + LASTS,
    }
    await fetch(connection, store.PUT_RECOVERY, kept)
    await _tell(runtime, connection, concerned, "recovery-code-issued", subject, now)
    return Printed(code, now + LASTS)


async def come_back(runtime: Runtime, code: str, *, lost: bool, address: str) -> str:
    """Begin a session that registers one passkey, and return its cookie's text; refused or not, it is audited.

    Args:
        runtime: the service's parts.
        code: what the desk printed.
        lost: whether the passkeys of before are to end.
        address: the caller's network address, whose own failures are limited.

    Raises:
        TooMany: this caller failed too often.
        WrongRecovery: no such code, or none that is good any more.
    """
    now = runtime.clock()
    tried = Tried("recovery", QUERY, now)
    async with runtime.pool.connection() as connection:
        try:
            await attempts.check(runtime, connection, address, now=now)
        except TooMany:
            await audit(runtime, connection, tried, "refused", "throttled")
            raise
        async with connection.transaction():
            rows = await fetch(connection, store.SPEND_RECOVERY, {"code_hash": _hashed(code), "now": now})
            row = rows[0] if rows else None
            if row is not None and await _may_act(runtime, connection, row.subject, now):
                return await _begun(runtime, connection, row, lost=lost, now=now)
            await attempts.count(runtime, connection, address, now=now)
            of = None if row is None else row.concerned_key
            await audit(runtime, connection, tried, "refused", "recovery", who=row, patient_key=of)
    raise WrongRecovery


async def _begun(runtime: Runtime, connection: Connection, row: Row, *, lost: bool, now: datetime) -> str:
    # Two clerks have seen who this is; whom one operator alone let in before, nobody has.
    subjects = await registrations_of(runtime, connection, row.kind, row.subject)
    if await end_unvouched(connection, subjects, row.role, now=now):
        await _tell(runtime, connection, row.concerned_key, "sign-in-code-withdrawn", row.subject, now)
    if lost:
        await fetch(connection, store.END_OF_ROLE, {"subject": row.subject, "role": row.role, "now": now})
        # A statement of its own: it sees the session of a sign-in that held the passkey until now.
        await sign_in.end_open(connection, row.subject, row.role, now=now)
    login_id, cookie = await sessions.begin(
        runtime, connection, row, methods=[METHOD], now=now, limited_to=LIMIT, lasts=SESSION_LASTS
    )
    detail, tried = f"{login_id}{' lost' if lost else ''}", Tried("recovery", QUERY, now)
    await audit(runtime, connection, tried, "success", detail, who=row, patient_key=row.concerned_key)
    await _tell(runtime, connection, row.concerned_key, "recovery-code-used", row.subject, now)
    return cookie


async def _logins(connection: Connection, subject: str, login: str | None) -> Sequence[Row]:
    return await fetch(connection, store.LOGINS, {"subject": subject, "login": login})


async def _may_act(runtime: Runtime, connection: Connection, subject: str, now: datetime) -> bool:
    try:
        await principal(runtime, connection, subject, purpose="", scopes=frozenset(), now=now)
    except UnknownPrincipal:
        return False
    return True


async def _tell(
    runtime: Runtime,
    connection: Connection,
    concerned: int,
    kind: Literal["recovery-code-issued", "recovery-code-used", "sign-in-code-withdrawn"],
    subject: str,
    now: datetime,
) -> None:
    notice_id = tokens.random_uuid(runtime)
    await tell(connection, concerned, kind, {"for": subject}, notice_id=notice_id, now=now)


def _hashed(code: str) -> bytes:
    """What is kept of a code: it has so many random bits that one hash is enough to find it by."""
    return sha256(b"recovery code\n" + codes.typed(code)).digest()
