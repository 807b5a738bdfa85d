"""How often a client may leave something behind at an endpoint: by its own requests, and by nobody else's.

https://www.rfc-editor.org/rfc/rfc9126#section-2.3
https://www.rfc-editor.org/rfc/rfc8628#section-5.1

A client that proves its key is counted by itself, wherever it asks from. One that has none names itself, as anybody
could, and is counted by its network address, as is whoever proves nothing.
"""

from collections.abc import Mapping

from passport.identity.authorization.authentication import authenticated
from passport.identity.authorization.core import Turn
from passport.identity.authorization.errors import Refusal, TooOften
from passport.identity.clients import Client
from passport.identity.pace.limits import Limit, within


async def authenticated_within(
    turn: Turn, fields: Mapping[str, str], limit: Limit, *, address: str
) -> Client:
    """The client that sent a request, which is counted; from now on it is that of the turn.

    Raises:
        Refusal: it did not prove to be the one it says, or it has no right to ask.
        TooOften: it asked too often, or whoever proves nothing did from this address.
    """
    try:
        client = await authenticated(turn, fields)
    except Refusal:
        await _require(turn, limit, address)
        raise
    await _require(turn, limit, address if client.public else f"client {client.client_id}")
    return client


async def _require(turn: Turn, limit: Limit, caller: str) -> None:
    if not await within(turn.runtime, turn.connection, limit, caller, now=turn.now):
        raise TooOften(int(limit.window.total_seconds()))
