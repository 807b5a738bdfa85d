"""Introspection, revocation, discovery and registration over HTTP.

https://www.rfc-editor.org/rfc/rfc7662
https://www.rfc-editor.org/rfc/rfc7009
https://www.rfc-editor.org/rfc/rfc8414
https://www.rfc-editor.org/rfc/rfc7591
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson
from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.errors import ParseError
from fhirstore.parse import Limits, parse
from passport import admission
from passport.audit.query import recorded
from passport.identity.authorization import discovery, launching, registration, telling
from passport.identity.authorization.core import Answer, Proved
from passport.identity.authorization.recorded import refused
from passport.outcomes import Invalid, UnsupportedMedia
from passport.routes.authorization import JSON, answered, client_form, json
from passport.routes.callers import network_of
from passport.routes.messages import bearer, media_type, proved, raw_body, runtime_of
from passport.runtime import Runtime

router = APIRouter(tags=["authorization"])

METADATA_KEPT_SECONDS: Final = 300
_LIMITS: Final = Limits(size_bytes=65_536, depth=8)

_Ask = Callable[[Runtime, Mapping[str, str], Proved | None], Awaitable[Answer]]


@router.post("/auth/introspect")
async def post_introspect(request: Request) -> Response:
    """Tell a client about a token."""
    return await _asked(request, telling.introspect)


@router.post("/auth/revoke")
async def post_revoke(request: Request) -> Response:
    """Take a token back."""
    return await _asked(request, telling.revoke)


@router.post("/auth/register")
async def post_register(request: Request) -> Response:
    """Keep what a client says of itself, until two operators agree."""
    tree = await _tree(request)
    return answered(await registration.register(runtime_of(request), tree, address=network_of(request)))


@router.post("/auth/launches")
async def post_launch(request: Request) -> Response:
    """Say what a clinician has open, for `{"patient", "encounter"}`, before an app is opened."""
    runtime, caller = runtime_of(request), bearer(request)
    tree = await _tree(request)
    asked = admission.Request(Action.ACCESS, "launch", recorded("POST", "auth/launches"), isolation="write")
    async with admission.admitted(runtime, caller, asked) as desk:
        name = await launching.begin(desk, tree)
    return json({"launch": name, "expires_in": int(launching.LASTS.total_seconds())}, 201)


@router.get("/.well-known/oauth-authorization-server")
async def oauth_metadata(request: Request) -> Response:
    """What the server can do (RFC 8414)."""
    return _published(discovery.metadata(runtime_of(request).settings))


@router.get("/.well-known/openid-configuration")
async def openid_metadata(request: Request) -> Response:
    """What the server can do (OpenID Connect Discovery)."""
    return _published(discovery.metadata(runtime_of(request).settings))


@router.get("/fhir/.well-known/smart-configuration")
async def smart_metadata(request: Request) -> Response:
    """What the server can do (SMART App Launch)."""
    return _published(discovery.smart(runtime_of(request).settings))


async def _tree(request: Request) -> Mapping[str, Any]:
    if (kind := media_type(request)) != JSON:
        raise UnsupportedMedia(JSON, kind)
    try:
        return parse(await raw_body(request, _LIMITS.size_bytes), _LIMITS)
    except ParseError as error:
        raise Invalid(error.problems) from None


async def _asked(request: Request, ask: _Ask) -> Response:
    try:
        answer = await ask(runtime_of(request), await client_form(request), proved(request))
    except OAuth2Error as refusal:
        answer = refused(refusal)
    return answered(answer)


def _published(content: Mapping[str, Any]) -> Response:
    headers = {
        "Cache-Control": f"public, max-age={METADATA_KEPT_SECONDS}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(orjson.dumps(content), headers=headers, media_type=JSON)
