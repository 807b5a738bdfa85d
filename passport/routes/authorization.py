"""The authorization server over HTTP: tokens, pushed requests, the browser's sign-in and the person's decision.

https://www.rfc-editor.org/rfc/rfc6749#section-3
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson
from authlib.oauth2 import OAuth2Error
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from fhirstore.errors import ParseError
from fhirstore.parse import Limits, parse
from fhirstore.tables import NOBODY
from passport.audit.record import AuditRow, record
from passport.identity import sign_in, tokens
from passport.identity.authorization.asking import QUERY_MAX_CHARACTERS, question, told
from passport.identity.authorization.core import Answer, Turn
from passport.identity.authorization.deciding import READING, Choice, decide, must_sign_in, offer
from passport.identity.authorization.errors import Refusal
from passport.identity.authorization.pushed import push
from passport.identity.authorization.recorded import audit, refused
from passport.identity.authorization.token_endpoint import FORM_MAX_BYTES, form, token
from passport.identity.login import cookies, sessions
from passport.identity.login.factors import lacks_second, one_factor
from passport.identity.passkeys.ceremonies import available
from passport.identity.passkeys.registering import LIMIT
from passport.identity.persons import city_kind
from passport.outcomes import Invalid, Unauthenticated, UnsupportedMedia
from passport.query_strings import storable
from passport.records import written_instant
from passport.routes import identity_pages as pages
from passport.routes.callers import begun, caller_of, network_of
from passport.routes.messages import media_type, proved, raw_body, runtime_of
from passport.runtime import Runtime
from passport.settings import Settings

router = APIRouter(prefix="/auth", tags=["authorization"])

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"

# RFC 6749, section 5.1
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff"}

_LIMITS: Final = Limits(size_bytes=FORM_MAX_BYTES, depth=4)
_QUERY: Final = re.compile(r"[\x21-\x7e]*")
_SEVERAL: Final = "scopes"


@router.post("/token")
async def post_token(request: Request) -> Response:
    """Give a client a token by one of the grants that an operator allowed it."""
    runtime = runtime_of(request)
    try:
        answer = await token(runtime, await client_form(request), proved(request))
    except OAuth2Error as refusal:
        answer = refused(refusal)
    return answered(answer)


@router.post("/par")
async def post_par(request: Request) -> Response:
    """Keep what a client asks for, until a person is sent with the name of it."""
    runtime = runtime_of(request)
    try:
        answer = await push(runtime, await client_form(request), proved(request), address=network_of(request))
    except OAuth2Error as refusal:
        answer = refused(refusal)
    return answered(answer)


@router.get("/authorize")
async def get_authorize(request: Request) -> Response:
    """Show a person what a client asks for; who is not signed in signs in first."""
    query = request.url.query
    async with turn_of(request) as turn:
        try:
            asked = await question(turn, query)
            person = await person_of(request, turn)
            if must_sign_in(turn, asked, person):
                return _sign_in_first(request, query, asked.redirect_uri)
            if person is not None and lacks_second(turn.runtime.settings, person):
                return _second_first(request)
        except OAuth2Error as refusal:
            answer = told(turn, refusal)
            await audit(turn, "authorize", "GET auth/authorize", str(refusal.error), detail="")
            return _told(request, answer)
    if person is None:
        raise Unauthenticated
    offered = offer(asked, person).as_json
    return json(offered) if pages.wants_json(request) else pages.scope_page(request, offered, query=query)


@router.post("/authorize")
async def post_authorize(request: Request) -> Response:
    """The same for a form, which may be longer than some browsers let an address be (SMART, `authorize-post`).

    A form that another site's page sends brings no cookie, so the browser goes on by GET.
    """
    try:
        fields = await client_form(request)
    except Refusal as refusal:
        return _told(request, refused(refusal))
    return _back("authorize", urlencode(fields))


@router.post("/authorize/decision")
async def post_decision(request: Request) -> Response:
    """Carry a person's decision out, for `{"request", "csrf", "decision", "purpose", "scopes", "patient"}`."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await person_form(request)
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        person.require_csrf(fields.get("csrf"))
        try:
            asked = await question(turn, text_of(fields, "request"))
            if must_sign_in(turn, asked, person, reading=READING):
                raise Unauthenticated("expected somebody who signed in as lately as the client asks")
            answer = await decide(turn, asked, person, choice_of(fields))
        except OAuth2Error as refusal:
            answer = told(turn, refusal)
            await audit(turn, "authorize", "POST auth/authorize/decision", str(refusal.error), detail="")
            return _told(request, answer)
        denied = None if fields.get("decision") == "allow" else "access_denied"
        client_id = asked.client.client_id
        await audit_person(turn, person, "POST auth/authorize/decision", denied, client_id)
    if pages.wants_json(request):
        return json({"redirect_to": answer.location})
    return _sent(answer)


