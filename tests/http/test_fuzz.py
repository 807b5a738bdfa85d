"""Hostile requests at random: whatever is sent, the service does not fail, and says why it refuses.

https://schemathesis.readthedocs.io/
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
import pytest
import schemathesis
from hypothesis import assume, given
from hypothesis import strategies as st

from fhirstore.parameters import parameters_of
from fhirstore.parse import serialise
from fhirstore.types import TYPES
from tests import resources as made
from tests.databases import Database
from tests.examples import examples
from tests.loopback import Served, loopback
from tests.properties.grown import damaged, grown
from tests.unit.consent.words import Json, consent_json, deny, permit
from tests.unit.fhirstore.examples import valid_resources

VALID: Final = valid_resources()
FEW: Final = examples(60)

P: Final = "Patient/{}"
TREES: Final[tuple[Json, ...]] = (
    made.pressure(P),
    made.weight(P, contained=[{"resourceType": "Medication", "id": "m"}], basedOn=[made.reference("#m")]),
    made.prescription(P, made.CANDESARTAN, dosageInstruction=[{"timing": {"event": ["2026-10-01"]}}]),
    made.statement(P, effectivePeriod={"start": "2026-10-01", "end": "2026-10-02"}),
    made.allergy(P),
    made.encounter(P),
    made.group(P),
    made.care_team(P, "PractitionerRole/x"),
    made.bundle(made.pressure(P)),
    made.provenance("Observation/x", agent="Practitioner/x"),
    consent_json(permit("Practitioner/x", period={"end": "2027-01-01"}, but=[deny(types=["Condition"])]), P),
    consent_json(deny(but=[permit("Group/x", codes=[made.BODY_WEIGHT])]), P, status="proposed"),
)

_NEVER: Final = "00000000-0000-4000-8000-000000000000"
_SCAN: Final = {"contentType": "application/pdf", "data": "JVBERi0x"}
_GRANT: Final = {
    "recipient": "Organization/x",
    "purpose": "TREAT",
    "categories": ["medicines"],
    "codes": ["http://loinc.org|85354-9"],
    "data_period": {"start": "2026-01-01"},
    "until": "2099-12-31",
    "preset": "ongoing",
}
BESIDE_FHIR: Final[tuple[tuple[str, str, Json], ...]] = (
    ("clerk", "/desk/matters", {"kind": "consent", "patient": P, "scan": _SCAN, "grant": _GRANT}),
    (
        "clerk",
        "/desk/matters",
        {"kind": "consent", "patient": P, "scan": _SCAN, "provision": permit("Group/x")},
    ),
    (
        "clerk",
        "/desk/matters",
        {"kind": "withdrawal", "patient": P, "scan": _SCAN, "consents": ["Consent/x"]},
    ),
    ("clerk", "/desk/matters", {"kind": "guardian", "patient": P, "name": "x", "relationship": "parent"}),
    ("clerk", "/desk/matters", {"kind": "sign-in", "patient": P, "login": "mihon"}),
    (
        "patient",
        "/family/proxies",
        {"name": "x", "relationship": "child", "categories": ["Consent"], "decides": True},
    ),
    ("patient", "/emergencies/bars", {"categories": ["medicines"]}),
    ("auditor", f"/emergencies/reviews/{_NEVER}", {"verdict": "justified", "comment": "seen"}),
    (
        "operator",
        "/auth/sign-in-codes",
        {"login": "abc", "subject": "clerk", "purposes": ["HOPERAT"], "person": P},
    ),
)
"""What is sent beside FHIR, and who sends it."""

HOSTILE_TEXTS: Final = st.sampled_from(
    [
        "", " ", "\0", "\u202e", "\ud7ff", "\uffff", "𠮷", "é", "e\u0301", "%", "%00", "'", '"', "\\", "';--", "$1",
        "../..", "{}", "[]", "null", "0001-01-01", "9999-12-31T23:59:59.999999999+14:00", "0000", "-1",
        "1e400", "a" * 300, "Patient/" + "x" * 65, "#", "#x", "urn:uuid:x", "http://[::1", "|", "a|b|c", ",", "\\,",
    ]
)  # fmt: skip
HOSTILE_VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | HOSTILE_TEXTS
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@dataclass(frozen=True)
class Callers:
    """Signed-in callers of the served passport; `patient` is the resident's reference."""

    served: Served
    patient: str
    clients: dict[str, httpx.Client]
    known: tuple[str, ...]


