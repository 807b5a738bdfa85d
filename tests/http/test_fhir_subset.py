"""Parts of records over HTTP: `_summary` and `_elements` on one record and its versions.

http://hl7.org/fhir/R4/search.html#summary
"""

import pytest

from fhirstore.subset import SUBSETTED
from tests import resources as made
from tests.cast import Cast
from tests.town import BASE_URL, Voice, link, outcome
from tests.unit.consent.words import permit

pytestmark = pytest.mark.anyio


def address(reference: str, versioned: bool) -> str:
    return f"{reference}/_history/1" if versioned else reference


@pytest.mark.parametrize("versioned", [False, True])
async def test_a_part_of_a_record_is_read(hanako: Voice, versioned: bool) -> None:
    note = [{"text": "架空のメモ"}]
    reference = await hanako.create(made.weight(hanako.reference, note=note))
    whole = await hanako.get(address(reference, versioned))
    answer = await hanako.get(address(reference, versioned), ("_elements", "note"))
    tree = answer.json()
    assert set(tree) == {"resourceType", "id", "meta", "status", "code", "note"}
    assert tree["meta"] == {**whole.json()["meta"], "tag": [SUBSETTED]}
    assert answer.headers["etag"] == whole.headers["etag"]
    summary = (await hanako.get(address(reference, versioned), ("_summary", "true"))).json()
    assert set(summary) == set(whole.json()) - {"note"}


async def test_the_whole_is_read_where_no_part_is_asked_for(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    whole = (await hanako.get(reference)).content
    for params in ((), (("_summary", "false"),), (("_format", "json"), ("_pretty", "false"))):
        assert (await hanako.get(reference, *params)).content == whole


@pytest.mark.parametrize(
    "params",
    [
        (("_summary", "count"),),
        (("_summary", ""),),
        (("_elements", ""),),
        (("_elements", "name"),),
        (("_elements", "code"), ("_summary", "true")),
        (("_summary", "true"), ("_summary", "true")),
        (("_include", "*"),),
        (("code", "29463-7"),),
    ],
)
async def test_a_part_that_cannot_be_given_is_refused_whether_the_record_is_there_or_not(
    hanako: Voice, cast: Cast, params: tuple[tuple[str, str], ...]
) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    for target in (reference, "Observation/unknown"):
        outcome(await hanako.get(target, *params), 400, "invalid")
        outcome(await cast.a.get(target, *params), 400, "invalid")


async def test_a_part_of_a_denied_record_is_answered_like_the_whole(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, codes=[made.BLOOD_PRESSURE]))
    reference = await hanako.create(made.weight(hanako.reference))
    for params in ((("_summary", "true"),), (("_elements", "code"),)):
        outcome(await cast.a.get(reference, *params), 404)


async def test_a_part_of_an_audit_event_is_read(hanako: Voice) -> None:
    await hanako.found("Observation")
    event = (await hanako.search("AuditEvent", ("_count", "1")))["entry"][0]["resource"]
    tree = await hanako.read(f"AuditEvent/{event['id']}?_elements=recorded")
    assert set(tree) == {"resourceType", "id", "meta", "type", "recorded", "agent", "source"}


async def test_parts_of_versions_are_listed(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    await hanako.replace(reference, made.weight(hanako.reference, 61.0))
    await hanako.remove(reference)
    for path in (f"{reference}/_history", "Observation/_history", "_history"):
        entries = (await hanako.get(path, ("_elements", "subject"), ("_count", "3"))).json()["entry"]
        shown = [entry["resource"] for entry in entries if "resource" in entry]
        assert len(entries) - len(shown) == 1
        for tree in shown:
            assert set(tree) == {"resourceType", "id", "meta", "status", "code", "subject"}
            assert tree["meta"]["tag"] == [SUBSETTED]
    outcome(await hanako.get(f"{reference}/_history", ("_elements", "name")), 400, "invalid")
    outcome(await hanako.get("_history", ("_summary", "count")), 400, "invalid")


async def test_parts_of_matches_are_listed_and_the_links_keep_asking_for_them(hanako: Voice) -> None:
    for _ in range(2):
        await hanako.create(made.weight(hanako.reference, note=[{"text": "架空のメモ"}]))
    bundle = await hanako.search("Observation", ("_summary", "true"), ("_count", "1"))
    further = (await hanako.get((link(bundle, "next") or "").removeprefix(BASE_URL))).json()
    for page in (bundle, further):
        (entry,) = page["entry"]
        assert "note" not in entry["resource"]
        assert entry["resource"]["meta"]["tag"] == [SUBSETTED]


async def test_a_part_of_a_record_does_not_replace_the_whole(hanako: Voice) -> None:
    record = await hanako.create(made.weight(hanako.reference))
    for params in (("_summary", "true"), ("_elements", "status")):
        part = (await hanako.get(record, params)).json()
        for answer in (await hanako.put(record, part), await hanako.post(part)):
            told = outcome(answer, 422)
            assert told["issue"][-1]["expression"] == ["Observation.meta.tag"]
            assert told["issue"][-1]["code"] == "incomplete"
    whole = await hanako.read(record)
    assert whole["meta"]["versionId"] == "1"
    tagged = {**whole, "meta": {"tag": [{"system": "http://city.example/tags", "code": "SUBSETTED"}]}}
    assert (await hanako.put(record, tagged)).status_code == 200
