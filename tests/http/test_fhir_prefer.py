"""What the caller of a write wants back, and the headers that come with it in any case.

http://hl7.org/fhir/R4/http.html#ops
"""

import orjson
import pytest
from httpx import Response

from tests.resources import weight
from tests.town import BASE_URL, Voice, outcome

pytestmark = pytest.mark.anyio


async def written(voice: Voice, prefer: str) -> tuple[Response, Response, Response]:
    """A creation, an update and a patch of the same record."""
    headers = {"Prefer": prefer}
    tree = weight(voice.reference)
    created = await voice.call("POST", "Observation", content=orjson.dumps(tree), headers=headers)
    reference = created.headers["location"].removeprefix(f"{BASE_URL}/fhir/").partition("/_")[0]
    named = orjson.dumps({**tree, "id": reference.partition("/")[2]})
    updated = await voice.call("PUT", reference, content=named, headers=headers)
    patch = orjson.dumps([{"op": "replace", "path": "/status", "value": "amended"}])
    kind = {**headers, "Content-Type": "application/json-patch+json"}
    return created, updated, await voice.call("PATCH", reference, content=patch, headers=kind)


@pytest.mark.parametrize("prefer", ["return=minimal", "respond-async, return=minimal", "return=MINIMAL; x=y"])
async def test_whoever_wants_nothing_back_gets_the_headers_alone(hanako: Voice, prefer: str) -> None:
    for version, answer in enumerate(await written(hanako, prefer), start=1):
        assert answer.status_code == (201 if version == 1 else 200)
        assert answer.content == b""
        assert answer.headers["etag"] == f'W/"{version}"'
        assert answer.headers["location"].endswith(f"/_history/{version}")
        assert "last-modified" in answer.headers


@pytest.mark.parametrize("prefer", ["", "return=representation", "return=everything", "handling=strict"])
async def test_the_record_comes_back_unless_something_else_is_wanted(hanako: Voice, prefer: str) -> None:
    for version, answer in enumerate(await written(hanako, prefer), start=1):
        assert answer.json()["meta"]["versionId"] == str(version)


async def test_whoever_wants_an_outcome_gets_one(hanako: Voice) -> None:
    for answer in await written(hanako, "return=OperationOutcome"):
        tree = answer.json()
        assert tree["resourceType"] == "OperationOutcome"
        assert [issue["severity"] for issue in tree["issue"]] == ["information"]
    reference = await hanako.create(weight(hanako.reference))
    answer = await hanako.call("DELETE", reference, headers={"Prefer": "return=OperationOutcome"})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_caller_who_reads_no_json_writes_nothing(hanako: Voice, method: str) -> None:
    reference = await hanako.create(weight(hanako.reference))
    path = "Observation" if method == "POST" else reference
    content = None if method == "DELETE" else orjson.dumps(await hanako.read(reference))
    answer = await hanako.call(method, path, content=content, headers={"Accept": "application/fhir+xml"})
    outcome(answer, 406, "not-supported")
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("kind", ["application/fhir+xml", "text/plain", "application/xml-patch+xml"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_other_formats_are_refused(hanako: Voice, method: str, kind: str) -> None:
    reference = await hanako.create(weight(hanako.reference))
    path = "Observation" if method == "POST" else reference
    answer = await hanako.call(method, path, content=b"<x/>", headers={"Content-Type": kind})
    outcome(answer, 415, "not-supported")
