"""Apps in browsers: pages of other origins may call what asks for a token, and nothing that a cookie opens.

https://fetch.spec.whatwg.org/#http-cors-protocol
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support

Every origin is named alike and none with credentials, so that a page gets by it what any program gets: what its token
opens. The addresses of the passport's own pages, which know people by their cookie, are not among these.
"""

from typing import Final

from fastapi import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TAKEN: Final = ("/fhir", "/.well-known/", "/auth/token", "/auth/revoke", "/auth/par")
_PREFLIGHT: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Accept, Authorization, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer"
    ),
    "Access-Control-Max-Age": "600",
}
_EXPOSED: Final = ", ".join(
    (
        "Accept-Patch",
        "Content-Location",
        "DPoP-Nonce",
        "ETag",
        "Last-Modified",
        "Link",
        "Location",
        "Retry-After",
        "WWW-Authenticate",
    )
)


class Origins:
    """Wraps an application: answers preflights, and lets pages of any origin read what they asked for by a token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or not any(name == b"origin" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        if not _is_taken(scope["path"]):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send)
            return

        async def readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Access-Control-Allow-Origin"] = "*"
                headers["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        await self._app(scope, receive, readable)


def _is_taken(path: str) -> bool:
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in _TAKEN)
