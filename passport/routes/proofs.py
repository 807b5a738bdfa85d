"""The key of a request, learnt before any route answers: from a DPoP proof, or from what a trusted proxy tells.

https://www.rfc-editor.org/rfc/rfc9449#section-7
https://www.rfc-editor.org/rfc/rfc8705#section-3

A request without either costs a look at its headers. What is proved stands in the request's scope, where no caller
can put it; the standing statement compares it with the key of the session.
"""

from typing import Final

import orjson
from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import tokens
from passport.identity.authorization import certificates, proofs
from passport.identity.authorization.core import Proved
from passport.identity.authorization.errors import Refusal
from passport.outcomes import FHIR_JSON, Unauthenticated, operation_outcome
from passport.protocol import PEER
from passport.routes.messages import PROVED, runtime_of
from passport.runtime import Runtime

_HEADER: Final = b"dpop"
_NONCE: Final = "DPoP-Nonce"
_OAUTH: Final = "/auth/"
_CHALLENGE: Final = (
    'DPoP realm="passport", error="{error}", algs="' + " ".join(proofs.ALGORITHMS.values()) + '"'
)


class Proofs:
    """Wraps an application: what it is asked is known with the key of whoever asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = [value for name, value in scope["headers"] if name == _HEADER]
        if sent:
            await self._with_proof(sent, scope, receive, send)
            return
        values = [value for name, value in scope["headers"] if name == certificates.HEADER]
        if values:
            proxies = runtime_of(Request(scope)).settings.trusted_proxies
            key = certificates.shown(values, scope.get(PEER, ""), proxies)
            scope = scope if key is None else {**scope, PROVED: key}
        await self._app(scope, receive, send)

    async def _with_proof(self, sent: list[bytes], scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        runtime = runtime_of(request)
        nonce = proofs.nonce(runtime.ring, runtime.clock())

        async def with_nonce(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[_NONCE] = nonce
            await send(message)

        try:
            key = await _proved(runtime, sent, request)
        except Refusal as refusal:
            await _answer(request, refusal)(scope, receive, with_nonce)
            return
        await self._app({**scope, PROVED: key}, receive, with_nonce)


async def _proved(runtime: Runtime, sent: list[bytes], request: Request) -> Proved:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    about = proofs.Sent(
        request.method, request.scope["path"], token.strip() if scheme.lower() == "dpop" else ""
    )
    try:
        # Two proofs are none.
        return await proofs.proved(runtime, sent[0].decode("latin-1") if len(sent) == 1 else "", about)
    except Refusal as refusal:
        if refusal.error != "use_dpop_nonce":
            await _audit(runtime, str(refusal.error))
        raise


async def _audit(runtime: Runtime, error: str) -> None:
    row = AuditRow(
        patient_key=NOBODY,
        audit_id=tokens.random_uuid(runtime),
        recorded=runtime.clock(),
        action="token",
        kind="",
        outcome="refused",
        query="DPoP",
        detail=error,
    )
    async with runtime.pool.connection() as connection:
        await record(connection, [row])


def _answer(request: Request, refusal: Refusal) -> Response:
    if request.scope["path"].startswith(_OAUTH):
        body = orjson.dumps(dict(refusal.get_body()))
        return Response(body, 400, headers={"Cache-Control": "no-store"}, media_type="application/json")
    told = Unauthenticated(refusal.get_error_description())
    headers = {"Cache-Control": "no-store", "WWW-Authenticate": _CHALLENGE.format(error=refusal.error)}
    return Response(operation_outcome(told), 401, headers=headers, media_type=FHIR_JSON)
