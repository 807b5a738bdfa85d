"""Introspection and revocation: a client asks about a token, or gives one back.

https://www.rfc-editor.org/rfc/rfc7662
https://www.rfc-editor.org/rfc/rfc7009

A client learns of the tokens that it got itself, and a resource server that an operator allowed to ask of all. Whatever
else is sent, a token of another client's (of the same Organization, too) or a text that is none, is answered alike, so
that nobody tries tokens here.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from authlib.oauth2 import OAuth2Error

from passport.identity import scopes, tokens
from passport.identity.authorization import families, store
from passport.identity.authorization.authentication import authenticated
from passport.identity.authorization.core import Answer, Proved, Turn, confirmation
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.id_tokens import pairwise
from passport.identity.authorization.recorded import audit, refused
from passport.identity.authorization.wanted import FHIR_USER
from passport.identity.clients import Client
from passport.identity.persons import city_kind
from passport.runtime import Runtime
from passport.sql import Row, fetch

_INACTIVE: Final = {"active": False}

_Carried = Callable[[Turn, Client, str], Awaitable[dict[str, Any]]]


async def introspect(runtime: Runtime, fields: Mapping[str, str], proved: Proved | None = None) -> Answer:
    """Tell a client with a key of its own about a token."""
    return await _answered(runtime, fields, proved, _introspected, "introspect")


async def revoke(runtime: Runtime, fields: Mapping[str, str], proved: Proved | None = None) -> Answer:
    """End a token of the client's own: an access token by itself, a refresh token with its whole family."""
    return await _answered(runtime, fields, proved, _revoked, "revoke")


async def _answered(
    runtime: Runtime, fields: Mapping[str, str], proved: Proved | None, carry: _Carried, verb: str
) -> Answer:
    async with runtime.pool.connection() as connection, connection.transaction():
        turn = Turn(runtime, connection, runtime.clock(), proved)
        try:
            client = await authenticated(turn, fields)
            if "token" not in fields:
                raise Refusal("invalid_request", "expected token")
            answer = Answer(200, await carry(turn, client, fields["token"]))
        except OAuth2Error as refusal:
            answer = refused(refusal)
        await audit(turn, f"token-{verb}", f"POST auth/{verb}", answer.error, detail=_of(turn))
    return answer


def _of(turn: Turn) -> str:
    return "" if turn.session_id is None else str(turn.session_id)


async def _introspected(turn: Turn, client: Client, text: str) -> dict[str, Any]:
    if client.public:
        raise Refusal("unauthorized_client", "expected a client with a key of its own")
    row = await _token(turn, text)
    if row is not None and (client.introspects or row.client_id == client.client_id):
        turn.session_id = row.session_id
        return _told(turn, client, row)
    waiting = await _refresh(turn, text)
    if waiting is not None and waiting.client_id == client.client_id:
        return {
            "active": True,
            "iss": turn.runtime.settings.base_url,
            "client_id": client.client_id,
            "scope": " ".join(sorted({*waiting.scopes, *waiting.beside})),
            "exp": int(waiting.expires_at.timestamp()),
            "iat": int(waiting.issued_at.timestamp()),
            "sub": pairwise(turn.runtime, client.client_id, waiting.subject),
        }
    return dict(_INACTIVE)


def _told(turn: Turn, client: Client, row: Row) -> dict[str, Any]:
    settings, bound = turn.runtime.settings, row.confirmation
    by_key = bound is not None and "jkt" in confirmation(bound)
    told: dict[str, Any] = {
        "active": True,
        "iss": settings.base_url,
        "aud": settings.fhir_url,
        "sub": pairwise(turn.runtime, client.client_id, row.subject),
        "scope": " ".join(sorted({*scopes.told(row.scopes), *(row.beside or ())})),
        "token_type": "DPoP" if by_key else "Bearer",
        "exp": int(row.expires_at.timestamp()),
        "iat": int(row.issued_at.timestamp()),
        "purpose_of_use": row.purpose,
        **(row.launch or {}),
    }
    if row.authenticated_at is not None:
        # RFC 9470, section 6.2
        told["auth_time"] = int(row.authenticated_at.timestamp())
    if row.client_id is not None:
        told["client_id"] = row.client_id
    if bound is not None:
        told["cnf"] = confirmation(bound)
    if FHIR_USER in (row.beside or ()) and city_kind(row.subject) is None:
        told["fhirUser"] = f"{settings.fhir_url}/{row.role or row.subject}"
    return told


async def _revoked(turn: Turn, client: Client, text: str) -> dict[str, Any]:
    row = await _token(turn, text)
    if row is not None and row.client_id == client.client_id:
        turn.session_id = row.session_id
        await tokens.revoke(turn.connection, tokens.token_hash(text), now=turn.now)
    waiting = await _refresh(turn, text)
    if waiting is not None and waiting.client_id == client.client_id:
        await families.end(turn.connection, waiting.family_id, now=turn.now)
    return {}


async def _token(turn: Turn, text: str) -> Row | None:
    rows = await fetch(turn.connection, store.TOKEN, {"token_hash": tokens.token_hash(text), "now": turn.now})
    return rows[0] if rows else None


async def _refresh(turn: Turn, text: str) -> Row | None:
    rows = await fetch(
        turn.connection, store.REFRESH_OF, {"token_hash": families.hashed(text), "now": turn.now}
    )
    return rows[0] if rows else None
