"""Challenges: what a passkey signs, for one ceremony of one session, once and for two minutes.

https://www.w3.org/TR/webauthn-3/#sctn-cryptographic-challenges

A challenge carries its own end, under a code that this service alone makes, so that whoever asks for one leaves nothing
behind. The answer to it is taken by an insertion: of fifty answers one counts.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final
from uuid import UUID

from passport.identity.passkeys import store
from passport.runtime import Runtime
from passport.sql import Connection, fetch

LASTS: Final = timedelta(minutes=2)

RANDOM_BYTES: Final = 16  # WebAuthn, section 13.4.3: at least 16
_END_BYTES: Final = 8
_BODY_BYTES: Final = RANDOM_BYTES + _END_BYTES

SIGN_IN: Final = b"sign-in"


def registering(login_id: UUID) -> bytes:
    """The purpose of a challenge by which one browser session registers a passkey."""
    return b"register " + login_id.bytes


def challenge(runtime: Runtime, purpose: bytes, *, now: datetime) -> bytes:
    """Make a challenge for a purpose."""
    end = int((now + LASTS).timestamp()).to_bytes(_END_BYTES, "big")
    body = runtime.ring.random(RANDOM_BYTES) + end
    return body + _code(runtime, purpose, body)


async def taken(
    runtime: Runtime, connection: Connection, given: bytes, purpose: bytes, *, now: datetime
) -> bool:
    """Whether this is a challenge for the purpose that nobody answered before; from now on somebody did."""
    body, code = given[:_BODY_BYTES], given[_BODY_BYTES:]
    ours = compare_digest(code, _code(runtime, purpose, body))
    if len(body) != _BODY_BYTES or not ours:
        return False
    end = datetime.fromtimestamp(int.from_bytes(body[RANDOM_BYTES:], "big"), UTC)
    if end <= now:
        return False
    challenge_hash = sha256(given).digest()
    row = {"challenge_hash": challenge_hash, "expires_at": end, "tidies": challenge_hash[0] < 4}
    return bool(await fetch(connection, store.TAKE_CHALLENGE, row))


def _code(runtime: Runtime, purpose: bytes, body: bytes) -> bytes:
    made = b"passkey challenge\n" + purpose + b"\n" + body
    return digest(runtime.ring.index_secret, made, "sha256")
