"""Input made to hurt: each is refused with an OperationOutcome, soon, and the service goes on serving.

http://hl7.org/fhir/R4/security.html#validation

Requests go over a real socket as bytes, since no client would send most of them.
"""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from passport.database import STATEMENT_TIMEOUT_MS, Pool
from tests import resources as made
from tests.databases import Database
from tests.loopback import Served, loopback
from tests.unit.consent.words import Json

BOUND_SECONDS = 10
"""Refusals take milliseconds; the bound leaves room for a machine that does other things as well."""

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the body if it is JSON."""

    status: int
    body: Json


@dataclass(frozen=True)
class Victim:
    """The service under attack, and the resident whose token the attacker holds."""

    served: Served
    patient: str
    token: str

    def send(self, request_line: bytes, body: bytes = b"", *headers: bytes) -> Answer:
        """Send bytes, read the whole answer, and prove that the service still serves."""
        address = urlsplit(self.served.base_url)
        began = time.monotonic()
        with socket.create_connection((address.hostname, address.port), timeout=BOUND_SECONDS) as connection:
            head = [
                request_line + b" HTTP/1.1",
                b"Host: passport.test",
                b"Connection: close",
                b"Authorization: Bearer " + self.token.encode(),
                *headers,
            ]
            if body:
                head.append(b"Content-Length: %d" % len(body))
            answer = _exchanged(connection, b"\r\n".join(head) + b"\r\n\r\n" + body)
        assert time.monotonic() - began < BOUND_SECONDS
        self.assert_serving()
        return answer

    def post(self, body: bytes, path: str = "Observation", *headers: bytes) -> Answer:
        kind = b"Content-Type: application/fhir+json"
        return self.send(b"POST /fhir/" + path.encode(), body, *(headers or (kind,)))

    def search(self, query: bytes) -> Answer:
        return self.send(b"GET /fhir/Observation?" + query)

    def search_by_post(self, form: bytes) -> Answer:
        return self.post(form, "Observation/_search", b"Content-Type: application/x-www-form-urlencoded")

    def assert_serving(self) -> None:
        with self.served.caller(self.patient, "PATRQT") as client:
            assert client.get(f"/fhir/{self.patient}").status_code == 200


def _exchanged(connection: socket.socket, request: bytes) -> Answer:
    # It may have refused already; what it said is still to be read.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(request)
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), head[:200]
    return Answer(int(head.split()[1]), json.loads(body) if b"json" in head.lower() else {})


def refused(answer: Answer, *statuses: int) -> list[Json]:
    """The issues of a refusal."""
    assert answer.status in (statuses or (400,)), answer
    assert answer.body["resourceType"] == "OperationOutcome"
    issues: list[Json] = answer.body["issue"]
    assert all(issue["diagnostics"] for issue in issues)
    return issues


def not_failed(answer: Answer) -> None:
    """Found, or refused for a reason; never a fault."""
    assert answer.status < 500, answer
    assert answer.body, answer
    if answer.status >= 400:
        refused(answer, answer.status)


@pytest.fixture(scope="module")
def victim(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with loopback(module_database, tmp_path_factory.mktemp("installation")) as served:
        person = {"resourceType": "Patient", "name": [{"text": "見本 花子"}]}
        patient = served.create("operator", "HOPERAT", person)
        yield Victim(served, patient, served.token(patient, "PATRQT"))


def weight(victim: Victim, **elements: Any) -> bytes:
    return json.dumps(made.weight(victim.patient, **elements)).encode()


# Depth and size


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"extension":[{"a":[', b"[" * 63 + b"{"])
def test_deep_nesting_is_refused_before_it_is_read(victim: Victim, opening: bytes) -> None:
    (issue,) = refused(victim.post(opening * (400_000 // len(opening))))
    assert issue["code"] == "too-costly"


def test_nesting_that_the_limit_allows_is_judged_by_its_content(victim: Victim) -> None:
    extension: Json = {"url": "http://x.example/e", "valueBoolean": True}
    for _ in range(24):
        extension = {"url": "http://x.example/e", "extension": [extension]}
    assert victim.post(weight(victim, extension=[extension])).status == 201


def test_body_beyond_the_limit_is_refused_when_it_is_announced(victim: Victim) -> None:
    (issue,) = refused(victim.post(b" " * (2 * MEGABYTE)), 413)
    assert issue["code"] == "too-long"


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_who_sends_all_of_a_body_beyond_the_limit_first_hears_the_refusal(
    victim: Victim, connection: str
) -> None:
    served, headers = urlsplit(victim.served.base_url), {"Connection": connection}
    headers |= {"Authorization": f"Bearer {victim.token}", "Content-Type": "application/fhir+json"}
    client = HTTPConnection(served.netloc, timeout=BOUND_SECONDS)
    with closing(client):
        client.request("POST", "/fhir/Observation", b" " * (40 * MEGABYTE), headers)
        answer = client.getresponse()
        (issue,) = refused(Answer(answer.status, json.load(answer)), 413)
    assert issue["code"] == "too-long"


def test_body_that_never_ends_is_refused_when_it_gets_too_long(victim: Victim) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    kind = b"Content-Type: application/fhir+json"
    request = b"POST /fhir/Observation"
    answer = victim.send(request, b"", kind, b"Transfer-Encoding: chunked", b"X: x\r\n\r\n" + chunk * 40)
    refused(answer, 413)


def test_array_of_a_hundred_thousand_elements_is_refused_soon(victim: Victim) -> None:
    tree = made.weight(victim.patient)
    tree["category"] = [{}] * 100_000
    issues = refused(victim.post(json.dumps(tree).encode()), 422)
    assert len(issues) <= 100


def test_narrative_that_opens_elements_without_end_is_refused(victim: Victim) -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml">' + "<b>" * 200_000
    (issue,) = refused(victim.post(weight(victim, text={"status": "generated", "div": div})), 422)
    assert issue["expression"] == ["Observation.text.div"]


def test_narrative_with_entities_that_multiply_is_refused(victim: Victim) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(10))
    div = f'<!DOCTYPE div [{entities}]><div xmlns="http://www.w3.org/1999/xhtml">&e9;</div>'
    (issue,) = refused(victim.post(weight(victim, text={"status": "generated", "div": div})), 422)
    assert issue["expression"] == ["Observation.text.div"]


def test_small_body_that_unpacks_to_a_gigabyte_is_not_unpacked(victim: Victim) -> None:
    bomb = gzip.compress(b" " * (100 * MEGABYTE))
    kind = b"Content-Type: application/fhir+json"
    refused(victim.post(bomb, "Observation", kind, b"Content-Encoding: gzip"), 415)


# Names, characters, numbers


def test_element_that_stands_twice_is_refused_with_its_place(victim: Victim) -> None:
    body = weight(victim).replace(b'"status":', b'"status":"preliminary","status":', 1)
    (issue,) = refused(victim.post(body))
    assert issue["expression"] == ["Observation.status"]


@pytest.mark.parametrize(
    "text", [b"\\u0000", b"\\ud800", b"\\udc00x", b"\\ud800\\ud800", b"\\u001f", b"\x00", b"\x1f"]
)
def test_character_that_fhir_excludes_is_refused_with_its_place(victim: Victim, text: bytes) -> None:
    refused(victim.post(b'{"resourceType":"Observation","note":[{"text":"a' + text + b'"}]}'))


@pytest.mark.parametrize("body", [b"\xff", b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\x80"}', b'{"a":"\xe3\x81"}'])
def test_body_that_is_not_utf_8_is_refused(victim: Victim, body: bytes) -> None:
    refused(victim.post(body))


@pytest.mark.parametrize(
    "number",
    ["1e400", "-1e-400", "1" * 100_000, "0." + "1" * 100_000, "1e" + "9" * 100_000, "NaN", "Infinity"],
)
def test_number_beyond_what_a_receiver_can_hold_is_refused(victim: Victim, number: str) -> None:
    (issue,) = refused(victim.post(weight(victim).replace(b"62.5", number.encode())))
    assert "number" in issue["diagnostics"]


@pytest.mark.parametrize("value", ["e\u0301", "\u212b", "\u306f\u3099"])
def test_identifier_of_another_normal_form_is_refused(victim: Victim, value: str) -> None:
    (issue,) = refused(victim.post(_identified(victim, value)), 422)
    assert issue["expression"] == ["Observation.identifier[0].value"]


def _identified(victim: Victim, value: str) -> bytes:
    identifier = {"system": "http://x.example/own", "value": f"{value}-1"}
    return json.dumps(made.weight(victim.patient, identifier=[identifier]), ensure_ascii=False).encode()


@pytest.mark.parametrize("value", ["\u00e9", "ﾊﾟ", "\u3070"])
def test_identifier_is_kept_as_written_and_found(victim: Victim, value: str) -> None:
    body = _identified(victim, value)
    (identifier,) = json.loads(body)["identifier"]
    stored = victim.post(body)
    assert stored.status == 201
    assert stored.body["identifier"] == [identifier]
    found = victim.search(f"identifier={quote('http://x.example/own|' + identifier['value'])}".encode())
    assert found.status == 200
    assert stored.body["id"] in {entry["resource"]["id"] for entry in found.body["entry"]}


# Patterns that take long to fail


@pytest.mark.parametrize(
    "elements",
    [
        {"note": [{"text": "x", "authorReference": {"reference": "http://" + "Aa/" * 250_000 + " "}}]},
        {"basedOn": [{"reference": "#" + "a" * 700_000}]},
        {"instantiatesCanonical": "http://" + "a" * 700_000 + " "},
        {"effectiveDateTime": "2" * 700_000},
        {"language": "a-" * 350_000 + "!"},
        {"method": {"coding": [{"code": "a " * 350_000 + " "}]}},
        {"meta": {"source": "urn:" + "a:" * 350_000 + " "}},
    ],
    ids=["url", "fragment", "canonical", "date", "language", "code", "uri"],
)
def test_value_made_for_patterns_to_run_away_is_refused_soon(victim: Victim, elements: Json) -> None:
    refused(victim.post(weight(victim, **elements)), 422)


@pytest.mark.parametrize("data", ["AAAA" + " " * 700_000 + "!", "A " * 350_000 + "!", "A" * 700_001])
def test_base64_made_for_patterns_to_run_away_is_refused_soon(victim: Victim, data: str) -> None:
    signature = {"resourceType": "Binary", "contentType": "text/plain", "data": data}
    refused(victim.post(json.dumps(signature).encode(), "Binary"), 422)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":"' + b'\\"' * 350_000,
        b'{"a":' * 60 + b"1," * 300_000,
        b'{"' + b'""' * 350_000,
        b'{"' + b"\\" * 700_000,
    ],
    ids=["no end of a string", "numbers", "quotes", "backslashes"],
)
def test_text_made_for_the_second_look_to_run_away_is_refused_soon(victim: Victim, body: bytes) -> None:
    refused(victim.post(body))


# Addresses and headers


@pytest.mark.parametrize(
    "path",
    [
        b"/fhir/Observation/%",
        b"/fhir/Observation/%zz",
        b"/fhir/Observation/%2",
        b"/fhir/Observation/%00",
        b"/fhir/Observation/a%00b",
        b"/fhir/Observation/%ff",
        b"/fhir/Observation/%ED%A0%80",
        b"/fhir/Observation/%C0%AF",
        b"/fhir/Observation/..%2f..%2fetc%2fpasswd",
        b"/fhir/Observation/%2e%2e",
        b"/fhir/Observation/%252e",
        b"/fhir/%4f%62servation/x",
        b"/fhir/Observation/x/_history/%31%32%33%34%35%36%37%38%39%30%31",
        b"/fhir/Observation/$" + b"$" * 1000,
        b"/fhir//Observation//x",
        b"/fhir/Observation/x;jsessionid=1",
    ],
)
def test_odd_address_leads_nowhere(victim: Victim, path: bytes) -> None:
    refused(victim.send(b"GET " + path), 400, 404, 405)


@pytest.mark.parametrize(
    "query",
    [
        b"code=%",
        b"code=%zz",
        b"code=%00",
        b"code=%ff%fe",
        b"code=%ED%A0%80",
        b"%00=x",
        b"%ff=x",
        b"=x",
        b"&&&&",
        b"code",
        b"code=a%00b|c",
        b"date=ge%00",
        b"_id=%00",
        b"subject=Patient/%00",
        b"_sort=%00",
        b"_cursor=%00",
        b"_count=99999999999999999999999999",
        b"_count=-1",
        b"_lastUpdated=9999999999",
        b"date=0000",
        b"date=9999-12-31T23:59:59.999999999-14:00",
        b"value-quantity=1e999999999",
        b"value-quantity=" + b"9" * 5000,
        b"code=" + b"\\" * 5000,
        b"code=" + b"|" * 5000,
        b"_format=" + b"x" * 5000,
    ],
)
def test_odd_query_is_answered_or_refused(victim: Victim, query: bytes) -> None:
    not_failed(victim.search(query))


@pytest.mark.parametrize(
    "name", ["code", "_id", "date", "subject", "identifier", "status", "_sort", "_elements"]
)
def test_list_of_a_hundred_thousand_alternatives_is_answered_or_refused_soon(
    victim: Victim, name: str
) -> None:
    not_failed(victim.search_by_post(f"{name}=".encode() + b"a," * 100_000))


def test_hundred_thousand_parameters_are_answered_or_refused_soon(victim: Victim) -> None:
    not_failed(victim.search_by_post(b"code=a&" * 100_000))


@pytest.mark.parametrize("length", [40_000, MEGABYTE, 20 * MEGABYTE])
def test_endless_address_is_refused(victim: Victim, length: int) -> None:
    refused(victim.send(b"GET /fhir/Observation/" + b"a" * length), 414)
    refused(victim.search(b"code=" + b"a" * length), 414)


@pytest.mark.parametrize("length", [70_000, MEGABYTE, 20 * MEGABYTE])
def test_endless_header_is_refused(victim: Victim, length: int) -> None:
    refused(victim.send(b"GET /fhir/Observation", b"", b"X-Long: " + b"a" * length), 431)


def test_ten_thousand_headers_are_refused(victim: Victim) -> None:
    refused(
        victim.send(b"GET /fhir/Observation", b"", *[b"X-%d: x" % number for number in range(10_000)]), 431
    )


@pytest.mark.parametrize(
    "line", [b"GET", b"\x00\x01\x02", b"GET /\xe8\xa6\x8b", b"GET / /", b"PROPFIND!! /", b"\x16\x03\x01\x02"]
)
def test_what_is_no_http_is_refused(victim: Victim, line: bytes) -> None:
    refused(victim.send(line))


@pytest.mark.parametrize("token", [b"a" * 30_000, b"\xff\xfe", b"\x01", b"", b"x y z"])
def test_odd_token_is_no_token(victim: Victim, token: bytes) -> None:
    address = urlsplit(victim.served.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=BOUND_SECONDS) as connection:
        head = b"GET /fhir/Observation HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
        connection.sendall(head + token + b"\r\n\r\n")
        answer = connection.recv(65536)
    assert answer.split()[1] in (b"400", b"401")
    victim.assert_serving()


# Statements that do not end


@contextmanager
def _locked(database: Database) -> Iterator[None]:
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute("LOCK TABLE resource IN ACCESS EXCLUSIVE MODE")
        yield


async def _impatient(pools: Iterable[Pool], limit: str) -> None:
    for pool in pools:
        held = [await pool.getconn() for _ in range(pool.max_size)]
        for connection in held:
            await connection.execute(f"SET statement_timeout = '{limit}'")
            await pool.putconn(connection)


@contextmanager
def _bounded(served: Served, limit: str) -> Iterator[None]:
    """Every connection of the service bounds its statements by `limit` instead of by ten seconds."""
    runtime, loop = served.app.state.runtime, served.server.loop
    assert loop is not None
    pools = [pool for pool in (runtime.pool, runtime.reading) if pool is not None]

    def set_to(bound: str) -> None:
        asyncio.run_coroutine_threadsafe(_impatient(pools, bound), loop).result(timeout=30)

    set_to(limit)
    try:
        yield
    finally:
        set_to(f"{STATEMENT_TIMEOUT_MS}ms")


def test_connection_of_the_service_bounds_its_statements(victim: Victim) -> None:
    async def shown(pool: Pool) -> str:
        async with pool.connection() as connection:
            (row,) = await (await connection.execute("SHOW statement_timeout")).fetchall()
            return str(row[0])

    runtime, loop = victim.served.app.state.runtime, victim.served.server.loop
    assert loop is not None
    for pool in (runtime.pool, runtime.reading):
        if pool is not None:
            assert asyncio.run_coroutine_threadsafe(shown(pool), loop).result(timeout=30) == "10s"


def test_statement_that_runs_too_long_is_stopped_and_told(victim: Victim, module_database: Database) -> None:
    address = urlsplit(victim.served.base_url)
    with (
        _bounded(victim.served, "300ms"),
        _locked(module_database),
        socket.create_connection((address.hostname, address.port), timeout=30) as connection,
    ):
        head = f"GET /fhir/{victim.patient} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        sent = f"{head}Authorization: Bearer {victim.token}\r\n\r\n".encode()
        answer = _exchanged(connection, sent)
    (issue,) = refused(answer, 503)
    assert issue["code"] == "timeout"
    victim.assert_serving()
