"""Dynamic registration: a client says of itself what it is, and waits for two operators.

https://www.rfc-editor.org/rfc/rfc7591

One operator says as what it acts, for which purposes and with which scopes, and another one agrees. Until then it is
nobody: it is known to no other endpoint. Whoever registers too often is slowed down by their own registrations.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from authlib.oauth2 import OAuth2Error

from passport.identity import tokens
from passport.identity.authorization.core import Answer, Turn
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.recorded import audit, refused
from passport.identity.clients import Client, Description, ask_to_register, description_of
from passport.identity.pace.limits import Limit, require
from passport.outcomes import Invalid
from passport.runtime import Runtime

WINDOW: Final = timedelta(hours=1)
REGISTRATIONS_MAX: Final = 5
"""How many registrations one caller may ask for within the window."""

_LIMIT: Final = Limit("register", REGISTRATIONS_MAX, WINDOW)

_NAMES: Final[Mapping[str, str]] = {
    "client_name": "name",
    "redirect_uris": "redirect_uris",
    "grant_types": "grant_types",
    "token_endpoint_auth_method": "token_endpoint_auth_method",
    "jwks": "jwks",
    "profile": "profile",
    "id_token_signed_response_alg": "id_token_signed_response_alg",
}
# RFC 7591, section 2: an unknown member is left out of what is registered, and of what is answered.
_REFUSED: Final = frozenset({"jwks_uri", "software_statement", "sector_identifier_uri", "request_uris"})


async def register(runtime: Runtime, tree: Mapping[str, Any], *, address: str) -> Answer:
    """Keep a registration that waits; kept or refused, it has its audit row.

    Raises:
        TooMany: this caller registered too often.
    """
    async with runtime.pool.connection() as connection:
        now = runtime.clock()
        await require(runtime, connection, _LIMIT, address, now=now)
        async with connection.transaction():
            turn = Turn(runtime, connection, now)
            try:
                answer = await _registered(turn, tree)
            except OAuth2Error as refusal:
                answer = refused(refusal)
            detail = str(answer.body.get("client_id", ""))
            await audit(turn, "client-register", "POST auth/register", answer.error, detail=detail)
    return answer


async def _registered(turn: Turn, tree: Mapping[str, Any]) -> Answer:
    described = _described(tree, sandbox=turn.runtime.settings.sandbox)
    client = Client(
        client_id=str(tokens.random_uuid(turn.runtime)),
        name=described.name,
        subject=None,
        keys=described.keys,
        purposes=(),
        scopes=described.scopes,
        state="waiting",
        profile=described.profile,
        redirect_uris=described.redirect_uris,
        grant_types=described.grant_types,
        auth_method=described.auth_method,
        identity_algorithm=described.identity_algorithm,
    )
    await ask_to_register(turn.connection, client)
    return Answer(201, _answer(client, turn.now))


def _described(tree: Mapping[str, Any], *, sandbox: bool) -> Description:
    if _REFUSED & tree.keys():
        raise Refusal("invalid_client_metadata", f"members that are not read: {', '.join(sorted(_REFUSED))}")
    scope = tree.get("scope", "")
    if not isinstance(scope, str):
        raise Refusal("invalid_client_metadata", "expected scope as a text")
    said = {ours: tree[theirs] for theirs, ours in _NAMES.items() if theirs in tree}
    try:
        return description_of({**said, "scopes": scope.split()}, sandbox=sandbox)
    except Invalid as error:
        unfit = "redirect_uris" in error.expression
        text = error.text.replace("`name`", "`client_name`")
        raise Refusal("invalid_redirect_uri" if unfit else "invalid_client_metadata", text) from None


def _answer(client: Client, now: datetime) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": int(now.timestamp()),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": sorted(client.grant_types),
        "response_types": ["code"] if client.redirect_uris else [],
        "token_endpoint_auth_method": client.auth_method,
        "scope": " ".join(sorted(client.scopes)),
        "profile": client.profile.name,
        "id_token_signed_response_alg": client.identity_algorithm,
        "state": client.state,
    }
    return answer if client.public else {**answer, "jwks": {"keys": list(client.keys)}}
