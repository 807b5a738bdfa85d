"""Signing in at a provider over HTTP: there, back, and what the person has to say before they are signed in.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from passport.identity.federation import acting, going, linked, registry, returning, taking
from passport.identity.federation.errors import ProviderSilent
from passport.identity.login import cookies
from passport.identity.sign_in import WrongCode
from passport.outcomes import Refused, Unauthenticated
from passport.routes import federation_pages as pages
from passport.routes.authorization import (
    NO_STORE,
    audit_person,
    json,
    person_form,
    signed_in_person,
    text_of,
    turn_of,
)
from passport.routes.callers import begun, caller_of
from passport.routes.identity_pages import wants_json
from passport.routes.messages import runtime_of
from passport.settings import Settings

router = APIRouter(prefix="/auth/federation", tags=["authorization"])

SECURE_COOKIE: Final = "__Host-passport-federation"
PLAIN_COOKIE: Final = "passport-federation-plain-http"

_PLACES: Final = {
    "authorize": "/auth/authorize",
    "device": "/auth/device",
    "": "/auth/login",
    **{name: f"/home/{name}" for name in ("devices", "sessions", "passkeys", "token")},
}
_LINKED: Final = "auth/federation/accounts"
_TAKEN: Final = "auth/federation/attributes"


@router.get("")
async def list_providers(request: Request) -> Response:
    """Where people may sign in elsewhere; a browser gets a page, which leads on to where `to` and `request` say."""
    wanted = {name: text for name in ("to", "request") if (text := text_of(request.query_params, name))}
    async with runtime_of(request).pool.connection() as connection:
        found = [each for each in await registry.everyone(connection) if each.state == "active"]
    if wants_json(request):
        return json({"providers": [each.shown for each in found]})
    return pages.providers_page(request, found, wanted)


@router.get("/{provider_id}/start")
async def start(request: Request, provider_id: str) -> Response:
    """Send the person to a provider; `to` and `request` are where they wanted to, `fresh` that they prove it anew.

    Nobody is signed in by another site's link: a provider may know them and ask nothing.
    """
    if request.headers.get("sec-fetch-site") == "cross-site":
        return RedirectResponse("/auth/login", 303, headers=NO_STORE)
    runtime, wanted = runtime_of(request), request.query_params
    place = text_of(wanted, "to")
    sent = await going.begin(
        runtime,
        provider_id,
        leads_to=place if place in _PLACES else "",
        query=text_of(wanted, "request"),
        fresh=wanted.get("fresh") == "true",
        now=runtime.clock(),
    )
    answer = _sent(sent.location)
    _give(answer, runtime.settings, sent.cookie)
    return answer


@router.get("/{provider_id}/back")
async def back(request: Request, provider_id: str) -> Response:
    """Take what a provider sent the browser back with, and sign the person in if it is known who they are here."""
    runtime = runtime_of(request)
    pairs = request.query_params.multi_items()
    try:
        returned = await returning.come_back(
            runtime, provider_id, pairs, _cookie(request, runtime.settings), address=caller_of(request)
        )
    except (Refused, ProviderSilent) as refusal:
        if wants_json(request):
            raise
        return pages.refusal_page(request, refusal)
    return await _on(request, returned)


@router.get("/waiting")
async def waiting(request: Request) -> Response:
    """What the person has to say before they are signed in: their code, or as whom they act."""
    runtime = runtime_of(request)
    async with turn_of(request) as turn:
        try:
            cookie = _cookie(request, runtime.settings)
            found = await acting.waiting(runtime, turn.connection, cookie, now=turn.now)
        except Unauthenticated:
            if wants_json(request):
                raise
            return RedirectResponse("/auth/login", 303, headers={"Cache-Control": "no-store"})
    return json(found.as_json) if wants_json(request) else pages.waiting_page(request, found)


@router.post("/link")
async def post_link(request: Request) -> Response:
    """Link the account at the provider to the owner of a sign-in code, for `{"login", "code"}`, and sign them in."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await person_form(request)
    cookie, login = _cookie(request, runtime.settings), text_of(fields, "login")
    try:
        returned = await returning.link(
            runtime, cookie, login, text_of(fields, "code"), address=caller_of(request, login)
        )
    except WrongCode:
        if wants_json(request):
            raise
        async with turn_of(request) as turn:
            found = await acting.waiting(runtime, turn.connection, cookie, now=turn.now)
        return pages.waiting_page(request, found, wrong=True)
    return await _on(request, returned)


