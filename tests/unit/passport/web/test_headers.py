"""What a route says of itself counts; what it does not say is said as strictly as can be."""

import pytest
from httpx import ASGITransport, AsyncClient, Response
from starlette.types import Message, Receive, Scope, Send

from passport.web.headers import Headers

pytestmark = pytest.mark.anyio


async def answered(*said: tuple[bytes, bytes], secure: bool) -> Response:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {"type": "http.response.start", "status": 200, "headers": list(said)}
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    transport = ASGITransport(Headers(app, secure=secure))
    async with AsyncClient(transport=transport, base_url="http://passport.test") as http:
        return await http.get("/")


async def test_a_route_that_says_nothing_is_kept_by_nobody_and_framed_nowhere() -> None:
    answer = await answered(secure=False)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


async def test_what_a_route_says_itself_is_said_once() -> None:
    answer = await answered((b"Cache-Control", b"public"), (b"referrer-policy", b"same-origin"), secure=False)
    assert answer.headers.get_list("cache-control") == ["public"]
    assert answer.headers.get_list("referrer-policy") == ["same-origin"]


async def test_what_is_reached_by_tls_is_reached_by_nothing_else() -> None:
    assert (await answered(secure=True)).headers["strict-transport-security"] == "max-age=31536000"
