"""The form of a request and of its answer, whatever they say.

https://www.rfc-editor.org/rfc/rfc9110#name-head
http://hl7.org/fhir/R4/http.html#parameters

A HEAD is carried out as the GET that it stands for, audit row included, since its answer tells as much of a record
as its headers say. The JSON of an answer is set out for a reader who asks for it. A slash at the end of an address
below the FHIR base changes nothing of what it asks. An address beside the base that no database takes is refused here,
whichever route it would lead to.
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote_plus

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fhirstore.parse import Limits, parse, serialise
from passport.outcomes import Invalid
from passport.query_strings import escaped, pairs_of, require_storable
from passport.routes.messages import is_lenient, refusal

_FHIR: Final = "/fhir"
_LAST_SLASH: Final = re.compile(r"/fhir/.*[^/]/", re.DOTALL)
PRETTY: Final = "_pretty"
_ANY_DEPTH: Final = 1_024  # what is stored was measured on its way in


class Forms:
    """Wraps an application: the query is text, HEAD is a GET; `_pretty=true` and a last slash below the FHIR base."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        app, pretty, head = self._app, False, scope["method"] == "HEAD"
        if _LAST_SLASH.fullmatch(scope["path"]):
            scope = {**scope, "path": scope["path"][:-1]}
        try:
            # Below the FHIR base each parameter is read by its own rules.
            if not scope["path"].startswith(_FHIR):
                require_storable(scope["path"], scope["query_string"])
            if scope["query_string"]:
                scope, pretty = _read(scope)
        except Invalid as error:
            app = refusal(error)
        if not head and not pretty:
            await app(scope, receive, send)
            return
        answer = _Answer()
        await app({**scope, "method": "GET"} if head else scope, receive, answer.keep)
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
            body = set_out(body)
            others = [(name, value) for name, value in headers if name != b"content-length"]
            headers = [*others, (b"content-length", b"%d" % len(body))]
        await send({**self._start, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})


def set_out(body: bytes) -> bytes:
    """The same JSON, set out for a reader."""
    return serialise(parse(body, Limits(size_bytes=len(body), depth=_ANY_DEPTH)), indented=True)


def wishes_it_set_out(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether parameters ask for an answer that is set out.

    Raises:
        Invalid: they say something else than yes or no, or more than once.
    """
    wishes = [value for name, value in pairs if name == PRETTY]
    if wishes in ([], ["true"], ["false"]):
        return wishes == ["true"]
    raise Invalid("got an unreadable `_pretty`, expected `true` or `false`, once", (PRETTY,))


def _read(scope: Scope) -> tuple[Scope, bool]:
    """The request with its query as text, and whether its answer is to be set out.

    Raises:
        Invalid: the query is no text, or says something else than yes or no of that.
    """
    sent: bytes = scope["query_string"]
    query = escaped(sent)
    understood = scope if query is sent else {**scope, "query_string": query}
    if PRETTY.encode() not in query or not scope["path"].startswith(_FHIR):
        return understood, False
    try:
        return understood, wishes_it_set_out(pairs_of(query.decode()))
    except Invalid:
        if not is_lenient(Request(scope)):
            raise
    return {**scope, "query_string": _without(query, PRETTY)}, False


def _without(query: bytes, name: str) -> bytes:
    parts = query.decode().split("&")
    return "&".join(part for part in parts if unquote_plus(part.partition("=")[0]) != name).encode()
