"""An answer that comes before the body was read is heard: what is still sent is read on, and dropped.

https://www.rfc-editor.org/rfc/rfc9112#section-9.6

A connection that is closed with bytes unread is reset, and whoever still sends loses the answer with it: a refusal of a
long body would be a broken connection to a client that asked for no other request on it, or a 502 of a proxy that did.
Where the connection is kept, the server reads on by itself.
"""

from asyncio import timeout
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_SECONDS: Final = 30
"""How long a body is read on after its answer."""

SILENCE_SECONDS: Final = 2
"""How long its next bytes are waited for then."""


class Lingering:
    """Wraps an application: a connection that ends with an answer ends once the body was sent, or after `seconds`."""

    def __init__(
        self, app: ASGIApp, *, seconds: float = LINGER_SECONDS, silence: float = SILENCE_SECONDS
    ) -> None:
        self._app, self._seconds, self._silence = app, seconds, silence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection; a body that was read costs nothing more."""
        if scope["type"] != "http" or not _ends_after_body(scope):
            await self._app(scope, receive, send)
            return
        unread = True

        async def reading() -> Message:
            nonlocal unread
            message = await receive()
            unread = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def answering(message: Message) -> None:
            if unread and message["type"] == "http.response.body" and not message.get("more_body", False):
                await send({**message, "more_body": True})
                with suppress(TimeoutError):
                    async with timeout(self._seconds):
                        while unread:
                            async with timeout(self._silence):
                                await reading()
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, reading, answering)


def _ends_after_body(scope: Scope) -> bool:
    """Whether a request has a body that is on its way, and its connection is for no other request."""
    headers = Headers(scope=scope)
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return False
    # Who waits to be told to send is not told, and sends nothing.
    if "expect" in headers:
        return False
    wishes = {wish.strip().lower() for wish in headers.get("connection", "").split(",")}
    return scope["http_version"] == "1.0" or "close" in wishes
