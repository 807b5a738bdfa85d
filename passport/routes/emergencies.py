"""Emergencies over HTTP: openings of one's own passport, and their review by auditors.

http://terminology.hl7.org/CodeSystem/v3-ActReason (BTG)
"""

from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.parse import Tree, parse
from passport.emergencies import barring, openings, reviewing
from passport.routes.messages import NO_STORE, bearer, fhir_body, runtime_of

JSON: Final = "application/json"
BODY_MAX_BYTES: Final = 16_384

router = APIRouter(prefix="/emergencies", tags=["emergencies"])


@router.get("")
async def list_own(request: Request) -> Response:
    """Who opened the caller's own passport in an emergency, why, until when, and what was found of it."""
    return _json(await openings.own_openings(runtime_of(request), bearer(request)))


@router.get("/reviews")
async def list_reviews(request: Request, state: str | None = None) -> Response:
    """Openings that wait for an auditor, that waited too long, or that were reviewed."""
    runtime, caller = runtime_of(request), bearer(request)
    return _json(await reviewing.openings(runtime, caller, reviewing.state_of(state)))


@router.get("/reviews/{opening_id}")
async def read_review(request: Request, opening_id: UUID) -> Response:
    """One opening with what was asked for by it; never what that showed."""
    return _json(await reviewing.opening(runtime_of(request), bearer(request), opening_id))


@router.post("/reviews/{opening_id}")
async def post_review(request: Request, opening_id: UUID) -> Response:
    """Say once whether an opening was justified."""
    caller, verdict = bearer(request), reviewing.verdict_of(await _tree(request))
    return _json(await reviewing.review(runtime_of(request), caller, opening_id, verdict), 201)


@router.post("/bars")
async def post_bar(request: Request) -> Response:
    """Bar emergencies from the caller's own passport, or from some of its records."""
    caller, classes = bearer(request), barring.barred(await _tree(request))
    return _json({"consents": await barring.bar(runtime_of(request), caller, classes)}, 201)


@router.post("/{opening_id}/end")
async def post_end(request: Request, opening_id: UUID) -> Response:
    """End an opening of the caller's own passport at once."""
    return _json(await openings.end(runtime_of(request), bearer(request), opening_id))


async def _tree(request: Request) -> Tree:
    return parse(await fhir_body(request, BODY_MAX_BYTES, expected=JSON))


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, headers=NO_STORE, media_type=JSON)
