"""The form of an answer, whatever it says: its head alone, or its JSON set out for a reader.

https://www.rfc-editor.org/rfc/rfc9110#name-head
http://hl7.org/fhir/R4/http.html#parameters

A HEAD is carried out as the GET that it stands for, audit row included, since its answer tells as much of a record
as its headers say.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhirstore.parse import Limits, parse, serialise

_FHIR: Final = "/fhir"
_ANY_DEPTH: Final = 1_024  # what is stored was measured on its way in


class Forms:
    """Wraps an application: answers HEAD, and `_pretty=true` below the FHIR base."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        head, pretty = scope["method"] == "HEAD", _wants_pretty(scope)
        if not head and not pretty:
            await self._app(scope, receive, send)
            return
        answer = _Answer()
        await self._app({**scope, "method": "GET"} if head else scope, receive, answer.keep)
        await answer.leave(send, pretty=pretty, head=head)


class _Answer:
    """An answer that was held back."""

    def __init__(self) -> None:
        self._start: dict[str, Any] = {}
        self._body = b""

    async def keep(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = dict(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    async def leave(self, send: Send, *, pretty: bool, head: bool) -> None:
        headers: list[tuple[bytes, bytes]] = list(self._start["headers"])
        body = self._body
        if pretty and body and any(name == b"content-type" and b"json" in value for name, value in headers):
            body = serialise(parse(body, Limits(size_bytes=len(body), depth=_ANY_DEPTH)), indented=True)
            others = [(name, value) for name, value in headers if name != b"content-length"]
            headers = [*others, (b"content-length", b"%d" % len(body))]
        await send({**self._start, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})


def _wants_pretty(scope: Mapping[str, Any]) -> bool:
    query = scope["query_string"]
    if b"_pretty" not in query or not scope["path"].startswith(_FHIR):
        return False
    return parse_qs(query.decode("latin-1")).get("_pretty") == ["true"]