@router.post("/role")
async def post_role(request: Request) -> Response:
    """Say as whom one acts, for `{"login"}` of those that were offered, and be signed in."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await person_form(request)
    cookie = _cookie(request, runtime.settings)
    returned = await returning.choose(runtime, cookie, text_of(fields, "login"), now=runtime.clock())
    return await _on(request, returned)


@router.get("/accounts")
async def list_accounts(request: Request) -> Response:
    """By which accounts elsewhere I may sign in."""
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        return json({"accounts": await linked.accounts(turn.connection, person.subject), "csrf": person.csrf})


@router.post("/accounts/{link_id}/end")
async def end_account(request: Request, link_id: UUID) -> Response:
    """Let one of them sign me in no more, with the sessions that were begun by it, for `{"csrf"}`."""
    cookies.require_own_page(request, runtime_of(request).settings)
    fields = await person_form(request)
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        person.require_csrf(fields.get("csrf"))
        await linked.end(turn.connection, person.subject, link_id, now=turn.now)
        query = f"POST {_LINKED}/{link_id}/end"
        await audit_person(turn, person, query, None, str(link_id), action="sign-in-unlink")
    return Response(status_code=204, headers=NO_STORE)


@router.get("/attributes")
async def list_attributes(request: Request) -> Response:
    """What a provider said of me that I may take over, and what I took over before."""
    async with turn_of(request) as turn:
        return json(await taking.overview(turn, await signed_in_person(request, turn)))


@router.post("/attributes")
async def post_attributes(request: Request) -> Response:
    """Take over what I choose, for `{"csrf", "take"}`; the rest is forgotten."""
    cookies.require_own_page(request, runtime_of(request).settings)
    fields = await person_form(request)
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        person.require_csrf(fields.get("csrf"))
        chosen = await taking.take(turn, person, fields.get("take"))
        await audit_person(turn, person, f"POST {_TAKEN}", None, ",".join(chosen), action=taking.TAKE)
        return json(await taking.overview(turn, person))


@router.post("/attributes/{provider}/{name}/forget")
async def forget_attribute(request: Request, provider: str, name: str) -> Response:
    """Forget one thing that I took over, for `{"csrf"}`."""
    cookies.require_own_page(request, runtime_of(request).settings)
    fields = await person_form(request)
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        person.require_csrf(fields.get("csrf"))
        await taking.forget(turn, person, provider, name)
        await audit_person(turn, person, f"POST {_TAKEN}/forget", None, name, action=taking.FORGET)
    return Response(status_code=204, headers=NO_STORE)


async def _on(request: Request, returned: returning.Returned) -> Response:
    """Where a person goes on: to what they wanted, or to what they have to say before."""
    settings = runtime_of(request).settings
    if not returned.cookie:
        return json({"signed_in": False}) if wants_json(request) else _sent("/auth/federation/waiting")
    place = _PLACES[returned.leads_to]
    answer = (
        json({"signed_in": True})
        if wants_json(request)
        else _sent(f"{place}?{returned.query}" if returned.query else place)
    )
    await begun(request, answer, returned.cookie)
    answer.delete_cookie(_name(settings), path="/", secure=_secure(settings), httponly=True, samesite="lax")
    return answer


def _sent(location: str) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(location, 303, headers=headers)


def _secure(settings: Settings) -> bool:
    return settings.base_url.startswith("https://")


def _name(settings: Settings) -> str:
    return SECURE_COOKIE if _secure(settings) else PLAIN_COOKIE


def _cookie(request: Request, settings: Settings) -> str:
    return request.cookies.get(_name(settings), "")


def _give(answer: Response, settings: Settings, text: str) -> None:
    # `Lax`: it comes along when the provider sends the browser back.
    lasts = int(going.LASTS.total_seconds()) * 2
    answer.set_cookie(
        _name(settings),
        text,
        max_age=lasts,
        path="/",
        secure=_secure(settings),
        httponly=True,
        samesite="lax",
    )
