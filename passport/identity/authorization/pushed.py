"""Pushed authorization requests: a client sends what it asks for by itself, and the person only a name of it.

https://www.rfc-editor.org/rfc/rfc9126
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from authlib.oauth2 import OAuth2Error
from psycopg.types.json import Jsonb

from fhirstore import base64url
from passport.identity.authorization import families, store
from passport.identity.authorization.asking import REQUEST_URI, checked
from passport.identity.authorization.core import Answer, Proved, Turn
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.paced import authenticated_within
from passport.identity.authorization.recorded import audit, refused
from passport.identity.pace.limits import Limit
from passport.runtime import Runtime
from passport.sql import fetch

LASTS: Final = timedelta(minutes=9)
"""Until when the person has to have decided; FAPI 2.0 wants less than ten minutes."""

WINDOW: Final = timedelta(minutes=1)
PUSHES_MAX: Final = 120
"""How many requests one caller may send within the window."""

_LIMIT: Final = Limit("push", PUSHES_MAX, WINDOW)

_OF_THE_CLIENT: Final = frozenset({"client_assertion", "client_assertion_type"})


async def push(
    runtime: Runtime, fields: Mapping[str, str], proved: Proved | None = None, *, address: str
) -> Answer:
    """Keep what a client asks for; kept or refused, it has its audit row."""
    async with runtime.pool.connection() as connection, connection.transaction():
        turn = Turn(runtime, connection, runtime.clock(), proved)
        try:
            answer = await _pushed(turn, fields, address)
        except OAuth2Error as refusal:
            # Nobody is sent anywhere: the client itself is asking.
            refusal.redirect_uri = None
            answer = refused(refusal)
        name = turn.client.client_id if turn.client else ""
        await audit(turn, "authorize", "POST auth/par", answer.error, detail=name)
    return answer


async def _pushed(turn: Turn, fields: Mapping[str, str], address: str) -> Answer:
    client = await authenticated_within(turn, fields, _LIMIT, address=address)
    asked = {name: value for name, value in fields.items() if name not in _OF_THE_CLIENT}
    asked.setdefault("client_id", client.client_id)
    if "request_uri" in asked or asked["client_id"] != client.client_id:
        raise Refusal("invalid_request", "expected what this client asks for, not the name of it")
    if turn.proved is not None and turn.proved.kind == "DPoP":
        key = base64url.encode(turn.proved.digest)
        if asked.setdefault("dpop_jkt", key) != key:
            raise Refusal("invalid_dpop_proof", "expected dpop_jkt of the key that was proved")
    await checked(turn, asked, None, pushing=True)
    text, kept = families.secret(turn.runtime)
    params = {
        "request_hash": kept,
        "client_id": client.client_id,
        "parameters": Jsonb(asked),
        "expires_at": turn.now + LASTS,
    }
    await fetch(turn.connection, store.PUSH, params)
    return Answer(201, {"request_uri": REQUEST_URI + text, "expires_in": int(LASTS.total_seconds())})
