"""Who looked: the audit log as a resident reads it.

http://hl7.org/fhir/R4/auditevent.html
"""

from fastapi import APIRouter, Request, Response

from passport.audit.reading import ACCESSES, accesses
from passport.routes.messages import NO_STORE, bearer, runtime_of

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
