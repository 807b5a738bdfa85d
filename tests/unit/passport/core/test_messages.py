"""What every route reads of a request, and what it writes into an answer."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from fastapi import Request

from passport.outcomes import Invalid, TooLarge, Unauthenticated, UnsupportedMedia
from passport.pieces import ANY
from passport.routes.messages import (
    NotAcceptable,
    bearer,
    check_accept,
    fhir_body,
    fhir_response,
    raw_body,
    versioned,
    written_for,
)

pytestmark = pytest.mark.anyio


def request(headers: dict[str, str] | None = None, query: str = "", chunks: Iterable[bytes] = ()) -> Request:
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        body = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": raw, "query_string": query.encode()}
    return Request(scope, receive)


@pytest.mark.parametrize("header", ["Bearer abc", "bearer abc", "BEARER  abc "])
def test_a_bearer_is_known_by_the_hash_of_its_token(header: str) -> None:
    assert bearer(request({"Authorization": header})).token_hash == sha256(b"abc").digest()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}])
def test_without_a_token_there_is_no_caller(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        bearer(request(headers))


@pytest.mark.parametrize(
    ("accept", "format_", "taken"),
    [
        (None, "", True),
        ("*/*", "", True),
        ("application/fhir+json;q=0.5", "", True),
        ("text/html, application/json", "", True),
        ("text/html", "", False),
        ("application/fhir+xml", "json", True),
        ("*/*", "xml", False),
        ("", "", False),
    ],
)
def test_json_is_all_that_is_answered(accept: str | None, format_: str, taken: bool) -> None:
    asked = request({} if accept is None else {"Accept": accept}, f"_format={format_}" if format_ else "")
    if taken:
        check_accept(asked)
    else:
        with pytest.raises(NotAcceptable) as refused:
            check_accept(asked)
        assert refused.value.status == 406


def test_several_accept_headers_are_one_list() -> None:
    taken, refused = b"application/fhir+json", b"application/fhir+json;q=0"
    scope = request().scope
    check_accept(Request({**scope, "headers": [(b"accept", b"text/html"), (b"accept", taken)]}))
    with pytest.raises(NotAcceptable):
        check_accept(Request({**scope, "headers": [(b"accept", b"*/*"), (b"accept", refused)]}))


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        ('W/"1"', {1}),
        ('"12"', {12}),
        ("3", {3}),
        (' W/"7" ', {7}),
        ('"1", W/"2"', {1, 2}),
        ('W/"0"', set()),
        (" * ", {ANY}),
    ],
)
def test_an_if_match_names_versions(header: str, versions: set[int]) -> None:
    assert written_for(request({"If-Match": header})) == frozenset(versions)


def test_without_the_header_there_is_no_condition() -> None:
    assert written_for(request()) is None


@pytest.mark.parametrize("header", ["", "x", 'W/"x"', 'W/"-1"', '"1", *', '"1",', "1234567890"])
def test_an_unreadable_if_match_is_refused(header: str) -> None:
    with pytest.raises(Invalid):
        written_for(request({"If-Match": header}))


async def test_a_body_is_read_from_its_chunks() -> None:
    assert await raw_body(request(chunks=[b"a", b"", b"bc"])) == b"abc"
    assert await raw_body(request(chunks=[b"abc"]), 3) == b"abc"


async def test_a_body_past_the_limit_is_refused_announced_or_not() -> None:
    with pytest.raises(TooLarge):
        await raw_body(request(chunks=[b"ab", b"cd"]), 3)
    with pytest.raises(TooLarge):
        await raw_body(request({"Content-Length": "4"}), 3)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/json"}, {"Content-Type": "application/xml"}])
async def test_a_body_of_another_type_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMedia):
        await fhir_body(request(headers, chunks=[b"{}"]))


async def test_a_compressed_body_is_refused() -> None:
    with pytest.raises(UnsupportedMedia):
        await raw_body(request({"Content-Encoding": "gzip"}, chunks=[b"{}"]))


def test_an_answer_is_never_stored_on_its_way() -> None:
    answer = fhir_response(b"{}", {"ETag": 'W/"1"'}, status=201)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')


def test_a_version_is_named_by_a_weak_tag_and_the_time_of_its_writing_in_gmt() -> None:
    tokyo = timezone(timedelta(hours=9))
    headers = versioned(request(), 3, datetime(2026, 11, 22, 9, 0, 0, 999_999, tzinfo=tokyo))
    assert headers == {"ETag": 'W/"3"', "Last-Modified": "Sun, 22 Nov 2026 00:00:00 GMT"}
    new_year = versioned(request(), 1, datetime(2026, 1, 2, tzinfo=UTC))
    assert new_year["Last-Modified"] == "Fri, 02 Jan 2026 00:00:00 GMT"
