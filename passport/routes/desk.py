"""The city desk over HTTP: matters that one clerk enters and another decides, and their receipts.

http://hl7.org/fhir/R4/consent.html
"""

from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.parse import Limits, parse
from passport.desk import deciding, people, receipt
from passport.desk.scanning import SCAN_MAX_BYTES
from passport.routes.messages import NO_STORE, bearer, fhir_body, runtime_of

JSON: Final = "application/json"
BODY_LIMITS: Final = Limits(size_bytes=SCAN_MAX_BYTES * 4 // 3 + 65_536, depth=40)

router = APIRouter(prefix="/desk", tags=["city desk"])


@router.post("/matters")
async def post_matter(request: Request) -> Response:
    """Enter a consent on paper, its withdrawal, a guardian, a sign-in, or a recovery; a second clerk decides it."""
    caller = bearer(request)
    tree = parse(await fhir_body(request, BODY_LIMITS.size_bytes, expected=JSON), BODY_LIMITS)
    return _json(await deciding.propose(runtime_of(request), caller, tree), 201)


@router.get("/matters")
async def list_matters(request: Request) -> Response:
    """What waits for a second clerk, the oldest first."""
    return _json(await deciding.waiting(runtime_of(request), bearer(request)))


@router.get("/matters/{matter_id}")
async def read_matter(request: Request, matter_id: UUID) -> Response:
    """One matter, with what was entered as long as it waits."""
    return _json(await deciding.one(runtime_of(request), bearer(request), matter_id))


@router.post("/matters/{matter_id}/confirm")
async def post_confirmation(request: Request, matter_id: UUID) -> Response:
    """Agree to what another clerk entered."""
    return _json(await deciding.confirm(runtime_of(request), bearer(request), matter_id))


@router.post("/matters/{matter_id}/decline")
async def post_refusal(request: Request, matter_id: UUID) -> Response:
    """Let nothing come of what was entered."""
    return _json(await deciding.decline(runtime_of(request), bearer(request), matter_id))


@router.get("/matters/{matter_id}/receipt")
async def read_receipt(request: Request, matter_id: UUID) -> Response:
    """The receipt of a consent on paper, or of its withdrawal, to be printed."""
    page = await receipt.receipt(runtime_of(request), bearer(request), matter_id)
    headers = {**NO_STORE, "Content-Security-Policy": receipt.POLICY, "Referrer-Policy": "no-referrer"}
    return Response(page, headers=headers, media_type="text/html")


@router.post("/guardianships/{proxy_id}/end")
async def post_guardian_end(request: Request, proxy_id: str) -> Response:
    """Let a guardian act no more, before the child is of age."""
    return _json(await people.end_guardian(runtime_of(request), bearer(request), proxy_id))


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, headers=NO_STORE, media_type=JSON)
