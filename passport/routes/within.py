"""A request inside of a request: an entry that is carried out by itself, by the very route that it names.

https://asgi.readthedocs.io/en/latest/specs/www.html

It has the caller's token and nothing else of theirs; its answer is what the caller would have got alone, but that
`Last-Modified` is a FHIR instant: an entry tells the time of a version as the record does, and not in whole seconds.
"""

import string
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request

_ENTRY: Final = "passport.entry"

_KEPT: Final = ("asgi", "http_version", "scheme", "root_path", "client", "server")


@dataclass(frozen=True, slots=True)
class Answered:
    """What a route answered; the names of the headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def is_entry(request: Request) -> bool:
    """Whether this is a request inside of another one."""
    return _ENTRY in request.scope


async def answered_within(
    request: Request, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes = b""
) -> Answered:
    """Let the application answer a request for `path`, which lies below the base."""
    address = f"/fhir/{path}"
    sent = {"authorization": request.headers.get("authorization", ""), **headers}
    scope = {
        **{name: request.scope[name] for name in _KEPT if name in request.scope},
        "type": "http",
        _ENTRY: True,
        "method": method,
        "path": address,
        "raw_path": address.encode(),
        # What JSON carries as letters travels in escapes.
        "query_string": quote(query, safe=string.printable).encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
    }
    started: dict[str, Any] = {}
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await request.app(scope, receive, send)
    return Answered(
        status=int(started["status"]),
        headers={name.decode().lower(): value.decode("latin-1") for name, value in started["headers"]},
        body=b"".join(parts),
    )
