"""The form of an answer: its head alone, lines for a reader, nothing where the caller has it, JSON or nothing.

http://hl7.org/fhir/R4/http.html#cread
http://hl7.org/fhir/R4/http.html#parameters
"""

from urllib.parse import urlencode

import orjson
import pytest
from httpx import Response

from tests import resources as made
from tests.town import Town, Voice, link, outcome

pytestmark = pytest.mark.anyio


async def test_head_tells_what_get_tells_without_its_body(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    for path in (
        reference,
        "Observation",
        f"{reference}/_history",
        f"{reference}/_history/1",
        "metadata",
        "Foo",
    ):
        whole, head = [await hanako.call(method, path) for method in ("GET", "HEAD")]
        assert head.status_code == whole.status_code
        assert head.content == b""
        for name in ("content-type", "content-length", "etag", "last-modified"):
            assert head.headers.get(name) == whole.headers.get(name), (path, name)


async def test_head_is_on_the_record_like_get(hanako: Voice, town: Town) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    before = town.rows("SELECT count(*) FROM audit_event")[0][0]
    await hanako.call("HEAD", reference)
    assert town.rows("SELECT count(*) FROM audit_event")[0][0] == before + 1


async def test_json_is_set_out_only_on_request(hanako: Voice) -> None:
    tree = made.weight(hanako.reference)
    body = orjson.dumps(tree).replace(b"62.5", b"62.50")
    answer = await hanako.call("POST", "Observation", content=body)
    reference = f"Observation/{answer.json()['id']}"
    plain, pretty = [(await hanako.get(f"{reference}{query}")) for query in ("", "?_pretty=true")]
    assert b"\n" not in plain.content
    assert b'\n  "status": "final"' in pretty.content
    assert b'"value": 62.50' in pretty.content
    assert int(pretty.headers["content-length"]) == len(pretty.content)
    assert plain.json() == pretty.json()
    assert b"\n" not in (await hanako.get(f"{reference}?_pretty=false")).content
    assert b"\n" in (await hanako.get("Observation?_pretty=true")).content


@pytest.mark.parametrize("query", ["_pretty=banana", "_pretty=", "_pretty=TRUE", "_pretty=true&_pretty=true"])
async def test_a_wish_that_is_neither_yes_nor_no_is_refused_or_left_out(hanako: Voice, query: str) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    for path in (
        reference,
        "Observation",
        f"{reference}/_history",
        f"{hanako.reference}/$everything",
        "metadata",
    ):
        told = outcome(await hanako.get(f"{path}?{query}"), 400, "invalid")
        assert told["issue"][0]["expression"] == ["_pretty"]
        answer = await hanako.get(f"{path}?{query}", Prefer="handling=lenient")
        assert (answer.status_code, b"\n" in answer.content) == (200, False)
    answer = await hanako.get(f"Observation?code=29463-7&{query}&_count=5", Prefer="handling=lenient")
    assert (link(answer.json(), "self") or "").endswith("/Observation?code=29463-7&_count=5")
    head = await hanako.call("HEAD", f"{reference}?{query}")
    assert (head.status_code, head.content) == (400, b"")


async def test_what_the_caller_has_is_not_sent_again(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    read = await hanako.get(reference)
    for held in (
        {"If-None-Match": read.headers["etag"]},
        {"If-None-Match": 'W/"7", W/"1"'},
        {"If-None-Match": '"1"'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": read.headers["last-modified"]},
    ):
        answer = await hanako.get(reference, **held)
        assert (answer.status_code, answer.content) == (304, b""), held
        assert answer.headers["etag"] == read.headers["etag"]
    for other in (
        {"If-None-Match": 'W/"2"'},
        {"If-None-Match": 'W/"2"', "If-Modified-Since": read.headers["last-modified"]},
        {"If-Modified-Since": "Wed, 01 Jan 2020 00:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert (await hanako.get(reference, **other)).status_code == 200, other


async def test_a_denied_record_is_never_not_modified(hanako: Voice, taro: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    for held in (
        {"If-None-Match": 'W/"1"'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    ):
        outcome(await taro.get(reference, **held), 404, "not-found")


@pytest.mark.parametrize(
    "value", ["json", "application/json", "application/fhir+json", "application/fhir%2Bjson", "text/json"]
)
async def test_a_caller_may_name_the_format(hanako: Voice, value: str) -> None:
    assert (
        await hanako.get(f"Observation?_format={value}", Accept="application/fhir+xml")
    ).status_code == 200


async def test_another_format_is_not_acceptable(hanako: Voice) -> None:
    for value in ("xml", "application/fhir%2Bxml", "ttl", "html"):
        outcome(await hanako.get(f"Observation?_format={value}"), 406)
    form = urlencode([("_format", "xml")]).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    outcome(await hanako.call("POST", "Observation/_search", content=form, headers=headers), 406)
    outcome(await hanako.get("Observation", Accept="application/fhir+xml"), 406)


@pytest.mark.parametrize("path", ["Observation/_search", "_search", "{patient}/Observation/_search"])
async def test_a_search_by_post_says_in_its_body_that_it_is_to_be_set_out(hanako: Voice, path: str) -> None:
    path = path.format(patient=hanako.reference)

    async def posted(form: str, **headers: str) -> Response:
        form = f"_type=Observation&{form}" if path == "_search" else form
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return await hanako.call("POST", path, content=form.encode(), headers=headers)

    plain, pretty = await posted("code=29463-7"), await posted("code=29463-7&_pretty=true")
    assert b"\n" not in plain.content
    assert b'\n  "type": "searchset"' in pretty.content
    told = outcome(await posted("_pretty=banana"), 400, "invalid")
    assert told["issue"][0]["expression"] == ["_pretty"]
    answer = await posted("_pretty=banana", Prefer="handling=lenient")
    assert (answer.status_code, b"_pretty" in answer.content) == (200, False)
