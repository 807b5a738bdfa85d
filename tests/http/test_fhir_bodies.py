"""Hostile and broken requests: media types, sizes, JSON that is none, resources that are none.

http://hl7.org/fhir/R4/http.html#mime-type
http://hl7.org/fhir/R4/json.html
"""

from collections.abc import AsyncIterator
from typing import Final

import orjson
import pytest
from starlette.types import Message

from passport.routes.messages import BODY_LIMIT_BYTES
from tests import resources as made
from tests.cast import Cast
from tests.town import FHIR_JSON, Voice, outcome
from tests.unit.consent.words import deny, permit

pytestmark = pytest.mark.anyio

BROKEN: Final = {
    "nothing": b"",
    "no JSON": b"<Observation/>",
    "half of it": b'{"resourceType":"Observation"',
    "a list": b"[]",
    "a string": b'"Observation"',
    "a number": b"1",
    "null": b"null",
    "two values": b"{} {}",
    "a trailing comma": b'{"resourceType":"Observation",}',
    "a comment": b'{"resourceType":"Observation"/*x*/}',
    "single quotes": b"{'resourceType':'Observation'}",
    "NaN": b'{"resourceType":"Observation","valueInteger":NaN}',
    "Infinity": b'{"resourceType":"Observation","valueInteger":-Infinity}',
    "a huge exponent": b'{"resourceType":"Observation","valueInteger":1e99999999999}',
    "a leading zero": b'{"resourceType":"Observation","valueInteger":01}',
    "an element twice": b'{"resourceType":"Observation","status":"final","status":"amended"}',
    "an element twice deep inside": b'{"resourceType":"Observation","code":{"text":"a","text":"b"}}',
    "an element twice by an escape": b'{"resourceType":"Observation","status":"final","st\\u0061tus":"x"}',
    "a byte order mark": b'\xef\xbb\xbf{"resourceType":"Observation"}',
    "UTF-16": '{"resourceType":"Observation"}'.encode("utf-16"),
    "bytes that are not UTF-8": b'{"resourceType":"Observation","status":"\xff"}',
    "half a surrogate pair": b'{"resourceType":"Observation","status":"\\ud800"}',
    "a control character": b'{"resourceType":"Observation","status":"a\x00b"}',
    "an escaped NUL": b'{"resourceType":"Observation","status":"a\\u0000b"}',
    "deep objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "deep arrays": b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "deep and never closed": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_body_that_is_no_json_object_is_answered_400(hanako: Voice, name: str) -> None:
    for method, path in (("POST", "Observation"), ("PUT", "Observation/x")):
        outcome(await hanako.call(method, path, content=BROKEN[name]), 400)
    assert await hanako.found("Observation") == []


async def test_a_body_of_the_largest_size_is_read_and_a_longer_one_is_not(hanako: Voice) -> None:
    tree = orjson.dumps(made.pressure(hanako.reference))
    fits = tree + b" " * (BODY_LIMIT_BYTES - len(tree))
    assert (await hanako.call("POST", "Observation", content=fits)).status_code == 201
    for method, path in (("POST", "Observation"), ("PUT", "Observation/x"), ("POST", "Observation/_search")):
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if "_search" in path else {}
        outcome(await hanako.call(method, path, content=fits + b" ", headers=headers), 413, "too-long")


async def test_a_body_of_unknown_length_is_read_no_further_than_the_limit(hanako: Voice) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 16 * BODY_LIMIT_BYTES:
            sent += 65_536
            yield b" " * 65_536

    token = await hanako.town.token(hanako.reference, hanako.purpose)
    answer = await hanako.town.http.post(
        "/fhir/Observation",
        content=endless(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": FHIR_JSON},
    )
    outcome(answer, 413, "too-long")
    assert sent < 2 * BODY_LIMIT_BYTES


@pytest.mark.parametrize(
    "media_type",
    [
        "application/fhir+xml",
        "text/xml",
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "application/jose",
    ],
)
async def test_a_body_of_another_media_type_is_answered_415(hanako: Voice, media_type: str) -> None:
    body = orjson.dumps(made.pressure(hanako.reference))
    for method, path in (("POST", "Observation"), ("PUT", "Observation/x")):
        answer = await hanako.call(method, path, content=body, headers={"Content-Type": media_type})
        outcome(answer, 415, "not-supported")


@pytest.mark.parametrize("charset", ["shift_jis", "ISO-8859-1", '"utf-16"'])
async def test_a_body_that_is_said_not_to_be_utf_8_is_answered_415(hanako: Voice, charset: str) -> None:
    headers = {"Content-Type": f"application/fhir+json; charset={charset}"}
    body = orjson.dumps(made.pressure(hanako.reference))
    answer = await hanako.call("POST", "Observation", content=body, headers=headers)
    (issue,) = outcome(answer, 415, "not-supported")["issue"]
    assert "`application/fhir+json; charset=utf-8`" in issue["diagnostics"]


@pytest.mark.parametrize(("charset", "status"), [("shift_jis", 415), ("UTF-8", 200)])
async def test_a_form_is_in_utf_8(hanako: Voice, charset: str, status: int) -> None:
    headers = {"Content-Type": f"application/x-www-form-urlencoded; charset={charset}"}
    answer = await hanako.call("POST", "Observation/_search", content=b"_count=1", headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("version", ["3.0", "5.0", '"1.0"'])
async def test_a_body_of_another_version_of_fhir_is_answered_415(hanako: Voice, version: str) -> None:
    body = orjson.dumps(made.pressure(hanako.reference))
    headers = {"Content-Type": f"application/fhir+json; fhirVersion={version}"}
    for method, path in (("POST", "Observation"), ("PUT", "Observation/x"), ("PATCH", "Observation/x")):
        answer = await hanako.call(method, path, content=body, headers=headers)
        (issue,) = outcome(answer, 415, "not-supported")["issue"]
        assert "`application/fhir+json; fhirVersion=4.0`" in issue["diagnostics"]


@pytest.mark.parametrize(
    "media_type",
    ["application/fhir+json", "application/json", "Application/FHIR+JSON; charset=UTF-8; fhirVersion=4.0"],
)
async def test_fhir_and_plain_json_are_read(hanako: Voice, media_type: str) -> None:
    body = orjson.dumps(made.pressure(hanako.reference))
    answer = await hanako.call("POST", "Observation", content=body, headers={"Content-Type": media_type})
    assert answer.status_code == 201


async def test_a_compressed_body_is_answered_415(hanako: Voice) -> None:
    for encoding in ("gzip", "br", "deflate, gzip"):
        answer = await hanako.call(
            "POST", "Observation", content=b"\x1f\x8b", headers={"Content-Encoding": encoding}
        )
        outcome(answer, 415, "not-supported")


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+xml",
        "text/html",
        "application/xml;q=0.9, text/*",
        "application/fhir+json;q=0, */*",
        "*/*;q=0",
        "application/fhir+json; fhirVersion=3.0",
    ],
)
async def test_a_caller_who_reads_no_json_is_answered_406(hanako: Voice, accept: str) -> None:
    reference = await hanako.create(made.pressure(hanako.reference))
    for path in (reference, "Observation", f"{reference}/_history", "metadata"):
        outcome(await hanako.get(path, Accept=accept), 406, "not-supported")
    outcome(await hanako.post(made.pressure(hanako.reference), Accept=accept), 406, "not-supported")
    assert await hanako.found("Observation") == [reference]


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/fhir+json",
        "application/*",
        "text/html, application/json;q=0.1",
        "application/fhir+json; fhirVersion=4.0",
    ],
)
async def test_whoever_takes_json_is_answered_in_fhir_json(hanako: Voice, accept: str) -> None:
    answer = await hanako.get("Observation", Accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(FHIR_JSON)


async def test_the_format_parameter_goes_before_the_accept_header(hanako: Voice) -> None:
    assert (await hanako.get("Observation?_format=json", Accept="text/html")).status_code == 200
    for value in ("xml", "ttl", "application/fhir%2Bxml"):
        outcome(await hanako.get(f"Observation?_format={value}"), 406, "not-supported")


async def test_of_several_formats_each_is_json(hanako: Voice) -> None:
    assert (await hanako.get("Observation?_format=json&_format=application/json")).status_code == 200
    for one, other in (("json", "xml"), ("xml", "json")):
        answer = await hanako.get(f"Observation?_format={one}&_format={other}")
        outcome(answer, 406, "not-supported")


async def test_all_problems_of_a_resource_are_told_at_once_with_their_places(hanako: Voice) -> None:
    tree = {
        **made.pressure(hanako.reference),
        "status": "perhaps",
        "effectiveDateTime": "yesterday",
        "unheardOf": 1,
        "code": {},
    }
    told = outcome(await hanako.post(tree), 422)
    places = {place for issue in told["issue"] for place in issue["expression"]}
    assert {
        "Observation.status",
        "Observation.effectiveDateTime",
        "Observation.unheardOf",
        "Observation.code",
    } <= places
    assert "yesterday" not in str(told)


@pytest.mark.parametrize(
    "change",
    [
        {"status": None},
        {"subject": "Patient/1"},
        {"subject": []},
        {"subject": {"reference": "Patient/a b"}},
        {"subject": {"reference": "../Patient/1"}},
        {"effectiveDateTime": "2026-13-01"},
        {"effectiveDateTime": 2026},
        {"valueQuantity": {"value": "72"}},
        {"valueQuantity": {"value": 1, "comparator": "~"}},
        {"valueInteger": 1.5},
        {"valueInteger": 99999999999},
        {"valueBoolean": "true"},
        {"valueString": ""},
        {"valueString": "x", "valueInteger": 1},
        {"component": []},
        {"component": {}},
        {"component": [None]},
        {"extension": [{"url": "x"}]},
        {"modifierExtension": [{"valueString": "x"}]},
        {"contained": [{"resourceType": "Observation"}]},
        {"contained": [{"resourceType": "Nonsense", "id": "x"}]},
        {"text": {"status": "generated", "div": "<script>alert(1)</script>"}},
        {"meta": {"security": "R"}},
        {"resourceType": "Condition"},
        {"id": 5},
        {"__proto__": {}},
        {"": 1},
    ],
    ids=str,
)
async def test_a_resource_that_breaks_the_specification_is_not_kept(
    hanako: Voice, change: dict[str, object]
) -> None:
    outcome(await hanako.post({**made.pressure(hanako.reference), **change}), 422)
    assert await hanako.found("Observation") == []


async def test_a_body_is_judged_before_it_is_told_whether_anything_permits_it(
    hanako: Voice, cast: Cast
) -> None:
    broken = {**made.pressure(hanako.reference), "status": "perhaps"}
    outcome(await cast.a.post(broken), 422)
    outcome(await cast.a.put("Observation/unknown", broken), 422)


@pytest.mark.parametrize(
    "elements",
    [
        {"provision": {**permit("Practitioner/x"), "actor": []}},
        {
            "scope": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}
                ]
            }
        },
        {"verification": [{"verified": False}]},
        {"modifierExtension": [{"url": "http://example.test/x", "valueBoolean": True}]},
        {"provision": permit()},
        {"provision": permit("Practitioner/x", purposes=[])},
        {"provision": permit("Practitioner/x", actions=["disclose"])},
        {"provision": permit("Practitioner/x", purposes=["TREATMENT"])},
        {"provision": permit("Practitioner/x", types=["Nonsense"])},
        {"provision": permit("Practitioner/x", data=[("related", "Observation/1")])},
        {"provision": permit("Practitioner/x", but=[permit("Practitioner/x")])},
        {
            "provision": permit(
                "Practitioner/x", labels=["R", ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "HIV")]
            )
        },
        {"provision": {**permit("Practitioner/x"), "extension": [{"url": "http://example.test/x"}]}},
        {"provision": deny(but=[{"type": "permit"}])},
        {"provision": {name: value for name, value in permit("Practitioner/x").items() if name != "type"}},
    ],
    ids=lambda elements: next(iter(elements)),
)
async def test_a_consent_that_cannot_be_enforced_is_refused_whole(
    hanako: Voice, elements: dict[str, object]
) -> None:
    for status in ("active", "proposed"):
        tree = {**hanako.consent(permit("Practitioner/x"), status=status), **elements}
        outcome(await hanako.post(tree), 422)
    assert await hanako.found("Consent") == []


