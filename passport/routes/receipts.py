"""Receipts over HTTP: what a person keeps of their consents, and the keys by which anybody verifies it.

https://www.iso.org/standard/80392.html
https://www.rfc-editor.org/rfc/rfc7517#section-5
"""

from typing import Final

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.parse import serialise
from passport.outcomes import NotFound
from passport.receipts.content import ADDRESS
from passport.receipts.showing import receipts, signed_receipt
from passport.routes.messages import NO_STORE, bearer, runtime_of
from passport.signing import jwk_set

JOSE: Final = "application/jose"
JSON: Final = "application/json"
JWK_SET: Final = "application/jwk-set+json"

KEYS_KEPT_SECONDS: Final = 300
"""How long others may keep the keys: a new one is published as long before it signs."""

router = APIRouter(tags=["sharing"])


@router.get("/.well-known/jwks.json")
async def published_keys(request: Request) -> Response:
    """The public keys by which receipts and ID tokens are verified."""
    ring = runtime_of(request).ring
    body = orjson.dumps(jwk_set((*ring.signing_keys, *ring.id_token_keys)))
    headers = {"Cache-Control": f"public, max-age={KEYS_KEPT_SECONDS}", "X-Content-Type-Options": "nosniff"}
    return Response(body, headers=headers, media_type=JWK_SET)


@router.get(f"/{ADDRESS}")
async def list_receipts(request: Request) -> Response:
    """Every receipt that there is of the caller's consents, the newest first."""
    told = await receipts(runtime_of(request), bearer(request))
    return Response(orjson.dumps(told), headers=NO_STORE, media_type=JSON)


@router.get(f"/{ADDRESS}/{{consent_id}}")
async def get_receipt(request: Request, consent_id: str, version: str | None = None) -> Response:
    """The signed receipt of a consent: as a JWS, or beside what it says for who accepts `application/json`."""
    asked = None if version is None else _number(version)
    message, content = await signed_receipt(runtime_of(request), bearer(request), consent_id, asked)
    if not _reads_json(request):
        return Response(message, headers=_VARYING, media_type=JOSE)
    told = serialise({"receipt": content, "jws": message.decode()})
    return Response(told, headers=_VARYING, media_type=JSON)


_VARYING: Final = {**NO_STORE, "Vary": "Accept"}


def _number(text: str) -> int:
    """The version that was asked for; what is no number is no version."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound
    return int(text)


def _reads_json(request: Request) -> bool:
    """Whether JSON is asked for by name; a caller who reads anything is given the receipt itself."""
    ranges = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    return JSON in ranges and JOSE not in ranges
