"""The device grant over HTTP: the device asks, its person enters the code that it shows, and decides.

https://www.rfc-editor.org/rfc/rfc8628#section-3
"""

from collections.abc import Mapping
from typing import Any

from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter, Request, Response

from passport.identity import attempts
from passport.identity.authorization import devices
from passport.identity.authorization.recorded import refused
from passport.identity.codes import CODE_MAX_CHARACTERS, typed
from passport.identity.login import cookies
from passport.identity.login.sessions import SignedIn
from passport.outcomes import Invalid
from passport.routes import identity_pages as pages
from passport.routes.authorization import (
    NO_STORE,
    answered,
    audit_person,
    choice_of,
    client_form,
    json,
    person_form,
    person_of,
    signed_in_person,
    turn_of,
)
from passport.routes.callers import network_of
from passport.routes.messages import proved, runtime_of

router = APIRouter(prefix="/auth", tags=["authorization"])


@router.post("/device")
async def post_device(request: Request) -> Response:
    """Give a device the code that it shows, and the one by which it asks whether somebody decided."""
    runtime = runtime_of(request)
    try:
        answer = await devices.authorize(
            runtime, await client_form(request), proved(request), address=network_of(request)
        )
    except OAuth2Error as refusal:
        answer = refused(refusal)
    return answered(answer)


@router.get("/device")
async def get_device(request: Request) -> Response:
    """The page on which a person enters what their device shows."""
    async with turn_of(request) as turn:
        person = await person_of(request, turn)
    if person is None:
        return pages.sign_in_page(request, action="device")
    return pages.user_code_page(request, person.csrf)


@router.post("/device/asked")
async def post_asked(request: Request) -> Response:
    """Show what the device asks for that shows a code, for `{"user_code", "csrf"}`."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await person_form(request)
    user_code = _code_of(fields, "user_code")
    person = None
    try:
        async with turn_of(request) as turn:
            person = await signed_in_person(request, turn)
            person.require_csrf(fields.get("csrf"))
            offered, _ = await devices.asked(turn, person, user_code)
    except devices.NoSuchCode:
        return await _wrong(request, person)
    if pages.wants_json(request):
        return json(offered.as_json)
    return pages.scope_page(request, offered.as_json, query=user_code, action="/auth/device/decision")


@router.post("/device/decision")
async def post_device_decision(request: Request) -> Response:
    """Carry a person's decision about a device out: `{"request": user_code, "csrf", "decision", "purpose"}`."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await person_form(request)
    choice, user_code = choice_of(fields), _code_of(fields, "request")
    person = None
    try:
        async with turn_of(request) as turn:
            person = await signed_in_person(request, turn)
            person.require_csrf(fields.get("csrf"))
            offered, device_hash = await devices.asked(turn, person, user_code)
            await devices.decide(turn, offered, device_hash, choice)
            denied, client_id = None if choice.allowed else "access_denied", offered.question.client.client_id
            await audit_person(turn, person, "POST auth/device/decision", denied, client_id)
    except devices.NoSuchCode:
        return await _wrong(request, person)
    return (
        Response(status_code=204, headers=NO_STORE) if pages.wants_json(request) else pages.done_page(request)
    )


def _code_of(fields: Mapping[str, Any], name: str) -> str:
    """The code that somebody typed, in the one form in which it is compared and carried on.

    Raises:
        Invalid: it is no text.
    """
    value = fields.get(name, "")
    if not isinstance(value, str) or len(value) > CODE_MAX_CHARACTERS:
        raise Invalid(f"expected the code that a device shows in `{name}`", (name,))
    return typed(value).decode()


async def _wrong(request: Request, person: SignedIn | None) -> Response:
    """That no device shows this code, with the form once more for whoever has no script; the failure counts.

    What the attempt did is undone by then, so it is counted by itself.
    """
    if person is None:
        raise devices.NoSuchCode
    runtime = runtime_of(request)
    async with runtime.pool.connection() as connection:
        await attempts.count(runtime, connection, devices.guessing(person), now=runtime.clock())
    if pages.wants_json(request):
        raise devices.NoSuchCode
    return pages.user_code_page(request, person.csrf, wrong=True)
