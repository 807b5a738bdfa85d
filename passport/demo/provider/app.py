"""The mock provider over HTTP: its document, its key, a page with made-up people, tokens and what it says of them.

https://openid.net/specs/openid-connect-core-1_0.html
https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from passport.demo.provider.keeping import Mock, Refused
from passport.demo.provider.people import PEOPLE

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SAYS: Final = (
    "これは模擬のサインインです。実在の認証サービスではなく、登場する人物はすべて架空です。<br>"
    "<span lang=en>This is a mock sign-in. It is no real service, and its people are made up.</span>"
)


def provider(mock: Mock) -> Starlette:
    """The application of a mock."""

    async def document(_: Request) -> Response:
        return _json(mock.document)

    async def jwks(_: Request) -> Response:
        return _json(mock.jwks)

    async def authorize(request: Request) -> Response:
        try:
            return _asked(mock, request.url.query)
        except Refused as refusal:
            return HTMLResponse(_page(f"<p>{refusal.error}</p>"), 400, headers=_HEADERS)

    async def token(request: Request) -> Response:
        try:
            fields = _once((await request.body()).decode("ascii", "replace"))
            client = mock.proved(fields, _basic(request.headers.get("authorization", "")))
            return _json(mock.redeemed(client, fields))
        except Refused as refusal:
            return _json({"error": refusal.error}, 401 if refusal.error == "invalid_client" else 400)

    async def user_info(request: Request) -> Response:
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        try:
            return _json(mock.user_info(text if scheme.lower() == "bearer" else ""))
        except Refused as refusal:
            return _json({"error": refusal.error}, 401)

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", document),
            Route("/jwks", jwks),
            Route("/authorize", authorize),
            Route("/token", token, methods=["POST"]),
            Route("/userinfo", user_info),
        ]
    )


def _asked(mock: Mock, query: str) -> Response:
    """The page with its people, or where somebody goes who chose one of them, or gave up.

    Raises:
        Refused: the request is none that is answered.
    """
    fields = _once(query)
    client = mock.asked(fields)
    people = {person.key: person for person in PEOPLE}
    match fields.get("person"):
        case "nobody":
            answer = {"error": "access_denied"}
        case str(key) if key in people:
            answer = {"code": mock.code_for(people[key], fields)}
        case _:
            return HTMLResponse(_page(_choices(query)), headers=_HEADERS)
    back = urlencode({**answer, "state": fields["state"], "iss": mock.issuer})
    return RedirectResponse(f"{client.redirect_uri}?{back}", 303, headers=_HEADERS)


def _once(query: str) -> dict[str, str]:
    """The parameters of a request, each of which stands there once.

    Raises:
        Refused: one does not.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Refused("invalid_request")
    return fields


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = b64decode(encoded, validate=True).decode("ascii").partition(":")
    except (Error, UnicodeDecodeError):
        raise Refused("invalid_client") from None
    return name, secret


def _choices(query: str) -> str:
    links = "".join(
        f"<li><a href='?{escape(query)}&amp;person={person.key}'>{escape(person.name)}</a></li>"
        for person in PEOPLE
    )
    return f"<ul>{links}<li><a href='?{escape(query)}&amp;person=nobody'>やめる / Give up</a></li></ul>"


def _page(body: str) -> str:
    title = "模擬サインイン / Mock sign-in"
    return (
        f"<!doctype html><html lang=ja><head><meta charset=utf-8><title>{title}</title>"
        f"<meta name=viewport content='width=device-width'></head>"
        f"<body><main><h1>{title}</h1><p>{_SAYS}</p>{body}</main></body></html>"
    )


def _json(content: Mapping[str, Any], status: int = 200) -> Response:
    return JSONResponse(dict(content), status, headers={"Cache-Control": "no-store"})
