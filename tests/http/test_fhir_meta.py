"""`$meta`: what it tells of a record, and to whom.

http://hl7.org/fhir/R4/resource-operation-meta.html
"""

import pytest

from tests import resources as made
from tests.cast import Cast
from tests.town import Town, Voice, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio

UNKNOWN = "Observation/00000000-0000-4000-8000-000000000000"


async def meta_of(voice: Voice, reference: str) -> Json:
    answer = await voice.get(f"{reference}/$meta")
    assert answer.status_code == 200, answer.text
    tree: Json = answer.json()
    assert tree["resourceType"] == "Parameters"
    (parameter,) = tree["parameter"]
    assert parameter["name"] == "return"
    found: Json = parameter["valueMeta"]
    return found


async def test_the_metadata_of_the_current_version_is_told(hanako: Voice) -> None:
    profile = ["http://example.test/StructureDefinition/weight"]
    tag = [{"system": "http://example.test/tags", "code": "home"}]
    meta = {**made.labelled("N"), "profile": profile, "tag": tag}
    reference = await hanako.create(made.weight(hanako.reference))
    assert set(await meta_of(hanako, reference)) == {"versionId", "lastUpdated", "security"}
    await hanako.replace(reference, made.weight(hanako.reference, meta=meta))
    found = await meta_of(hanako, reference)
    assert found == (await hanako.read(reference))["meta"]
    assert (found["versionId"], found["profile"], found["tag"]) == ("2", profile, tag)
    assert found["security"] == meta["security"]


async def test_it_is_the_version_that_reading_tells(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    told, read = await hanako.get(f"{reference}/$meta"), await hanako.get(reference)
    for header in ("etag", "last-modified", "cache-control"):
        assert told.headers[header] == read.headers[header]


async def test_a_denied_record_an_unknown_and_a_deleted_one_are_answered_as_when_read(
    hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    shown = await hanako.create(made.weight(hanako.reference))
    hidden = await hanako.create(made.pressure(hanako.reference))
    assert (await meta_of(cast.a, shown))["versionId"] == "1"
    for target in (hidden, UNKNOWN):
        read, told = await cast.a.get(target), await cast.a.get(f"{target}/$meta")
        assert (told.status_code, told.content) == (read.status_code, read.content) == (404, read.content)
    await hanako.remove(shown)
    outcome(await cast.a.get(f"{shown}/$meta"), 410, "deleted")


async def test_it_is_refused_with_parameters_or_without_a_scope_or_a_token(hanako: Voice, town: Town) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    outcome(await hanako.get(f"{reference}/$meta", ("meta", "x")), 400, "invalid")
    outcome(await town.as_(hanako.reference, scope="patient/Condition.rs").get(f"{reference}/$meta"), 403)
    outcome(await town.stranger.get(f"{reference}/$meta"), 401)
    outcome(await hanako.get(f"Nonsense/{reference.partition('/')[2]}/$meta"), 404)


async def test_the_metadata_of_an_audit_event_is_told(hanako: Voice) -> None:
    await hanako.found("Observation")
    event = (await hanako.search("AuditEvent", ("_count", "1")))["entry"][0]["resource"]
    assert await meta_of(hanako, f"AuditEvent/{event['id']}") == event["meta"]


async def test_it_is_asked_for_by_post_as_any_operation(hanako: Voice) -> None:
    reference = await hanako.create(made.weight(hanako.reference))
    for path in (f"{reference}/$meta", "Observation/$meta", "$meta"):
        told = await hanako.get(path)
        for body in (None, b'{"resourceType":"Parameters"}'):
            posted = await hanako.call("POST", path, content=body)
            assert (posted.status_code, posted.content) == (200, told.content)
        named = b'{"resourceType":"Parameters","parameter":[{"name":"meta","valueString":"x"}]}'
        outcome(await hanako.call("POST", path, content=named), 400, "invalid")


async def test_what_is_in_use_is_told_of_a_type_and_of_all(hanako: Voice, cast: Cast) -> None:
    tags = [{"system": "http://example.test/tags", "code": code} for code in ("one", "two", "three")]
    profile = "http://example.test/StructureDefinition/weight"
    for meta in ({"tag": tags[:2]}, {"tag": tags[:1], "profile": [profile]}):
        await hanako.create(made.weight(hanako.reference, meta=meta))
    await hanako.create(made.condition(hanako.reference, meta={**made.labelled("N"), "tag": tags[2:]}))
    of_type = (await hanako.get("Observation/$meta")).json()["parameter"][0]["valueMeta"]
    assert of_type == {"profile": [profile], "tag": tags[:2], **made.labelled("N")}
    of_all = (await hanako.get("$meta")).json()["parameter"][0]["valueMeta"]
    assert (of_all["tag"], of_all["security"]) == (
        [tags[0], tags[2], tags[1]],
        made.labelled("N")["security"],
    )
    await hanako.grant(permit(cast.clinic, types=["Condition"]))
    for path, expected in (("Condition/$meta", tags[2:]), ("Observation/$meta", None), ("$meta", tags[2:])):
        told = (await cast.a_at_k.get(path)).json()["parameter"][0]["valueMeta"]
        assert told.get("tag") == expected


async def test_whoever_was_looked_into_is_told_once_and_of_no_single_record(
    hanako: Voice, cast: Cast
) -> None:
    for _ in range(2):
        await hanako.create(made.condition(hanako.reference))
    (consent,) = await hanako.grant(permit(cast.clinic, types=["Condition"]))
    before = [entry["fullUrl"] for entry in (await hanako.search("AuditEvent"))["entry"]]
    for path in ("Condition/$meta", "$meta"):
        assert (await cast.a_at_k.get(path)).status_code == 200
    listed = (await hanako.search("AuditEvent"))["entry"]
    events = [entry["resource"] for entry in listed if entry["fullUrl"] not in before]
    ours = [event for event in events if "meta" in str(event.get("subtype"))]
    assert len(ours) == 2
    named = [entity["what"]["reference"] for event in ours for entity in event["entity"] if "what" in entity]
    assert [name for name in named if "/_history/" in name] == [f"{consent}/_history/1"] * 2
    assert all(hanako.reference in str(event["entity"]) for event in ours)


async def test_the_log_tells_only_of_single_events(hanako: Voice, town: Town) -> None:
    outcome(await hanako.get("AuditEvent/$meta"), 400, "not-supported")
    outcome(await town.as_(hanako.reference, scope="patient/Condition.rs").get("Observation/$meta"), 403)
    outcome(await hanako.get("Nonsense/$meta"), 404)
