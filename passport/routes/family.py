"""Family over HTTP: whom a person lets act for them.

http://hl7.org/fhir/R4/relatedperson.html
"""

from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.parse import parse
from passport.family import ending, inviting
from passport.routes.messages import NO_STORE, bearer, fhir_body, runtime_of

JSON: Final = "application/json"
BODY_MAX_BYTES: Final = 16_384

router = APIRouter(prefix="/family", tags=["family"])


@router.get("")
async def list_acting(request: Request) -> Response:
    """Who acts for the caller, or did."""
    return _json(await inviting.acting(runtime_of(request), bearer(request)))


@router.post("/proxies")
async def post_proxy(request: Request) -> Response:
    """Let somebody act for the caller; their sign-in code is shown this once."""
    runtime, caller = runtime_of(request), bearer(request)
    tree = parse(await fhir_body(request, BODY_MAX_BYTES, expected=JSON))
    invitation = inviting.invitation_of(tree, runtime.clock(), runtime.settings.zone)
    return _json((await inviting.invite(runtime, caller, invitation)).answer, 201)


@router.post("/proxies/{proxy_id}/end")
async def post_end(request: Request, proxy_id: str) -> Response:
    """Let somebody act for the caller no more, in one step."""
    return _json(await ending.end(runtime_of(request), bearer(request), proxy_id))


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, headers=NO_STORE, media_type=JSON)