@pytest.fixture(scope="module")
def callers(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callers]:
    with loopback(module_database, tmp_path_factory.mktemp("installation")) as served:
        operator = ("operator", "HOPERAT")
        hospital = served.create(*operator, made.organization("ひな形病院"))
        role = served.create(
            *operator, made.role(served.create(*operator, made.practitioner("架空 一郎")), hospital)
        )
        patient = served.create(*operator, {"resourceType": "Patient", "name": [{"text": "見本 花子"}]})
        everything = permit(hospital, actions=["access", "collect", "correct"])
        served.create(patient, "PATRQT", consent_json(everything, patient))
        known = (served.create(patient, "PATRQT", made.weight(patient)), patient, hospital)
        clients = {
            "patient": served.caller(patient, "PATRQT"),
            "physician": served.caller(role, "TREAT"),
            "operator": served.caller(*operator),
            "auditor": served.caller("auditor", "HOPERAT"),
            "clerk": served.caller("clerk/ichikawa", "HOPERAT"),
            "nobody": httpx.Client(base_url=served.base_url, timeout=30),
        }
        yield Callers(served, patient, clients, known)
        for client in clients.values():
            client.close()


def check(answer: httpx.Response) -> None:
    """A refusal is the caller's fault, and an OperationOutcome."""
    assert answer.status_code < 500, (answer.request.method, answer.request.url, answer.request.content)
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith("application/fhir+json"), answer.text
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert all(issue["diagnostics"] and issue["code"] for issue in outcome["issue"])
    elif answer.content:
        assert isinstance(answer.json(), dict)


def send(
    client: httpx.Client,
    method: str,
    path: str,
    headers: dict[str, str | bytes] | None = None,
    content: bytes = b"",
) -> httpx.Response:
    raw = [(name.encode(), _raw(value)) for name, value in (headers or {}).items()]
    return client.send(client.build_request(method, f"/fhir/{path}", headers=raw, content=content or None))


