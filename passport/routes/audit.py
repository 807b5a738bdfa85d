"""Who looked: the audit log as a resident reads it, and the cases in which auditors do.

http://hl7.org/fhir/R4/auditevent.html
"""

from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.parse import parse
from passport.audit.reading import ACCESSES, accesses
from passport.cases import opening
from passport.routes.messages import NO_STORE, bearer, fhir_body, runtime_of

JSON: Final = "application/json"
CASE_MAX_BYTES: Final = 8_192

router = APIRouter(tags=["audit"])


@router.get(f"/{ACCESSES}")
async def list_accesses(request: Request) -> Response:
    """Who looked at a patient's records, when, why, and which consent allowed it; newest first.

    Parameters: `patient`, `date`, `agent`, `outcome`, `_count`. A further page is named by the header `Link`.
    """
    runtime = runtime_of(request)
    body, further = await accesses(runtime, bearer(request), request.query_params.multi_items())
    answer = Response(body, headers=NO_STORE, media_type="application/json")
    if further is not None:
        answer.headers["Link"] = f'<{runtime.settings.base_url}/{ACCESSES}?{further}>; rel="next"'
    return answer


@router.post(f"/{opening.ADDRESS}")
async def post_case(request: Request) -> Response:
    """Open a case, for a reason; auditors only."""
    caller = bearer(request)
    tree = parse(await fhir_body(request, CASE_MAX_BYTES, expected=JSON))
    return _json(await opening.open_case(runtime_of(request), caller, tree), 201)


@router.get(f"/{opening.ADDRESS}")
async def list_cases(request: Request) -> Response:
    """An auditor's own cases, or those in which auditors looked into the caller's log."""
    return _json(await opening.cases(runtime_of(request), bearer(request)))


@router.post(f"/{opening.ADDRESS}/{{case_id}}/close")
async def post_close(request: Request, case_id: UUID) -> Response:
    """Close a case before its time."""
    return _json(await opening.close_case(runtime_of(request), bearer(request), case_id))


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, headers=NO_STORE, media_type=JSON)
