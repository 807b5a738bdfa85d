"""Devices over HTTP: the registry of models, enrolment, approval, readings, quarantine.

https://www.rfc-editor.org/rfc/rfc7515
"""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fhirstore.parse import serialise
from passport.devices import certificates, claims, jws, registry
from passport.devices.authority import KEPT, REQUEST_MAX_BYTES
from passport.devices.certificates import Asked
from passport.devices.enrolments import enrol, own_devices
from passport.devices.lifecycle import Verb
from passport.devices.orders import ENROLMENT_MAX_BYTES
from passport.devices.quarantine import Kept, quarantined
from passport.devices.receiving import receive
from passport.devices.statements import STATEMENT_MAX_BYTES
from passport.devices.transitions import change
from passport.notices.paging import shown
from passport.outcomes import Invalid, UnsupportedMedia
from passport.routes.callers import network_of
from passport.routes.messages import NO_STORE, bearer, fhir_body, media_type, proved, raw_body, runtime_of
from passport.routes.subsets import single

JOSE: Final = "application/jose"
JSON: Final = "application/json"

PKCS10: Final = "application/pkcs10"  # RFC 5967
CHAIN: Final = "application/pem-certificate-chain"  # RFC 8555, section 9.1

router = APIRouter(tags=["devices"])


@router.get("/.well-known/device-ca.pem")
async def get_authority(request: Request) -> Response:
    """The certificates of the device CA, by which a proxy knows the devices of this passport."""
    headers = {
        "Cache-Control": f"public, max-age={int(KEPT.total_seconds())}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(certificates.ca_pem(runtime_of(request)), headers=headers, media_type=CHAIN)


@router.get("/devices/models")
async def list_models(request: Request) -> Response:
    """The models that this installation knows, for every signed-in caller."""
    found = await registry.models(runtime_of(request), bearer(request))
    return _json([model.as_json() for model in found])


@router.put("/devices/models/{model}")
async def put_model(request: Request, model: str) -> Response:
    """Write a model; device approvers only."""
    caller = bearer(request)
    body = await fhir_body(request, registry.MODEL_MAX_BYTES, expected=JSON)
    written, new = await registry.put_model(runtime_of(request), caller, model, body)
    return _json(written.as_json(), 201 if new else 200)


@router.post("/devices/enrolments")
async def post_enrolment(request: Request) -> Response:
    """Enrol a device for a person; it waits for their approval."""
    caller = bearer(request)
    body = await fhir_body(request, ENROLMENT_MAX_BYTES, expected=JSON)
    return _json(await enrol(runtime_of(request), caller, body), 201)


@router.post("/devices/claims")
async def post_claim(request: Request) -> Response:
    """Take a device's signed word about itself; it gets a code, which its person enters."""
    body = await _signed_body(request, STATEMENT_MAX_BYTES)
    return _json(await claims.open_claim(runtime_of(request), body, address=network_of(request)), 201)


@router.post("/devices/claims/state")
async def post_claim_state(request: Request) -> Response:
    """Tell the device that opened a claim what became of it."""
    body = await _signed_body(request, STATEMENT_MAX_BYTES)
    return _json(await claims.state_of(runtime_of(request), body, address=network_of(request)))


@router.post("/devices/claims/redeem")
async def post_redemption(request: Request) -> Response:
    """Enrol the device that shows a code; it waits for its person's approval."""
    caller = bearer(request)
    body = await fhir_body(request, ENROLMENT_MAX_BYTES, expected=JSON)
    return _json(await claims.redeem(runtime_of(request), caller, body), 201)


@router.get("/devices")
async def list_devices(request: Request) -> Response:
    """The caller's own devices and how they stand."""
    found = await own_devices(runtime_of(request), bearer(request))
    return _json([enrolment.as_json() for enrolment in found])


@router.get("/devices/quarantine")
async def list_quarantine(request: Request, before: str | None = None) -> Response:
    """The caller's own readings that could not be believed, newest first.

    Parameters: `_count`. A further page is named by the header `Link`.
    """
    runtime, caller, count = runtime_of(request), bearer(request), shown(single(request, "_count"))
    found = await quarantined(runtime, caller, _place(before) if before else None, count=count + 1)
    page = found[:count]
    answer = _json([kept.as_json() for kept in page])
    if len(found) > len(page):
        further = f"{runtime.settings.base_url}/devices/quarantine?{_next(page[-1], count)}"
        answer.headers["Link"] = f'<{further}>; rel="next"'
    return answer


@router.post("/devices/{device_id}/readings")
async def post_readings(request: Request, device_id: str) -> Response:
    """Take a message that the device signed; it carries no token."""
    body = await _signed_body(request, jws.MESSAGE_MAX_BYTES)
    key = proved(request)
    shown = key.digest if key is not None and key.kind == "certificate" else None
    answer = await receive(runtime_of(request), device_id, body, shown, address=network_of(request))
    return Response(answer, headers=NO_STORE, media_type=JSON)


@router.post("/devices/{device_id}/certificate")
async def post_certificate(request: Request, device_id: str) -> Response:
    """Certify a key of the device, asked for by its enrolled key; it carries no token."""
    if (kind := media_type(request)) not in {JOSE, PKCS10}:
        raise UnsupportedMedia(f"{PKCS10} or {JOSE}", kind)
    signed = kind == JOSE
    body = await raw_body(request, STATEMENT_MAX_BYTES if signed else REQUEST_MAX_BYTES)
    asked, address = Asked(body, signed), network_of(request)
    return _json(await certificates.certify(runtime_of(request), device_id, asked, address=address), 201)


@router.post("/devices/{device_id}/{verb}")
async def post_change(request: Request, device_id: str, verb: Verb) -> Response:
    """Approve, suspend, resume or revoke a device."""
    return _json(await change(runtime_of(request), bearer(request), device_id, verb))


async def _signed_body(request: Request, limit: int) -> bytes:
    if (kind := media_type(request)) != JOSE:
        raise UnsupportedMedia(JOSE, kind)
    return await raw_body(request, limit)


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


def _next(last: Kept, count: int) -> str:
    return urlencode({"_count": count, "before": f"{last.received.isoformat()} {last.id}"})