def _raw(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


who = st.sampled_from(["patient", "physician", "operator", "auditor", "nobody"])
types = st.sampled_from(sorted(TYPES))
segments = st.one_of(
    types,
    HOSTILE_TEXTS,
    st.text(max_size=70),
    st.sampled_from(
        ["_history", "_search", "metadata", "$validate", "$everything", "$lastn", "$meta", "$nothing"]
    ),
)
header_values = st.one_of(
    st.sampled_from(
        ['W/"1"', "*", "application/json", "application/fhir+json", "text/html", "gzip", "Bearer x", ""]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=30),
)


@FEW
@given(
    who,
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
    st.lists(segments, max_size=5),
)
def test_no_address_makes_the_service_fail(callers: Callers, who: str, method: str, parts: list[str]) -> None:
    path = "/".join(quote(part.encode("utf-8", "replace"), safe="") for part in parts)
    answer = send(callers.clients[who], method, path)
    assert answer.status_code < 500
    if method not in ("HEAD", "OPTIONS") and not 300 <= answer.status_code < 400:
        check(answer)


@FEW
@given(st.data(), who, types)
def test_no_parameter_makes_a_search_fail(
    callers: Callers, data: st.DataObject, who: str, type_name: str
) -> None:
    names = [
        *parameters_of(type_name),
        "_sort",
        "_count",
        "_total",
        "_summary",
        "_cursor",
        "_format",
        "_history",
    ]
    name = st.sampled_from(names) | st.text(max_size=12)
    known = st.sampled_from(
        [
            "85354-9",
            "http://loinc.org|29463-7",
            "2026",
            "gt2026-10-01",
            "-date",
            "_id",
            "1",
            "final",
            *callers.known,
        ]
    )
    value = st.lists(known | HOSTILE_TEXTS | st.text(max_size=30), min_size=1, max_size=3).map(",".join)
    pairs = data.draw(st.lists(st.tuples(name, value), max_size=5))
    query = urlencode(pairs, errors="replace")
    client = callers.clients[who]
    check(send(client, "GET", f"{type_name}?{query}"))
    form: dict[str, str | bytes] = {"Content-Type": "application/x-www-form-urlencoded"}
    check(send(client, "POST", f"{type_name}/_search", form, query.encode()))


@FEW
@given(st.data(), who, st.sampled_from(["POST", "PUT"]))
def test_no_change_of_a_resource_makes_a_write_fail(
    callers: Callers, data: st.DataObject, who: str, method: str
) -> None:
    tree = _placed(deepcopy(data.draw(st.sampled_from(TREES))), callers.patient)
    for _ in range(data.draw(st.integers(1, 3))):
        _damage(data, tree)
    type_name = data.draw(st.sampled_from([str(tree.get("resourceType")), "Observation"]))
    assume(type_name in TYPES)
    target = f"{type_name}/{data.draw(st.sampled_from(['x', callers.known[0].partition('/')[2]]))}"
    path = type_name if method == "POST" else target
    if method == "PUT":
        tree.setdefault("id", path.partition("/")[2])
    content = json.dumps(tree).encode()
    check(send(callers.clients[who], method, path, {"Content-Type": "application/json"}, content))


@FEW
@given(
    who,
    st.sampled_from(["POST", "PUT"]),
    st.binary(max_size=400) | HOSTILE_VALUES.map(json.dumps).map(str.encode),
)
def test_no_bytes_make_a_write_fail(callers: Callers, who: str, method: str, content: bytes) -> None:
    path = "Observation" if method == "POST" else "Observation/x"
    check(send(callers.clients[who], method, path, {"Content-Type": "application/fhir+json"}, content))


@FEW
@given(st.data(), st.sampled_from(BESIDE_FHIR))
def test_no_change_of_what_is_entered_makes_a_desk_fail(
    callers: Callers, data: st.DataObject, entered: tuple[str, str, Json]
) -> None:
    who, path, tree = entered
    changed = _placed(deepcopy(tree), callers.patient)
    for _ in range(data.draw(st.integers(1, 3))):
        _damage(data, changed)
    answer = callers.clients[who].post(
        path, content=json.dumps(changed), headers={"Content-Type": "application/json"}
    )
    check(answer)


@FEW
@given(
    who,
    st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    st.dictionaries(
        st.sampled_from(
            ["If-Match", "If-None-Match", "If-None-Exist", "If-Modified-Since", "Accept", "Content-Type", "Prefer",
             "Content-Encoding", "Authorization", "X-HTTP-Method-Override", "X-Forwarded-For", "Range", "Origin"]
        ),
        header_values,
        max_size=4,
    ),
)  # fmt: skip
def test_no_header_makes_a_request_fail(
    callers: Callers, who: str, method: str, headers: dict[str, str | bytes]
) -> None:
    path = "Observation" if method == "POST" else callers.known[0] if method == "GET" else "Observation/x"
    content = json.dumps(made.weight(callers.patient)).encode() if method in ("PUT", "POST") else b""
    check(send(callers.clients[who], method, path, headers, content))


@FEW
@given(st.data(), who, st.sampled_from(sorted(TYPES)))
def test_no_resource_of_any_type_makes_a_validation_or_a_write_fail(
    callers: Callers, data: st.DataObject, who: str, type_name: str
) -> None:
    content = serialise(data.draw(damaged(data.draw(grown(VALID[type_name])))))
    kind: dict[str, str | bytes] = {"Content-Type": "application/fhir+json"}
    for path in (f"{type_name}/$validate", type_name):
        check(send(callers.clients[who], "POST", path, kind, content))


@FEW
@given(
    who,
    st.dictionaries(
        st.sampled_from(["mode", "profile", "resource", "_format", ""]), HOSTILE_TEXTS, max_size=3
    ),
    HOSTILE_VALUES,
)
def test_no_question_makes_a_validation_fail(
    callers: Callers, who: str, params: dict[str, str], value: Any
) -> None:
    query = urlencode(params, errors="replace")
    body = {"resourceType": "Parameters", "parameter": value}
    kind: dict[str, str | bytes] = {"Content-Type": "application/json"}
    client = callers.clients[who]
    check(send(client, "POST", f"Patient/$validate?{query}", kind, json.dumps(body).encode()))
    check(send(client, "GET", f"{callers.known[0]}/$validate?{query}"))


def _placed(tree: Any, patient: str) -> Any:
    if isinstance(tree, dict):
        return {name: _placed(value, patient) for name, value in tree.items()}
    if isinstance(tree, list):
        return [_placed(value, patient) for value in tree]
    return tree.replace(P, patient) if isinstance(tree, str) else tree


def _damage(data: st.DataObject, tree: Json) -> None:
    """Put something hostile somewhere into the tree."""
    node: Any = tree
    while isinstance(node, dict | list) and node:
        keys = sorted(node, key=str) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(node[key], dict | list) or not node[key] or data.draw(st.booleans()):
            node[key] = data.draw(HOSTILE_VALUES)
            return
        node = node[key]


@schemathesis.serializer("application/jose", "application/octet-stream")
def as_bytes(_: Any, value: Any) -> bytes:
    """Bodies that are no JSON, as schemathesis draws them."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def operations(callers: Callers) -> list[Any]:
    """Each operation that the service describes, as a strategy of requests."""
    schema = schemathesis.openapi.from_url(f"{callers.served.base_url}/openapi.json")
    found: list[Any] = list(schema.get_all_operations())
    return [operation.ok().as_strategy() for operation in found]


@examples(150)
@given(st.data(), st.sampled_from(["patient", "physician", "operator", "auditor", "clerk"]))
def test_nothing_that_the_description_allows_makes_the_service_fail(
    callers: Callers, operations: list[Any], data: st.DataObject, who: str
) -> None:
    case = data.draw(st.sampled_from(operations).flatmap(lambda operation: operation))
    answer = case.call(headers={"Authorization": callers.clients[who].headers["Authorization"]})
    assert answer.status_code < 500, (case.method, case.path, answer.text)
