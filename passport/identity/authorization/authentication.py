"""How a client proves who it is: by an assertion of its key, or, without a key, by nothing but its id.

https://www.rfc-editor.org/rfc/rfc7523
https://www.rfc-editor.org/rfc/rfc6749#section-3.2.1

An assertion is spent by an insertion before anything else is decided. Every reason for a refusal has one text, and
an unknown client costs the look-up and the verification of a known one.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from passport.identity import assertion, store
from passport.identity.authorization.core import Turn
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.profiles import SMART
from passport.identity.clients import Client, client
from passport.settings import Settings
from passport.sql import fetch

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, section 2.2

# One text for every reason, so that it does not tell which clients are registered.
NOT_THIS_CLIENT: Final = (
    "got no assertion that one of the client's registered keys signed, once and for 5 minutes at most, for the token "
    "endpoint (in the profile `fapi2` for the issuer) as its audience"
)


async def authenticated(turn: Turn, fields: Mapping[str, str]) -> Client:
    """The client that sent a request, from now on that of the turn.

    Raises:
        Refusal: it did not prove to be the one it says, or it has no right to ask.
    """
    signed = "client_assertion" in fields or "client_assertion_type" in fields
    found = await (_by_key if signed else _by_name)(turn, fields)
    if found is None or not found.active or "client_secret" in fields:
        raise Refusal("invalid_client", NOT_THIS_CLIENT)
    turn.client = found
    return found


async def _by_name(turn: Turn, fields: Mapping[str, str]) -> Client | None:
    found = await client(turn.connection, fields.get("client_id", ""))
    return found if found is not None and found.public else None


async def _by_key(turn: Turn, fields: Mapping[str, str]) -> Client | None:
    presented = assertion.read(fields.get("client_assertion", ""))
    found = await client(turn.connection, presented.client_id)
    profile = SMART if found is None else found.profile
    signed = assertion.verified(presented, found.keys if found else (), profile=profile)
    until = _spent_until(turn.runtime.settings, presented, found, turn.now)
    named = fields.get("client_id", presented.client_id) == presented.client_id
    typed = fields.get("client_assertion_type") == ASSERTION_TYPE
    if (
        found is None
        or found.public
        or not found.active
        or not signed
        or until is None
        or not named
        or not typed
    ):
        return None
    spending = {
        "client_id": found.client_id,
        "jti": presented.claims["jti"],
        "expires_at": until + assertion.CLOCK_SKEW,
    }
    return found if await fetch(turn.connection, store.SPEND_ASSERTION, spending) else None


def _spent_until(
    settings: Settings, presented: assertion.Presented, found: Client | None, now: datetime
) -> datetime | None:
    if found is None or found.profile.audience == "token endpoint":
        return assertion.spent_until(presented, audience=settings.token_url, now=now)
    # FAPI 2.0, section 5.3.2.1: the issuer as the one audience, so that no other server's assertion is good here.
    if presented.claims.get("aud") != settings.base_url:
        return None
    return assertion.spent_until(presented, audience=settings.base_url, now=now)
