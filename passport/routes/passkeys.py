"""Passkeys over HTTP: signing in by one, registering, listing, naming and removing them, and coming back without one.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fhirstore.errors import ParseError
from fhirstore.parse import Limits, parse
from passport.identity.login import cookies, sessions
from passport.identity.passkeys import ceremonies, challenges, recovery, registering, signing_in
from passport.outcomes import Invalid, UnsupportedMedia
from passport.routes.at_browser import by_person
from passport.routes.authorization import (
    JSON,
    NO_STORE,
    audit_person,
    json,
    signed_in_person,
    text_of,
    turn_of,
)
from passport.routes.callers import begun, caller_of
from passport.routes.messages import media_type, raw_body, runtime_of

router = APIRouter(prefix="/auth", tags=["authorization"])

REGISTER: Final = "passkey-register"
REMOVE: Final = "passkey-remove"
RENAME: Final = "passkey-rename"

# A certificate of a device may come with a credential, though none is asked for.
_LIMITS: Final = Limits(size_bytes=32_768, depth=8)


@router.post("/passkeys/challenge")
async def post_challenge(request: Request) -> Response:
    """What a device is asked to sign in by; nothing is kept of it."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    challenge = challenges.challenge(runtime, challenges.SIGN_IN, now=runtime.clock())
    return json({"publicKey": ceremonies.request(runtime, challenge)})


@router.post("/passkeys/sign-in")
async def post_sign_in(request: Request) -> Response:
    """Sign a person in at this browser, for `{"credential"}`; whoever was signed in before is no more."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await _fields(request)
    cookie = await signing_in.sign_in(runtime, fields.get("credential"), address=caller_of(request))
    return await _changed(request, cookie, {"signed_in": True})


@router.post("/passkeys/options")
async def post_options(request: Request) -> Response:
    """What the device of who is signed in is asked to make a passkey, for `{"csrf"}`."""
    cookies.require_own_page(request, runtime_of(request).settings)
    fields = await _fields(request)
    query, limit = "POST auth/passkeys/options", registering.LIMIT
    async with by_person(request, fields, query, REGISTER, limited_to=limit) as (turn, person):
        return json({"publicKey": await registering.options(turn, person)})


@router.post("/passkeys")
async def post_passkey(request: Request) -> Response:
    """Keep a passkey of who is signed in, for `{"csrf", "credential", "name"}`."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await _fields(request)
    query, limit = "POST auth/passkeys", registering.LIMIT
    async with by_person(request, fields, query, REGISTER, limited_to=limit) as (turn, person):
        kept = await registering.register(turn, person, fields.get("credential"), fields.get("name"))
        error = None if kept else "passkey"
        detail = str(kept.passkey_id) if kept else ""
        await audit_person(turn, person, query, error, detail, action=REGISTER)
        limited = person.limited_to is not None
        if kept is not None and limited:
            await sessions.end(turn.connection, person.cookie, now=turn.now)
    if kept is None:
        raise ceremonies.Unfit
    response = json(kept.as_json, 201)
    if limited:
        cookies.take_back(response, runtime.settings)
    return response


@router.get("/passkeys")
async def list_passkeys(request: Request) -> Response:
    """By what who is signed in at this browser may sign in."""
    async with turn_of(request) as turn:
        return json(await registering.overview(turn, await signed_in_person(request, turn)))


@router.post("/passkeys/{passkey_id}/rename")
async def rename_passkey(request: Request, passkey_id: UUID) -> Response:
    """Call a passkey of who is signed in something else, for `{"csrf", "name"}`."""
    cookies.require_own_page(request, runtime_of(request).settings)
    fields = await _fields(request)
    query = f"POST auth/passkeys/{passkey_id}/rename"
    async with by_person(request, fields, query, RENAME) as (turn, person):
        await registering.rename(turn, person, passkey_id, fields.get("name"))
        # What it is called stands in no log: people name their keys after people.
        await audit_person(turn, person, query, None, str(passkey_id), action=RENAME)
    return Response(status_code=204, headers=NO_STORE)


@router.post("/passkeys/{passkey_id}/remove")
async def remove_passkey(request: Request, passkey_id: UUID) -> Response:
    """Remove a passkey of who is signed in, for `{"csrf", "last"}`."""
    cookies.require_own_page(request, runtime_of(request).settings)
    fields = await _fields(request)
    query = f"POST auth/passkeys/{passkey_id}/remove"
    async with by_person(request, fields, query, REMOVE) as (turn, person):
        await registering.remove(turn, person, passkey_id, last=_told(fields, "last"))
        await audit_person(turn, person, query, None, str(passkey_id), action=REMOVE)
    return Response(status_code=204, headers=NO_STORE)


@router.post("/recovery")
async def post_recovery(request: Request) -> Response:
    """Begin a session that registers one passkey, for `{"code", "lost"}` with a code of the city desk."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await _fields(request)
    code, lost = text_of(fields, "code"), _told(fields, "lost")
    cookie = await recovery.come_back(runtime, code, lost=lost, address=caller_of(request))
    csrf = sessions.csrf_of(cookie)
    return await _changed(request, cookie, {"limited_to": registering.LIMIT, "csrf": csrf})


async def _changed(request: Request, cookie: str, content: Mapping[str, Any]) -> Response:
    """The answer that gives a browser another session."""
    response = json(content)
    await begun(request, response, cookie)
    return response


async def _fields(request: Request) -> Mapping[str, Any]:
    if (kind := media_type(request)) != JSON:
        raise UnsupportedMedia(JSON, kind)
    try:
        return parse(await raw_body(request, _LIMITS.size_bytes), _LIMITS)
    except ParseError as error:
        raise Invalid(error.problems) from None


def _told(fields: Mapping[str, Any], name: str) -> bool:
    """Whether a page says so.

    Raises:
        Invalid: it says neither yes nor no.
    """
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(f"expected true or false in `{name}`", (name,))
    return value
