"""Imports over HTTP: a file in, where to ask for it, and what became of it.

https://www.rfc-editor.org/rfc/rfc9110#name-202-accepted
"""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fhirstore.parse import serialise
from passport.imports.handover import FILE_MAX_BYTES, receive, status_of
from passport.outcomes import NotFound, UnsupportedMedia
from passport.routes.messages import NO_STORE, bearer, media_type, raw_body, runtime_of

FILES: Final = ("application/octet-stream", "text/plain", "text/csv")
"""What a file may be said to be: bytes, as of one that says nothing (RFC 9110, section 8.3), or text.

A `charset` is not believed: the format says how a file is written.
"""

_NOTHING_SAID: Final = ("", "application/x-www-form-urlencoded")
"""What curl and others say of bytes of which they were told nothing is as good as nothing."""

router = APIRouter(prefix="/imports", tags=["imports"])


@router.post("", status_code=202)
async def post_import(request: Request, patient: str, format: str) -> Response:
    """Take a file; a worker carries it into the store."""
    caller = bearer(request)
    kind = media_type(request)
    if kind not in (*FILES, *_NOTHING_SAID):
        raise UnsupportedMedia("` or `".join(FILES), kind)
    data = await raw_body(request, FILE_MAX_BYTES)
    import_id = await receive(runtime_of(request), caller, patient, format, data)
    return Response(status_code=202, headers={**NO_STORE, "Location": f"/imports/{import_id}"})


@router.get("/{import_id}")
async def get_import(request: Request, import_id: str) -> Response:
    """What became of a file, for its person and for whoever handed it over."""
    caller = bearer(request)
    status = await status_of(runtime_of(request), caller, _uuid(import_id))
    return Response(serialise(status.as_json()), headers=NO_STORE, media_type="application/json")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None
