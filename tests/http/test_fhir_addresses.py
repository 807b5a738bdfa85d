"""Addresses that say something else than they seem to.

http://hl7.org/fhir/R4/http.html
"""

import orjson
import pytest

from tests import resources as made
from tests.http.bundles import asked, created, done, send, statuses
from tests.town import BASE_URL, FHIR_JSON, Voice, outcome

pytestmark = pytest.mark.anyio

UNKNOWN_OPERATIONS = (
    "$nope",
    "Observation/$nope",
    "Patient/$everything",
    "Observation/x/$nope",
    "Patient/x/$nope",
    "Observation/%24nope",
    "Slot/$nope",
)
UNREADABLE = ("%ff", "%E3%81", "%ED%A0%80", "%C0%AF")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", UNKNOWN_OPERATIONS)
async def test_an_operation_that_there_is_none_of_is_named(hanako: Voice, method: str, path: str) -> None:
    content = None if method == "GET" else b'{"resourceType":"Parameters"}'
    (issue,) = outcome(await hanako.call(method, path, content=content), 404, "not-supported")["issue"]
    name = path.rpartition("/")[2].replace("%24", "$")
    assert issue["diagnostics"].startswith(
        f"got operation `{name}`, expected one that `/fhir/metadata` names"
    )


async def test_a_slash_at_the_end_changes_nothing(hanako: Voice) -> None:
    patient = hanako.reference
    for path in (
        patient,
        f"{patient}/_history/1",
        f"{patient}/$everything",
        "Patient",
        "Patient/$meta",
        "_history",
    ):
        plain, slashed = [await hanako.get(one) for one in (path, f"{path}/")]
        assert plain.status_code == slashed.status_code == 200, path
        assert slashed.json().get("id") == plain.json().get("id")
        assert slashed.json().get("link") == plain.json().get("link")
    for path in (f"{patient}//", "Patient//", "metadata//"):
        outcome(await hanako.get(path), 404, "not-found")
    outcome(await hanako.call("POST", "Observation/", content=b"{}"), 400)


async def test_a_reference_to_this_service_leads_to_a_person_however_it_is_spelt(
    hanako: Voice, taro: Voice
) -> None:
    for base in ("https://passport.test/fhir", "http://PASSPORT.test:80//fhir/./", f"{BASE_URL}/fhir"):
        reference = await hanako.create(made.weight(f"{base}/{hanako.reference}"))
        assert await hanako.found("Observation", ("patient", hanako.reference), ("_id", reference[12:])) == [
            reference
        ]
        theirs = f"{base}/{taro.reference}"
        outcome(await hanako.post(made.weight(theirs)), 403)
        outcome(await hanako.post(made.weight(hanako.reference, focus=[{"reference": theirs}])), 403)


async def test_what_is_no_operation_is_not_taken_for_one(hanako: Voice) -> None:
    for path in ("Observation/a$b", "Observation/$nope/x", "Observation/$nope/_history/1"):
        outcome(await hanako.get(path), 404, "not-found")
    patient = hanako.reference
    for path in (f"{patient}/$everything", f"{patient}/$meta", "$meta", "Observation/$meta"):
        assert (await hanako.get(path)).status_code == 200, path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "$meta", "GET, HEAD, POST"),
        ("PUT", "Observation/$lastn", "GET, HEAD, POST"),
        ("GET", "Observation/$validate", "POST"),
    ],
)
async def test_a_method_that_an_operation_does_not_take_is_told_which_it_takes(
    hanako: Voice, method: str, path: str, allowed: str
) -> None:
    answer = await hanako.call(method, path)
    (issue,) = outcome(answer, 405, "not-supported")["issue"]
    assert answer.headers["allow"] == allowed
    assert issue["diagnostics"].endswith(f"expected one of {allowed}")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("metadata", "GET, HEAD"),
        ("_search", "POST"),
        ("_history", "GET, HEAD"),
        ("Observation/_search", "POST"),
        ("Observation/_history", "GET, HEAD"),
        ("Observation/x/_history", "GET, HEAD"),
        ("Patient/x/_search", "POST"),
        ("Patient/x/Observation/_search", "POST"),
    ],
)
async def test_what_has_a_name_of_its_own_is_taken_for_no_type_and_no_record(
    hanako: Voice, path: str, allowed: str
) -> None:
    tree = orjson.dumps(made.weight(hanako.reference))
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - set(allowed.split(", ")):
        answer = await hanako.call(method, path, content=tree if method[0] == "P" else None)
        (issue,) = outcome(answer, 405, "not-supported")["issue"]
        assert answer.headers["allow"] == allowed, method
        assert issue["diagnostics"].endswith(f"expected one of {allowed}")