@router.get("/login")
async def get_login(request: Request) -> Response:
    """Who is signed in at this browser."""
    settings = runtime_of(request).settings
    async with turn_of(request) as turn:
        person = await person_of(request, turn, limited_to=LIMIT)
    if pages.wants_json(request):
        beside = {"passkeys": available(settings)}
        return json(
            {"signed_in": False, **beside} if person is None else {**_told_of(person, settings), **beside}
        )
    person = None if person is None or person.limited_to else person
    if person is None:
        return pages.sign_in_page(request)
    # Persons of the city work by the command line; nobody else is offered what they have no use for.
    purposes = person.purposes if city_kind(person.subject) else ()
    return pages.signed_in_page(request, person.login, person.csrf, purposes)


@router.post("/login")
async def post_login(request: Request) -> Response:
    """Sign a person in at this browser, for `{"login", "code"}`; whoever was signed in before is no more."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await person_form(request)
    query, to, login = (text_of(fields, name) for name in ("request", "to", "login"))
    try:
        cookie = await sign_in.sign_in_at_browser(
            runtime, login, text_of(fields, "code"), address=caller_of(request, login)
        )
    except sign_in.WrongCode:
        if pages.wants_json(request):
            raise
        return pages.sign_in_page(request, action=to, query=query, wrong=True, status=401)
    response: Response = json({"signed_in": True}) if pages.wants_json(request) else _back(to, query)
    await begun(request, response, cookie)
    return response


@router.post("/logout")
async def post_logout(request: Request) -> Response:
    """End the session of this browser, with what apps have only as long as it lasts, for `{"csrf"}`."""
    runtime = runtime_of(request)
    cookies.require_own_page(request, runtime.settings)
    fields = await person_form(request)
    async with turn_of(request) as turn:
        person = await signed_in_person(request, turn)
        person.require_csrf(fields.get("csrf"))
        await sessions.end(turn.connection, person.cookie, now=turn.now)
        await audit_person(turn, person, "POST auth/logout", None, str(person.login_id), action="sign-out")
    page = pages.sign_in_page(request)
    response: Response = Response(status_code=204, headers=NO_STORE) if pages.wants_json(request) else page
    cookies.take_back(response, runtime.settings)
    return response


async def client_form(request: Request) -> Mapping[str, str]:
    """The form that a client sent.

    Raises:
        Refusal: it is none.
    """
    if media_type(request) != FORM:
        raise Refusal("invalid_request", f"expected Content-Type {FORM}")
    return form(await raw_body(request, FORM_MAX_BYTES))


async def person_form(request: Request) -> Mapping[str, Any]:
    """What a page of ours sent, as a form or as JSON; `scopes` may be several.

    Raises:
        UnsupportedMedia: it is neither.
        Invalid: it cannot be read.
    """
    kind = media_type(request)
    body = await raw_body(request, FORM_MAX_BYTES)
    if kind == JSON:
        try:
            return parse(body, _LIMITS)
        except ParseError as error:
            raise Invalid(error.problems) from None
    if kind != FORM:
        raise UnsupportedMedia(JSON, kind)
    try:
        pairs = parse_qsl(body.decode("ascii"), max_num_fields=128, errors="strict")
    except ValueError:
        raise Invalid("expected a form") from None
    if not storable(pairs):
        raise Invalid("got a NUL, expected a form of texts")
    fields: dict[str, Any] = dict(pairs)
    several = [value for name, value in pairs if name == _SEVERAL]
    return {**fields, _SEVERAL: several} if several else fields


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """A text that a page sent, empty where it sent none.

    Raises:
        Invalid: it is no text, or none that an address holds where it goes into one; or one that no database takes.
    """
    value = fields.get(name, "")
    if not isinstance(value, str) or len(value) > QUERY_MAX_CHARACTERS or "\x00" in value:
        raise Invalid(f"expected a text in `{name}`", (name,))
    if name in {"request", "to"} and not _QUERY.fullmatch(value):
        raise Invalid(f"expected the query of an address in `{name}`", (name,))
    return value


def choice_of(fields: Mapping[str, Any]) -> Choice:
    """What a person chose.

    Raises:
        Invalid: it cannot be read.
    """
    decision, listed = fields.get("decision"), fields.get(_SEVERAL)
    if decision not in {"allow", "deny"}:
        raise Invalid("expected `allow` or `deny` in `decision`", ("decision",))
    if listed is not None and not (
        isinstance(listed, list) and all(isinstance(each, str) for each in listed)
    ):
        raise Invalid("expected a list of texts in `scopes`", ("scopes",))
    scopes = None if listed is None else frozenset(listed)
    return Choice(
        decision == "allow", text_of(fields, "purpose") or None, scopes, text_of(fields, "patient") or None
    )


async def person_of(
    request: Request, turn: Turn, *, limited_to: str | None = None
) -> sessions.SignedIn | None:
    """Who is signed in at the browser that sent a request, None for nobody.

    A session that is good for one thing alone counts where that is asked for.
    """
    cookie = cookies.cookie(request, turn.runtime.settings)
    if not cookie:
        return None
    return await sessions.signed_in(turn.connection, cookie, now=turn.now, limited_to=limited_to)


async def signed_in_person(
    request: Request, turn: Turn, *, limited_to: str | None = None
) -> sessions.SignedIn:
    """Who is signed in at the browser that sent a request.

    Raises:
        Unauthenticated: nobody is, any more.
    """
    person = await person_of(request, turn, limited_to=limited_to)
    if person is None:
        raise Unauthenticated("expected somebody who is signed in at this browser")
    return person


@asynccontextmanager
async def turn_of(request: Request) -> AsyncIterator[Turn]:
    """A request with its transaction."""
    runtime: Runtime = runtime_of(request)
    async with runtime.pool.connection() as connection, connection.transaction():
        yield Turn(runtime, connection, runtime.clock())


async def audit_person(
    turn: Turn,
    person: sessions.SignedIn,
    query: str,
    error: str | None,
    detail: str,
    *,
    action: str = "authorize",
) -> None:
    """Keep what a person did at a browser, in the transaction of it."""
    row = AuditRow(
        patient_key=NOBODY if person.patient_key is None else person.patient_key,
        audit_id=tokens.random_uuid(turn.runtime),
        recorded=turn.now,
        action=action,
        kind=person.kind,
        outcome="success" if error is None else "refused",
        subject=person.subject,
        role=person.role,
        client=turn.client.subject if turn.client else None,
        query=query,
        detail=detail if error is None else error,
    )
    await record(turn.connection, [row])


def _told_of(person: sessions.SignedIn, settings: Settings) -> dict[str, Any]:
    return {
        "signed_in": person.limited_to is None,
        "limited_to": person.limited_to,
        "login": person.login,
        "subject": person.subject,
        "role": person.role,
        "kind": person.kind,
        "purposes": list(person.purposes),
        "methods": list(person.methods),
        "authenticated_at": written_instant(person.authenticated_at),
        "second_factor": person.second_factor_at is not None,
        "needs": "second-factor" if lacks_second(settings, person) else None,
        "csrf": person.csrf,
    }


def _sign_in_first(request: Request, query: str, redirect_uri: str) -> Response:
    if pages.wants_json(request):
        return json({"error": "login_required"}, 401)
    return pages.sign_in_page(request, action="authorize", query=query, redirect_uri=redirect_uri)


def _second_first(request: Request) -> Response:
    """Tell somebody that one factor is too little for what they are asked."""
    refusal = one_factor()
    if pages.wants_json(request):
        raise refusal
    return pages.refusal_page(request, "one-factor", refusal.status)


def _told(request: Request, answer: Answer) -> Response:
    if answer.location is not None:
        return _sent(answer)
    if pages.wants_json(request):
        return json(answer.body, answer.status)
    unfit = answer.body.get("error") in pages.UNFIT_APP
    return pages.refusal_page(request, "wrong-app" if unfit else "wrong-asked", answer.status)


def _sent(answer: Answer) -> Response:
    # The address holds a code: it is kept by nobody on its way, and told to no other page.
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(answer.location or "", answer.status, headers=headers)


def _back(to: str, query: str) -> Response:
    address = {"authorize": "/auth/authorize", "device": "/auth/device"}.get(to, "/auth/login")
    return RedirectResponse(
        f"{address}?{query}" if query else address, 303, headers={"Cache-Control": "no-store"}
    )


def answered(answer: Answer) -> Response:
    """The answer to a client."""
    response = json(answer.body, answer.status)
    response.headers.update(answer.headers)
    return response


def json(content: Mapping[str, Any], status: int = 200) -> Response:
    """An answer in JSON that nobody keeps."""
    return Response(orjson.dumps(content), status, headers=NO_STORE, media_type=JSON)
