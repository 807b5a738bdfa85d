"""What one request may ask for at most, and how it is told what is past that.

http://hl7.org/fhir/R4/http.html#Status-Codes
"""

from typing import Any

import orjson
import pytest
from httpx import Response

from fhirstore.parse import DEFAULT_LIMITS
from fhirstore.patch.json_patch import MOST_OPERATIONS
from fhirstore.patch.path import MOST_CHARACTERS
from fhirstore.search.linked import MAX_TARGETS
from fhirstore.search.result import MAX_COUNT, MAX_SORT_KEYS
from fhirstore.types import TYPES
from passport.disclosure import lastn, summary
from passport.disclosure.including import MOST_ROUNDS
from passport.routes.operation_input import MOST_PARAMETERS
from passport.routes.transactions import BUNDLE_DEPTH, BUNDLE_LIMIT_BYTES
from passport.transactions.entries import MOST_ENTRIES
from tests import resources as made
from tests.http.bundles import asked, send
from tests.town import Voice, link, outcome

pytestmark = pytest.mark.anyio

JSON_PATCH = "application/json-patch+json"


def diagnostics(answer: Response, status: int, code: str | None = None) -> str:
    return str(outcome(answer, status, code)["issue"][0]["diagnostics"])


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_a_bundle_has_so_many_entries_at_most(hanako: Voice, kind: str) -> None:
    answer = await send(hanako, kind, *[asked("GET", "metadata")] * (MOST_ENTRIES + 1))
    assert f"at most {MOST_ENTRIES}" in diagnostics(answer, 413, "too-costly")


async def test_a_bundle_is_so_long_at_most(hanako: Voice) -> None:
    headers = {"Content-Length": str(BUNDLE_LIMIT_BYTES + 1)}
    answer = await hanako.call("POST", "/fhir", content=b"{}", headers=headers)
    assert f"at most {BUNDLE_LIMIT_BYTES} bytes" in diagnostics(answer, 413, "too-long")


def nested(levels: int) -> bytes:
    return b'{"resourceType":"Observation","extension":' + b"[" * levels + b"]" * levels + b"}"


async def test_a_resource_is_nested_so_deep_at_most_and_may_be_as_deep_in_a_bundle(hanako: Voice) -> None:
    deepest = DEFAULT_LIMITS.depth - 1
    for levels, status in ((deepest, 422), (deepest + 1, 400)):
        answer = await hanako.call("POST", "Observation", content=nested(levels))
        assert ("nesting" in diagnostics(answer, status)) is (status == 400)
    for levels, status in ((deepest, 422), (deepest + 2, 400)):
        entry = b'{"resource":%b,"request":{"method":"POST","url":"Observation"}}' % nested(levels)
        content = b'{"resourceType":"Bundle","type":"transaction","entry":[%b]}' % entry
        answer = await hanako.call("POST", "/fhir", content=content)
        assert ("nesting" in diagnostics(answer, status)) is (status == 400), levels
    assert BUNDLE_DEPTH - DEFAULT_LIMITS.depth == 4


async def test_an_order_has_so_many_keys_and_a_page_so_many_records_at_most(hanako: Voice) -> None:
    keys = ["date", "_id", "_lastUpdated", "status", "category"]
    assert (await hanako.get("Observation", ("_sort", ",".join(keys[:MAX_SORT_KEYS])))).status_code == 200
    answer = await hanako.get("Observation", ("_sort", ",".join(keys[: MAX_SORT_KEYS + 1])))
    assert f"at most {MAX_SORT_KEYS}" in diagnostics(answer, 400)
    page = (await hanako.get("Observation", ("_count", str(MAX_COUNT + 1)))).json()
    assert (link(page, "self") or "").endswith(f"_count={MAX_COUNT}")


async def test_a_link_that_leads_to_too_many_types_has_to_name_one(hanako: Voice) -> None:
    answer = await hanako.get("Provenance", ("target._id", "x"))
    assert "expected `target:Type`" in diagnostics(answer, 400)
    assert (await hanako.get("Provenance", ("target:Observation._id", "x"))).status_code == 200
    assert len(TYPES) > MAX_TARGETS


async def test_rounds_past_the_last_are_told_of(hanako: Voice) -> None:
    linked = [await hanako.create(made.weight(hanako.reference))]
    for _ in range(MOST_ROUNDS + 1):
        link_back = [made.reference(linked[-1])]
        linked.append(await hanako.create(made.weight(hanako.reference, derivedFrom=link_back)))
    for steps in (MOST_ROUNDS - 1, MOST_ROUNDS, MOST_ROUNDS + 1):
        start = ("_id", linked[steps].partition("/")[2])
        page = await hanako.search("Observation", start, ("_include:iterate", "Observation:derived-from"))
        modes = [entry["search"]["mode"] for entry in page["entry"]]
        assert modes.count("include") == min(steps, MOST_ROUNDS)
        assert ("outcome" in modes) is (steps > MOST_ROUNDS)


async def test_an_operation_takes_so_many_parameters_at_most(hanako: Voice) -> None:
    pairs = [("_type", "Observation")] * (MOST_PARAMETERS + 1)
    answer = await hanako.get(f"{hanako.reference}/$everything", *pairs)
    assert f"at most {MOST_PARAMETERS}" in diagnostics(answer, 400)


def fhirpath(path: str) -> Any:
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": path},
        {"name": "value", "valueCode": "amended"},
    ]
    return {"name": "operation", "part": parts}


async def test_a_patch_has_so_many_operations_and_a_path_so_many_characters_at_most(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    one = {"op": "replace", "path": "/status", "value": "amended"}
    listed = orjson.dumps([one] * (MOST_OPERATIONS + 1))
    answers = [
        await hanako.call("PATCH", reference, content=listed, headers={"Content-Type": JSON_PATCH}),
        *[
            await hanako.call(
                "PATCH",
                reference,
                content=orjson.dumps({"resourceType": "Parameters", "parameter": parameters}),
            )
            for parameters in (
                [fhirpath("Observation.status")] * (MOST_OPERATIONS + 1),
                [fhirpath("Observation." + "a" * MOST_CHARACTERS)],
            )
        ],
    ]
    for answer in answers:
        assert "expected at most 1000" in diagnostics(answer, 400)


async def test_what_has_no_pages_is_shown_whole_or_not_at_all(
    hanako: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for time in ("2026-10-01", "2026-10-02"):
        await hanako.create(made.weight(hanako.reference, time=time))
        await hanako.create(made.allergy(hanako.reference))
    monkeypatch.setattr(lastn, "MOST_SHOWN", 1)
    monkeypatch.setattr(summary, "MOST_RECORDS", 1)
    for path in (f"Observation/$lastn?patient={hanako.reference}&max=2", f"{hanako.reference}/$summary"):
        outcome(await hanako.get(path), 400, "too-costly")
