"""Devices over HTTP: the registry of models, enrolment, approval, readings, quarantine.

https://www.rfc-editor.org/rfc/rfc7515
"""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fhirstore.parse import serialise
from passport.devices import jws, registry
from passport.devices.enrolments import ENROLMENT_MAX_BYTES, enrol, own_devices
from passport.devices.lifecycle import Verb
from passport.devices.quarantine import PAGE, Kept, quarantined
from passport.devices.readings import receive
from passport.devices.transitions import change
from passport.outcomes import Invalid, UnsupportedMedia
from passport.routes.messages import NO_STORE, bearer, fhir_body, media_type, raw_body, runtime_of

JOSE: Final = "application/jose"
JSON: Final = "application/json"

router = APIRouter(prefix="/devices", tags=["devices"])


@router.get("/models")
async def list_models(request: Request) -> Response:
    """The models that this installation knows, for every signed-in caller."""
    found = await registry.models(runtime_of(request), bearer(request))
    return _json([model.as_json() for model in found])


@router.put("/models/{model}")
async def put_model(request: Request, model: str) -> Response:
    """Write a model; operators only."""
    caller = bearer(request)
    body = await fhir_body(request, registry.MODEL_MAX_BYTES, expected=JSON)
    written, new = await registry.put_model(runtime_of(request), caller, model, body)
    return _json(written.as_json(), 201 if new else 200)


@router.post("/enrolments")
async def post_enrolment(request: Request) -> Response:
    """Enrol a device for a person; it waits for their approval."""
    caller = bearer(request)
    body = await fhir_body(request, ENROLMENT_MAX_BYTES, expected=JSON)
    return _json(await enrol(runtime_of(request), caller, body), 201)


@router.get("")
async def list_devices(request: Request) -> Response:
    """The caller's own devices and how they stand."""
    found = await own_devices(runtime_of(request), bearer(request))
    return _json([enrolment.as_json() for enrolment in found])


@router.get("/quarantine")
async def list_quarantine(request: Request, before: str | None = None) -> Response:
    """The caller's own readings that could not be believed, newest first."""
    caller = bearer(request)
    found = await quarantined(runtime_of(request), caller, _place(before) if before else None)
    answer = _json([kept.as_json() for kept in found])
    if len(found) == PAGE:
        answer.headers["Link"] = f'<{request.url.path}?{_next(found[-1])}>; rel="next"'
    return answer


@router.post("/{device_id}/readings")
async def post_readings(request: Request, device_id: str) -> Response:
    """Take a message that the device signed; it carries no token."""
    if (kind := media_type(request)) != JOSE:
        raise UnsupportedMedia(JOSE, kind)
    body = await raw_body(request, jws.MESSAGE_MAX_BYTES)
    answer = await receive(runtime_of(request), device_id, body)
    return Response(answer, headers=NO_STORE, media_type=JSON)


@router.post("/{device_id}/{verb}")
async def post_change(request: Request, device_id: str, verb: Verb) -> Response:
    """Approve, suspend, resume or revoke a device."""
    return _json(await change(runtime_of(request), bearer(request), device_id, verb))


def _json(content: Any, status: int = 200) -> Response:
    body = (
        b"[" + b",".join(map(serialise, content)) + b"]" if isinstance(content, list) else serialise(content)
    )
    return Response(body, status, headers=NO_STORE, media_type=JSON)


def _place(text: str) -> tuple[datetime, UUID]:
    received, _, id_ = text.partition(" ")
    try:
        return datetime.fromisoformat(received), UUID(id_)
    except ValueError:
        raise Invalid("got a place in `before` that no answer named", ("before",)) from None


def _next(last: Kept) -> str:
    return urlencode({"before": f"{last.received.isoformat()} {last.id}"})
