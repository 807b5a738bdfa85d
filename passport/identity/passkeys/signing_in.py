"""Signing in by a passkey: the device says whose it is, and nobody has to say who they are before.

https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion

Whatever is wrong gets one answer after the same statements: nobody learns which credentials there are. A challenge
stays taken and a doubt stays known, though the sign-in was refused. A signature cannot be guessed, so a right one signs
in whatever failed at its address before: whoever shares one with others is kept out by none of them.
"""

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any, Final, Literal

from webauthn.helpers.structs import AuthenticationCredential

from passport.identity import attempts
from passport.identity.login import sessions
from passport.identity.passkeys import ceremonies, challenges, store
from passport.identity.passkeys.recorded import Tried, audit
from passport.identity.passkeys.telling import tell_person
from passport.identity.persons import city_kind
from passport.identity.principals import UnknownPrincipal, principal
from passport.outcomes import Unauthenticated
from passport.runtime import Runtime
from passport.sql import Connection, Row, fetch

METHOD: Final = "passkey"
QUERY: Final = "POST auth/passkeys/sign-in"

Verdict = Literal["good", "unknown", "doubted"]


@dataclass(frozen=True, slots=True)
class Signing:
    """One attempt to sign in by a passkey, from a network address."""

    credential: AuthenticationCredential
    challenge: bytes
    address: str
    now: datetime

    @property
    def tried(self) -> Tried:
        """It as the log has it."""
        return Tried("sign-in", QUERY, self.now)


class WrongPasskey(Unauthenticated):
    """No passkey of anybody here that answered what it was asked: all reasons look the same."""

    def __init__(self) -> None:
        super().__init__(
            "got no passkey that signs in here, expected one that was registered and was asked just now"
        )


class DoubtedPasskey(Unauthenticated):
    """The key holds, and there may be a copy of it; whoever has it is told that it signs in no more."""

    def __init__(self) -> None:
        super().__init__(
            "the counter of this passkey went back, so there may be a copy of it: it signs in no more; "
            "sign in otherwise, remove it, and register another one"
        )


async def sign_in(runtime: Runtime, credential: object, *, address: str) -> str:
    """Begin a browser session for the owner of a passkey, and return its cookie's text; refused or not, it is audited.

    Args:
        runtime: the service's parts.
        credential: what the browser sent.
        address: the caller's network address, whose own failures are limited.

    Raises:
        Invalid: it is no credential.
        TooMany: it signs nobody in, and this caller failed too often.
        WrongPasskey: it signs nobody in.
        DoubtedPasskey: there may be a copy of it.
    """
    given, challenge = ceremonies.used_of(credential)
    signing = Signing(given, challenge, address, runtime.clock())
    async with runtime.pool.connection() as connection:
        slowed = await attempts.too_many(runtime, connection, address, now=signing.now)
        async with connection.transaction():
            row, verdict = await _judged(runtime, connection, signing)
            if row is not None and verdict == "good":
                return await _begun(runtime, connection, row, signing)
            if not slowed:
                await attempts.count(runtime, connection, address, now=signing.now)
            detail = "throttled" if slowed else f"passkey {verdict}"
            of = None if row is None else row.patient_key
            await audit(runtime, connection, signing.tried, "refused", detail, who=row, patient_key=of)
    if slowed:
        raise attempts.refusal()
    raise DoubtedPasskey if verdict == "doubted" else WrongPasskey


async def _judged(runtime: Runtime, connection: Connection, signing: Signing) -> tuple[Row | None, Verdict]:
    """Whose passkey it is, and whether it signs them in; what its use says of it is kept."""
    asked = await challenges.taken(
        runtime, connection, signing.challenge, challenges.SIGN_IN, now=signing.now
    )
    rows = await fetch(connection, store.OF_CREDENTIAL, {"credential_id": signing.credential.raw_id})
    row = rows[0] if rows else None
    public_key = ceremonies.NOBODYS_KEY if row is None else row.public_key
    use = ceremonies.used(runtime.settings, signing.credential, signing.challenge, public_key)
    if row is None or use is None or not asked or not _is_theirs(runtime, row, signing.credential):
        return None, "unknown"
    if row.doubted_at is None and ceremonies.went_back(row.sign_count, use.sign_count):
        await fetch(connection, store.DOUBT, {"passkey_id": row.passkey_id, "now": signing.now})
        await sessions.end_of_passkey(connection, row.passkey_id, now=signing.now)
        await tell_person(runtime, connection, row, "passkey-doubted", now=signing.now)
        return row, "doubted"
    if row.doubted_at is not None:
        return row, "doubted"
    if not await _may_act(runtime, connection, row, signing.now):
        return row, "unknown"
    noted = {"passkey_id": row.passkey_id, "sign_count": use.sign_count, "backed_up": use.backed_up}
    await fetch(connection, store.USED, {**noted, "now": signing.now})
    return row, "good"


def _is_theirs(runtime: Runtime, row: Row, credential: AuthenticationCredential) -> bool:
    """Whether the device says itself whose key it is: one that is asked without a login has to."""
    told = credential.response.user_handle or b""
    return compare_digest(told, ceremonies.user_handle(runtime, row.subject, row.role))


async def _may_act(runtime: Runtime, connection: Connection, row: Any, now: datetime) -> bool:
    """Whether its owner may still act, in the role that it was registered for."""
    reference = row.subject if city_kind(row.subject) else row.role or row.subject
    try:
        subject = await principal(runtime, connection, reference, purpose="", scopes=frozenset(), now=now)
    except UnknownPrincipal:
        return False
    # A role may have been given to somebody else.
    same: bool = subject.reference == row.subject and subject.role == row.role
    return same


async def _begun(runtime: Runtime, connection: Connection, row: Row, signing: Signing) -> str:
    login_id, cookie = await sessions.begin(
        runtime,
        connection,
        row,
        methods=[METHOD],
        now=signing.now,
        second_factor_at=signing.now,
        passkey_id=row.passkey_id,
    )
    detail, of = str(login_id), row.patient_key
    await audit(runtime, connection, signing.tried, "success", detail, who=row, patient_key=of)
    return cookie
