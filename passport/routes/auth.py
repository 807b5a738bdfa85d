"""Signing in and out: people by code, breaking the glass, and the desk of an operator.

https://www.rfc-editor.org/rfc/rfc6749
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from consent.model import Action
from fhirstore.errors import ParseError
from fhirstore.parse import Limits, parse
from fhirstore.tables import NOBODY
from passport import admission
from passport.audit.query import recorded
from passport.identity import break_glass, sign_in, tokens
from passport.outcomes import Invalid, Refused, UnsupportedMedia
from passport.records import written_instant
from passport.routes.callers import network_of
from passport.routes.messages import bearer, media_type, raw_body, runtime_of
from passport.runtime import Runtime

router = APIRouter(prefix="/auth", tags=["authorization"])

_BODY_LIMITS: Final = Limits(size_bytes=65_536, depth=8)
_JSON: Final = "application/json"

# RFC 6749, section 5.1
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff"}


@router.post("/sign-in")
async def post_sign_in(request: Request) -> Response:
    """Give a person a token for `{"login", "code", "purpose"}`."""
    runtime = runtime_of(request)
    issued = await sign_in.sign_in(runtime, await json_tree(request), address=network_of(request))
    return _json({**issued.answer, "expires_at": written_instant(issued.expires_at)})


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the caller's session."""
    runtime, caller = runtime_of(request), bearer(request)
    asked = admission.Request(Action.ACCESS, "sign-out", recorded("POST", "auth/sign-out"), isolation="write")
    async with admission.admitted(runtime, caller, asked) as desk:
        await tokens.revoke(desk.connection, caller.token_hash, now=desk.now)
        own = desk.subject.patient_key
        await desk.audit(desk.row(NOBODY if own is None else own))
    return Response(status_code=204, headers=_NO_STORE)


@router.post("/break-glass")
async def post_break_glass(request: Request) -> Response:
    """Open one patient's records in an emergency, for `{"patient", "reason"}`; the patient is told."""
    runtime, caller = runtime_of(request), bearer(request)
    issued = await break_glass.break_glass(runtime, caller, break_glass.asked(await json_tree(request)))
    return _json({"access_token": issued.text, "expires_at": written_instant(issued.expires_at)})


@asynccontextmanager
async def operator_desk(request: Request, verb: str, path: str) -> AsyncIterator[admission.Desk]:
    """The desk of an operator.

    Raises:
        Refused: the caller is none.
    """
    runtime: Runtime = runtime_of(request)
    asked = admission.Request(Action.CORRECT, verb, recorded(request.method, path), isolation="write")
    async with admission.admitted(runtime, bearer(request), asked) as desk:
        if desk.subject.kind != "operator":
            raise Refused("expected an operator")
        yield desk


async def json_tree(request: Request) -> Mapping[str, Any]:
    """What a request sends, an object in JSON.

    Raises:
        UnsupportedMedia: it is said to be something else.
        Invalid: it is none.
    """
    if (kind := media_type(request)) != _JSON:
        raise UnsupportedMedia(_JSON, kind)
    body = await raw_body(request, _BODY_LIMITS.size_bytes)
    try:
        return parse(body, _BODY_LIMITS)
    except ParseError as error:
        raise Invalid(error.problems) from None


def _json(content: Mapping[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, headers=_NO_STORE, media_type=_JSON)
