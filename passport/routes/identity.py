"""Who is who: registrations that may be of one person, and their merges; operators only.

http://hl7.org/fhir/R4/patient.html#merge
"""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fhirstore.parse import parse, serialise
from passport.disclosure.duplicates import duplicates
from passport.patients.merging import confirm, decline, merges, propose, undo
from passport.patients.proposals import asked
from passport.routes.messages import NO_STORE, bearer, fhir_body, runtime_of

JSON: Final = "application/json"
BODY_MAX_BYTES: Final = 16_384

router = APIRouter(prefix="/identity", tags=["identity"])


@router.get("/duplicates")
async def list_duplicates(request: Request, after: str | None = None) -> Response:
    """Pairs of registrations that share an identifier, and of which systems; neither names nor values."""
    runtime = runtime_of(request)
    found = await duplicates(runtime, bearer(request), after)
    answer = _json([pair.as_json() for pair in found.pairs])
    if found.cursor is not None:
        address = f"{runtime.settings.base_url}{request.url.path}?after={found.cursor}"
        answer.headers["Link"] = f'<{address}>; rel="next"'
    return answer


@router.get("/merges")
async def list_merges(request: Request) -> Response:
    """Merges that wait for another operator, those that were declined, that stand and that were undone."""
    return _json([one.as_json() for one in await merges(runtime_of(request), bearer(request))])


@router.post("/merges")
async def post_merge(request: Request) -> Response:
    """Ask another operator to let one registration take another one's place."""
    caller = bearer(request)
    tree = parse(await fhir_body(request, BODY_MAX_BYTES, expected=JSON))
    return _json((await propose(runtime_of(request), caller, asked(tree))).as_json(), 201)


@router.post("/merges/{merge_id}/confirm")
async def post_confirmation(request: Request, merge_id: UUID) -> Response:
    """Agree to a merge that another operator asked for."""
    return _json((await confirm(runtime_of(request), bearer(request), merge_id)).as_json())


@router.post("/merges/{merge_id}/decline")
async def post_refusal(request: Request, merge_id: UUID) -> Response:
    """Let nothing come of a merge that was asked for."""
    return _json((await decline(runtime_of(request), bearer(request), merge_id)).as_json())


@router.post("/merges/{merge_id}/undo")
async def post_undo(request: Request, merge_id: UUID) -> Response:
    """Separate two registrations that were merged."""
    return _json((await undo(runtime_of(request), bearer(request), merge_id)).as_json())


def _json(content: Any, status: int = 200) -> Response:
    listed = isinstance(content, list)
    body = b"[" + b",".join(map(serialise, content)) + b"]" if listed else serialise(content)
    return Response(body, status, headers=NO_STORE, media_type=JSON)
