"""Sharing over HTTP: presets with their wordings, requests and their answers, codes, grants.

http://hl7.org/fhir/R4/consent.html
https://www.rfc-editor.org/rfc/rfc8628

All that is written here is a Consent, which `/fhir/Consent` shows and takes as well. Codes travel in bodies alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from fhirstore.parse import Limits, parse
from passport.pieces import Versions, versions_of
from passport.records import written_instant
from passport.routes.messages import NO_STORE, bearer, fhir_body, runtime_of
from passport.sharing import answers, codes, grants, qr, redemption, requests
from passport.sharing.categories import CATEGORIES
from passport.sharing.owning import is_owner
from passport.sharing.presets import Preset
from passport.sharing.terms import ORDINARY
from passport.sharing.wording import WORDINGS, Language

JSON: Final = "application/json"
LIMITS: Final = Limits(size_bytes=16_384, depth=6)

router = APIRouter(prefix="/sharing", tags=["sharing"])


@router.get("/presets")
async def list_presets() -> Response:
    """For how long people share, with the wordings to be shown, up to which label, and what kinds are called."""
    wordings = {
        str(preset): {str(language): WORDINGS[preset, language].as_json() for language in Language}
        for preset in Preset
    }
    categories = {name: {"ja": one.ja, "en": one.en} for name, one in CATEGORIES.items()}
    return _json({"presets": wordings, "categories": categories, "confidentiality": ORDINARY.name})


@router.post("/requests")
async def post_request(request: Request) -> Response:
    """Put a request to whoever the code or the identifier names; one answer, whether they are here or not."""
    runtime, caller = runtime_of(request), bearer(request)
    request_id = await requests.ask(runtime, caller, requests.asked(runtime, await _tree(request)))
    answer = _json({"id": request_id, "state": "waiting"}, 202)
    answer.headers["Location"] = f"{request.url.path}/{request_id}"
    return answer


@router.get("/requests")
async def list_requests(request: Request, patient: str | None = None) -> Response:
    """The requests that wait for my answer; of whoever asks, those that they put."""
    runtime, caller = runtime_of(request), bearer(request)
    if await is_owner(runtime, caller, requests.ADDRESS):
        return _json(await answers.received(runtime, caller, codes.patient_in({"patient": patient})))
    return _json(await requests.sent(runtime, caller))


@router.get("/requests/{request_id}")
async def get_request(request: Request, request_id: str) -> Response:
    """One of them."""
    runtime, caller = runtime_of(request), bearer(request)
    if await is_owner(runtime, caller, requests.ADDRESS):
        return _json(await answers.one_received(runtime, caller, request_id))
    return _json(await requests.one_sent(runtime, caller, request_id))


@router.post("/requests/{request_id}/grant")
async def post_grant_of_request(request: Request, request_id: str) -> Response:
    """Grant a request, as it was asked or with changes, after the wording was shown."""
    caller, shown = bearer(request), _shown(request)
    return _json(await answers.grant(runtime_of(request), caller, request_id, await _tree(request), shown))


@router.post("/requests/{request_id}/decline")
async def post_decline(request: Request, request_id: str) -> Response:
    """Decline a request; whoever asked learns that and nothing else."""
    return _json(await answers.decline(runtime_of(request), bearer(request), request_id, _shown(request)))


@router.post("/requests/{request_id}/withdraw")
async def post_taken_back(request: Request, request_id: str) -> Response:
    """Take back a request of mine that nobody answered."""
    return _json(await requests.take_back(runtime_of(request), bearer(request), request_id))


@router.post("/codes")
async def post_code(request: Request) -> Response:
    """Give me a code to show: to be asked by, or to share with whoever redeems it first."""
    runtime, caller = runtime_of(request), bearer(request)
    code = await codes.make(runtime, caller, await _tree(request))
    return _json(
        {
            "id": str(code.id),
            "kind": code.kind,
            "user_code": code.text,
            "expires_in": int(codes.LIFE.total_seconds()),
            "expires_at": written_instant(code.expires_at),
            "qr": qr.svg(code.text),
        },
        201,
    )


@router.delete("/codes/{code_id}")
async def delete_code(request: Request, code_id: UUID, patient: str | None = None) -> Response:
    """Take back a code that nobody used."""
    named = codes.patient_in({"patient": patient})
    await codes.cancel(runtime_of(request), bearer(request), code_id, named)
    return Response(status_code=204, headers=NO_STORE)


@router.post("/redemptions")
async def post_redemption(request: Request) -> Response:
    """Redeem a share code at the reception, for the organization of my role."""
    redeemed = await redemption.redeem(runtime_of(request), bearer(request), await _tree(request))
    return _json(redeemed.as_json(), 201 if redeemed.new else 200)


@router.get("/grants")
async def list_grants(request: Request, patient: str | None = None, state: str | None = None) -> Response:
    """What I share with whom and until when, in words; also what has ended or was withdrawn."""
    named = codes.patient_in({"patient": patient})
    return _json(await grants.given(runtime_of(request), bearer(request), named, state))


@router.post("/grants")
async def post_grant(request: Request) -> Response:
    """Share with somebody unasked; it may take the place of another Consent, which then ends."""
    caller = bearer(request)
    return _json(await grants.share(runtime_of(request), caller, await _tree(request)), 201)


@router.post("/grants/{consent_id}/withdraw")
async def post_withdrawal(request: Request, consent_id: str) -> Response:
    """Stop sharing: the next request of whoever it was sees nothing by it."""
    return _json(await grants.withdraw(runtime_of(request), bearer(request), consent_id))


def _shown(request: Request) -> Versions | None:
    """The versions that somebody answers, if they say so."""
    tag = request.headers.get("if-match")
    return None if tag is None else versions_of(tag)


async def _tree(request: Request) -> dict[str, Any]:
    return parse(await fhir_body(request, LIMITS.size_bytes, expected=JSON), LIMITS)


def _json(content: Mapping[str, Any] | Sequence[Any], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, headers=NO_STORE, media_type=JSON)
