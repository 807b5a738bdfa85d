"""Qualifications over HTTP: a clinician at a browser shows a certificate and signs a challenge by its key.

https://www.iso.org/standard/63019.html
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from fhirstore import base64url
from passport.identity.login import cookies
from passport.identity.qualifications import recording
from passport.identity.qualifications.chain import CERTIFICATES_MAX
from passport.identity.qualifications.errors import NotQualified
from passport.identity.qualifications.recording import Shown, require_clinician
from passport.outcomes import Invalid
from passport.routes.auth import json_tree
from passport.routes.authorization import audit_person, json, person_form, signed_in_person, turn_of
from passport.routes.messages import runtime_of

router = APIRouter(prefix="/auth/qualifications", tags=["authorization"])

RECORDED: Final = "qualification-record"
_QUERY: Final = "POST auth/qualifications"


@router.get("")
async def list_qualifications(request: Request) -> Response:
    """What certificates say of me."""
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        require_clinician(person)
        found = await recording.qualifications(turn.connection, person.subject, now=turn.now)
        return json({"qualifications": found, "csrf": person.csrf})


@router.post("/challenge")
async def post_challenge(request: Request) -> Response:
    """What I am to sign by the key of my certificate, for `{"csrf"}`."""
    cookies.require_own_page(request, runtime_of(request).settings)
    fields = await person_form(request)
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        person.require_csrf(fields.get("csrf"))
        require_clinician(person)
        return json(await recording.challenge(turn, person), 201)


@router.post("")
async def post_qualification(request: Request) -> Response:
    """Record what my certificate says, for `{"csrf", "certificates", "challenge", "signature"}`."""
    cookies.require_own_page(request, runtime_of(request).settings)
    tree = await json_tree(request)
    shown = _shown(tree)
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        person.require_csrf(tree.get("csrf"))
        require_clinician(person)
        try:
            if not await recording.took(turn, person, shown):
                raise NotQualified("challenge", "expected the challenge of this browser, within five minutes")
            told = await recording.record(turn, person, shown)
        except NotQualified as refusal:
            # The challenge stays taken, and the row stays kept, though nothing comes of it.
            refused = refusal
            await audit_person(turn, person, _QUERY, refusal.reason, "", action=RECORDED)
        else:
            await audit_person(turn, person, _QUERY, None, told["id"], action=RECORDED)
            return json(told, 201)
    raise refused


def _shown(tree: Mapping[str, Any]) -> Shown:
    listed, challenge = tree.get("certificates"), tree.get("challenge")
    if not isinstance(listed, list) or not 0 < len(listed) <= CERTIFICATES_MAX:
        raise Invalid(f"got no list of 1 to {CERTIFICATES_MAX} in `certificates`", ("certificates",))
    if not isinstance(challenge, str):
        raise Invalid("got no text in `challenge`", ("challenge",))
    return Shown([_certificate(each) for each in listed], challenge, _bytes(tree.get("signature")))


def _certificate(text: object) -> bytes:
    """PEM as it is, or DER in base64."""
    if not isinstance(text, str):
        raise Invalid("got no text in `certificates`", ("certificates",))
    if text.lstrip().startswith("-----BEGIN"):
        return text.encode("ascii", "replace")
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise Invalid("got neither PEM nor DER in base64 in `certificates`", ("certificates",)) from None


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise Invalid("got no text in `signature`", ("signature",))
    try:
        return base64url.decode(text)
    except ValueError:
        raise Invalid("got no base64url in `signature`", ("signature",)) from None
