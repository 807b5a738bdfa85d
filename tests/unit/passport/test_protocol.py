"""The limits of a head, byte by byte: how it is cut into packets does not matter."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from passport.protocol import ADDRESS_MAX_BYTES, HEAD_MAX_BYTES
from tests.unit.passport.listening import listening

pytestmark = pytest.mark.anyio


async def tell_length(scope: Any, receive: Any, send: Any) -> None:
    body = b"%d" % len(scope["path"])
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    )
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with listening(tell_length) as number:
        yield number


async def status(port: int, *packets: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for packet in packets:
        writer.write(packet)
        await writer.drain()
    line = await reader.readline()
    writer.close()
    return int(line.split()[1])


def request(path: int = 1, header: int = 1) -> bytes:
    return b"GET /" + b"a" * (path - 1) + b" HTTP/1.1\r\nHost: x\r\nX: " + b"a" * header + b"\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1000, 10_000_000])
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (request(), 200),
        (request(path=3_000), 200),
        (request(header=3_000), 200),
        (request(path=ADDRESS_MAX_BYTES), 200),
        (request(path=ADDRESS_MAX_BYTES + 1), 414),
        (request(header=HEAD_MAX_BYTES), 431),
        (b"GET\r\n\r\n", 400),
    ],
    ids=[
        "short",
        "long address",
        "long header",
        "longest address",
        "too long address",
        "too long header",
        "no HTTP",
    ],
)
async def test_head_is_read_within_its_limits(port: int, sent: bytes, expected: int, size: int) -> None:
    if size < 100 and len(sent) > 10_000:
        size = 1000
    packets = [sent[at : at + size] for at in range(0, len(sent), size)]
    assert await status(port, *packets) == expected


async def test_head_without_end_is_refused_before_it_ends(port: int) -> None:
    assert await status(port, b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000) == 431
    assert await status(port, b"GET /" + b"a" * 100_000) == 414


async def test_long_bodies_count_for_no_head(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"a" * 200_000)
        await writer.drain()
        assert (await reader.readline()).split()[1] == b"200"
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(1) == b"2"
    writer.close()


async def test_what_stands_once_stands_once(port: int) -> None:
    for name in ("Authorization", "content-type", "HOST", "If-None-Exist"):
        once = f"GET /x HTTP/1.1\r\n{name}: a\r\nAccept: b\r\n"
        assert await status(port, f"{once}Accept: c\r\n\r\n".encode()) == 200
        assert await status(port, f"{once}{name}: a\r\n\r\n".encode()) == 400


async def test_what_is_wrong_with_a_head_is_told_after_other_answers_too(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for sent, expected in ((request(), b"200"), (request(path=ADDRESS_MAX_BYTES + 1), b"414")):
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.split()[1] == expected
        if expected == b"200":
            assert await reader.readexactly(1) == b"1"
    assert b"OperationOutcome" in await reader.read()
    writer.close()


async def test_an_address_as_a_person_types_it_is_told_how_to_be_written(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("GET /fhir/Patient?name=花子 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"expected them percent-encoded in UTF-8" in answer
    assert b"no HTTP request" not in answer


@pytest.mark.parametrize("address", [b"/a?code=a#b&status=c", b"/a#", b"/#/a"])
async def test_an_address_is_refused_where_a_part_of_it_would_be_left_out(port: int, address: bytes) -> None:
    assert await status(port, b"DELETE " + address + b" HTTP/1.1\r\nHost: x\r\n\r\n") == 400
    assert (
        await status(port, b"GET " + address.replace(b"#", b"%23") + b" HTTP/1.1\r\nHost: x\r\n\r\n") == 200
    )
