"""What consents do, over HTTP: before they are saved, and why something is or was not seen.

http://hl7.org/fhir/R4/consent.html

A draft and its cursor travel in bodies: what a person thinks about sharing stands in no address.
"""

import re
from typing import Final

from fastapi import APIRouter, Request, Response

from fhirstore.parse import DEFAULT_LIMITS, Tree
from passport.explaining.access import explain_access
from passport.explaining.asked import edit_of, preview_of
from passport.explaining.changes import changes
from passport.explaining.preview import preview
from passport.explaining.record import explain_record
from passport.outcomes import Invalid
from passport.routes.messages import NO_STORE, bearer, fhir_body, runtime_of
from passport.turns import parsed

JSON: Final = "application/json"
BODY_MAX_BYTES: Final = 262_144
PARAMETERS: Final = ("record", "access", "patient")

_RECORD: Final = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")

router = APIRouter(prefix="/sharing", tags=["sharing"])


@router.post("/preview")
async def post_preview(request: Request) -> Response:
    """What somebody would see if these drafts were saved: counts by category, and the records."""
    caller = bearer(request)
    edit, look = preview_of(await _read(request))
    return _json(await preview(runtime_of(request), caller, edit, look))


@router.post("/changes")
async def post_changes(request: Request) -> Response:
    """What these drafts would change, and for whom."""
    caller = bearer(request)
    edit = edit_of(await _read(request))
    return _json(await changes(runtime_of(request), caller, edit))


@router.get("/explain")
async def explain(
    request: Request, record: str | None = None, access: str | None = None, patient: str | None = None
) -> Response:
    """Who can see a record and why; or which consents an access of one's own log meets, and why it is not permitted."""
    caller = bearer(request)
    for name in request.query_params:
        if name not in PARAMETERS:
            raise Invalid(f"got an unknown parameter, expected {', '.join(PARAMETERS)}", (name[:64],))
    if (record is None) == (access is None):
        raise Invalid("got not one of `record` and `access`, expected one", ("record", "access"))
    if record is not None:
        if not _RECORD.fullmatch(record):
            raise Invalid("got no reference such as `Observation/1`, expected one", ("record",))
        return _json(await explain_record(runtime_of(request), caller, record, patient))
    return _json(await explain_access(runtime_of(request), caller, access or "", patient))


async def _read(request: Request) -> Tree:
    return await parsed(await fhir_body(request, BODY_MAX_BYTES, expected=JSON), DEFAULT_LIMITS)


def _json(body: bytes) -> Response:
    return Response(body, headers=NO_STORE, media_type=JSON)