async def test_an_operation_in_a_bundle_is_named_as_one(hanako: Voice) -> None:
    parameters = {"resourceType": "Parameters"}
    entry = asked("POST", "Observation/$nope", parameters)
    (answer,) = await done(hanako, "batch", entry)
    assert statuses([answer]) == [404]
    assert "operation `$nope`" in answer["response"]["outcome"]["issue"][0]["diagnostics"]
    for path in ("Observation/$nope", "Observation/$validate", "$meta", "Observation/_search", "_search"):
        told = outcome(
            await send(hanako, "transaction", asked("POST", path, parameters)), 400, "not-supported"
        )
        named = f"`{path.rpartition('/')[2]}` in a transaction"
        assert named in told["issue"][0]["diagnostics"]


@pytest.mark.parametrize("value", UNREADABLE)
async def test_a_query_that_is_no_utf_8_is_refused(hanako: Voice, value: str) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    for method, path in (
        ("GET", f"Patient?name={value}"),
        ("HEAD", f"Patient?name={value}"),
        ("GET", f"{reference}?{value}=x"),
        ("GET", f"{hanako.reference}/$everything?_type={value}"),
        ("DELETE", f"Observation?identifier={value}"),
        ("GET", f"/audit/accesses?patient={value}"),
    ):
        answer = await hanako.call(method, path)
        assert answer.status_code == 400, path
        assert answer.headers["content-type"].startswith(FHIR_JSON)
        if method != "HEAD":
            (issue,) = outcome(answer, 400, "invalid")["issue"]
            assert "not UTF-8" in issue["diagnostics"]
    assert (await hanako.get(reference)).status_code == 200


async def test_an_entry_whose_query_is_no_utf_8_is_refused(hanako: Voice) -> None:
    entry = asked("DELETE", "Observation?identifier=%ff")
    assert statuses(await done(hanako, "batch", entry)) == [400]
    outcome(await send(hanako, "transaction", entry), 400, "invalid")


@pytest.mark.parametrize("value", UNREADABLE)
async def test_a_form_or_a_condition_that_is_no_utf_8_is_refused(hanako: Voice, value: str) -> None:
    query = f"patient={hanako.reference}&identifier={value}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("Observation/_search", f"{hanako.reference}/Observation/_search", "_search"):
        answer = await hanako.call("POST", path, content=query.encode(), headers=headers)
        assert "not UTF-8" in outcome(answer, 400, "invalid")["issue"][0]["diagnostics"]
    tree = made.weight(hanako.reference)
    outcome(await hanako.post(tree, **{"If-None-Exist": query}), 400, "invalid")
    entry = created(tree, ifNoneExist=query)
    assert statuses(await done(hanako, "batch", entry)) == [400]
    outcome(await send(hanako, "transaction", entry), 400, "invalid")
    assert await hanako.found("Observation") == []


async def test_letters_are_understood_with_and_without_escapes(hanako: Voice) -> None:
    for name in ("%E8%A6%8B%E6%9C%AC", "見本"):
        entry = asked("GET", f"Patient?name={name}")
        for kind in ("batch", "transaction"):
            (answer,) = await done(hanako, kind, entry)
            assert [one["fullUrl"].rpartition("/")[2] for one in answer["resource"]["entry"]] == [
                hanako.reference.partition("/")[2]
            ]


async def test_the_address_of_a_search_by_body_takes_no_other_method(hanako: Voice) -> None:
    for path in ("Observation/_search?_count=1", "Observation/_search"):
        answer = await hanako.get(path)
        outcome(answer, 405, "not-supported")
        assert answer.headers["allow"] == "POST"