async def test_a_consent_cannot_become_unenforceable_by_an_update(hanako: Voice, cast: Cast) -> None:
    (reference,) = await hanako.grant(permit(cast.hospital))
    observation = await hanako.create(made.pressure(hanako.reference))
    tree = hanako.consent(permit(cast.hospital, actions=["disclose"]))
    outcome(await hanako.put(reference, tree), 422)
    assert (await hanako.get(reference)).headers["etag"] == 'W/"1"'
    assert await cast.a.sees(observation)


async def test_a_caller_that_hangs_up_is_no_fault_of_the_service(
    hanako: Voice, caplog: pytest.LogCaptureFixture
) -> None:
    token = await hanako.town.token(hanako.reference, hanako.purpose)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/fhir+json"}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "server": ("passport.test", 80),
        "client": ("127.0.0.1", 1),
        "path": "/fhir/Observation",
        "raw_path": b"/fhir/Observation",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    came: list[Message] = [
        {"type": "http.request", "body": b'{"resourceType"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Message] = []

    async def receive() -> Message:
        return came.pop(0)

    async def send(message: Message) -> None:
        answered.append(message)

    with caplog.at_level("ERROR"):
        await hanako.town.app(scope, receive, send)
    assert (answered[0]["status"], caplog.text) == (400, "")
