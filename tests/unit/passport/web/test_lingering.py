"""Whoever still sends hears the answer, and holds the connection no longer than it is worth."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from passport.web.lingering import Lingering
from tests.unit.passport.listening import listening

pytestmark = pytest.mark.anyio

MEGABYTE = 1_000_000
PATIENCE_SECONDS = 60
REFUSES: ASGIApp = PlainTextResponse("too long", 413)


@asynccontextmanager
async def connected(app: ASGIApp) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with listening(app) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield reader, writer
        writer.close()


def head(version: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST /x HTTP/{version}", "Host: x", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    ("version", "headers"), [("1.1", ["Connection: Keep-Alive, Close"]), ("1.0", [])], ids=["asked", "1.0"]
)
@pytest.mark.parametrize("chunked", [False, True])
async def test_what_is_sent_after_the_answer_is_read_to_its_end(
    version: str, headers: list[str], chunked: bool
) -> None:
    if chunked:
        said, body = "Transfer-Encoding: chunked", b"100000\r\n" + b" " * 0x100000 + b"\r\n0\r\n\r\n"
    else:
        said, body = f"Content-Length: {10 * MEGABYTE}", b" " * 10 * MEGABYTE
    async with connected(Lingering(REFUSES, seconds=PATIENCE_SECONDS, silence=PATIENCE_SECONDS)) as (
        reader,
        writer,
    ):
        writer.write(head(version, *headers, said))
        assert await reader.readuntil(b"too long")
        writer.write(body)
        await writer.drain()
        assert await reader.read() == b""


@pytest.mark.parametrize(("seconds", "silence"), [(0.1, PATIENCE_SECONDS), (PATIENCE_SECONDS, 0.1)])
async def test_a_body_that_never_ends_is_not_waited_for(seconds: float, silence: float) -> None:
    async with connected(Lingering(REFUSES, seconds=seconds, silence=silence)) as (reader, writer):
        writer.write(head("1.1", "Connection: close", "Content-Length: 1000") + b" ")
        assert (await reader.read()).endswith(b"too long")


async def test_who_waits_to_be_told_to_send_is_told_no_and_nothing_else() -> None:
    async with connected(Lingering(REFUSES)) as (reader, writer):
        writer.write(head("1.1", "Connection: close", "Content-Length: 1000", "Expect: 100-continue"))
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
async def test_a_body_that_breaks_after_the_answer_gets_no_other(connection: str) -> None:
    async with connected(Lingering(REFUSES)) as (reader, writer):
        writer.write(head("1.1", f"Connection: {connection}", "Transfer-Encoding: chunked"))
        assert await reader.readuntil(b"too long")
        writer.write(b"no chunk")
        assert await reader.read() == b""


async def test_a_connection_that_is_kept_serves_the_next_request() -> None:
    async with connected(Lingering(REFUSES)) as (reader, writer):
        for _ in range(2):
            writer.write(head("1.1", f"Content-Length: {MEGABYTE}") + b" " * MEGABYTE)
            await writer.drain()
            assert await reader.readuntil(b"too long")
