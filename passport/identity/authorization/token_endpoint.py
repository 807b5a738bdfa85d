"""The token endpoint: each request is one transaction with its audit row, whatever is answered.

https://www.rfc-editor.org/rfc/rfc6749#section-3.2
https://profiles.ihe.net/ITI/IUA/
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from anyio import to_thread

from passport.identity.authorization import families, issuing
from passport.identity.authorization.authentication import authenticated
from passport.identity.authorization.core import Answer, Asked, Core, CoreClient, Proved, Turn
from passport.identity.authorization.devices import DeviceGrant
from passport.identity.authorization.errors import ErrorCode, Refusal
from passport.identity.authorization.exchange import ExchangeGrant
from passport.identity.authorization.grants import (
    CodeGrant,
    Grantee,
    RefreshGrant,
    ServiceGrant,
    StrictChallenge,
)
from passport.identity.authorization.recorded import audit, refused
from passport.query_strings import storable
from passport.runtime import Runtime

FORM_MAX_BYTES: Final = 16_384
FIELDS_MAX: Final = 24

GRANTS: Final = (RefreshGrant, ServiceGrant, DeviceGrant, ExchangeGrant)


class TokenServer(Core):
    """The server of a request to which a client has to prove who it is."""

    def __init__(self, turn: Turn, fields: Mapping[str, str]) -> None:
        super().__init__(turn)
        self.fields = fields
        self.register_grant(CodeGrant, [StrictChallenge()])
        for grant in GRANTS:
            self.register_grant(grant)

    def authenticate_client(
        self, request: Asked, methods: Sequence[str], endpoint: str = "token"
    ) -> CoreClient:
        """The client that sent the request; Authlib's own ways would tell which clients are registered."""
        client = self.turn.wait(authenticated, self.turn, self.fields)
        request.auth_method = client.auth_method
        return self.core_client(client)

    def generate_token(
        self,
        grant_type: str,
        client: CoreClient,
        user: Grantee | None = None,
        scope: str | None = None,
        expires_in: int | None = None,
        include_refresh_token: bool = True,
    ) -> dict[str, Any]:
        """Begin a session and answer its token."""
        turn = self.turn
        if user is None:
            return turn.wait(issuing.for_service, turn, self.fields)
        given = frozenset((scope or "").split())
        return turn.wait(
            issuing.for_person, turn, user.family, user.subject, given, refreshable=include_refresh_token
        )


def form(body: bytes) -> Mapping[str, str]:
    """Read a form; a parameter may stand in it once (RFC 6749, section 3.2).

    Raises:
        Refusal: it is no form, a parameter is repeated, or one is no text that a database takes.
    """
    try:
        pairs: Sequence[tuple[str, str]] = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=False,
            strict_parsing=True,
            max_num_fields=FIELDS_MAX,
            errors="strict",
        )
    except ValueError:
        pairs = ()
    fields = dict(pairs)
    if not fields or len(fields) != len(pairs) or not storable(pairs):
        raise Refusal("invalid_request", "expected a form of texts in which no parameter is repeated")
    return fields


async def token(runtime: Runtime, fields: Mapping[str, str], proved: Proved | None = None) -> Answer:
    """Answer a request for a token; issued or refused, it has its audit row."""
    async with runtime.pool.connection() as connection, connection.transaction():
        turn = Turn(runtime, connection, runtime.clock(), proved)
        answer = await _answered(turn, fields)
        if answer.error is not None and turn.spent is not None:
            await families.end(connection, turn.spent, now=turn.now)
        await audit(turn, "token", "POST auth/token", answer.error, detail=str(turn.session_id))
    return answer


async def _answered(turn: Turn, fields: Mapping[str, str]) -> Answer:
    server = TokenServer(turn, fields)
    known = {grant.GRANT_TYPE for grant in (CodeGrant, *GRANTS)}
    if fields.get("grant_type") not in known:
        # Authlib would repeat what was asked for in its answer, whatever that is.
        error: ErrorCode = "unsupported_grant_type" if fields.get("grant_type") else "invalid_request"
        return refused(Refusal(error, f"expected grant_type, one of {', '.join(sorted(known))}"))
    answer: Answer = await to_thread.run_sync(server.create_token_response, Asked("POST", fields))
    return answer
