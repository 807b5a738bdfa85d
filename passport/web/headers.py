"""The headers of every answer: where a route says nothing of its own, the strictest.

https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
"""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from passport.web.policy import PERSONAL, STRICT

_ALWAYS: Final = (
    (b"cache-control", PERSONAL.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", STRICT.encode()),
)
_OVER_TLS: Final = (b"strict-transport-security", b"max-age=31536000")


class Headers:
    """Wraps an application: adds to each answer what it does not say itself; `secure` where it is reached by TLS."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._wanted = (*_ALWAYS, _OVER_TLS) if secure else _ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(header for header in self._wanted if header[0] not in said),
                ]
            await send(message)

        await self._app(scope, receive, complete)
