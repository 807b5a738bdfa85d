"""Batches: each entry stands for itself, is answered as it would be alone, and costs little together.

http://hl7.org/fhir/R4/http.html#brules
"""

from base64 import b64encode
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.attacks.work import work_of
from tests.cast import Cast
from tests.http.bundles import asked, created, done, reference, send, statuses
from tests.resources import BODY_WEIGHT, pressure, weight
from tests.town import BASE_URL, Town, Voice, outcome
from tests.unit.consent.words import Json, permit

pytestmark = pytest.mark.anyio


async def said(voice: Voice, entry: Json) -> str:
    """What is told of an entry that is refused."""
    (refused,) = await done(voice, "batch", entry)
    text: str = refused["response"]["outcome"]["issue"][0]["diagnostics"]
    return text


async def test_each_entry_is_answered_by_itself(hanako: Voice) -> None:
    known = await hanako.create(weight(hanako.reference))
    patch = b64encode(orjson.dumps([{"op": "replace", "path": "/status", "value": "amended"}])).decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch}
    entries = await done(
        hanako,
        "batch",
        asked("GET", known),
        asked("GET", "Observation/unknown"),
        asked("GET", f"Observation?patient={hanako.reference}"),
        created(pressure(hanako.reference)),
        created({**weight(hanako.reference), "status": "perhaps"}),
        asked("PATCH", known, binary),
        asked("PUT", "Observation/unknown", {**weight(hanako.reference), "id": "unknown"}),
        asked("DELETE", "Observation/unknown"),
        asked("SPAM", "Observation"),
        {"request": {}},
        asked("GET", f"{known}/_history/1"),
    )
    assert statuses(entries) == [200, 404, 200, 201, 422, 200, 405, 404, 400, 400, 200]
    assert entries[0]["resource"]["status"] == "amended"
    assert entries[10]["resource"]["status"] == "final"
    assert "got no address" in (await said(hanako, {"request": {"method": "GET"}}))
    assert "not below the base" in (await said(hanako, asked("GET", "/Observation")))
    for at in (1, 4, 6, 7, 8, 9):
        assert entries[at]["response"]["outcome"]["resourceType"] == "OperationOutcome"
        assert "resource" not in entries[at]
    assert len(entries[2]["resource"]["entry"]) == 2


async def test_an_entry_tells_the_time_of_a_version_as_the_record_does(hanako: Voice) -> None:
    known = await hanako.create(weight(hanako.reference))
    unchanged = asked("GET", known)
    unchanged["request"]["ifNoneMatch"] = 'W/"1"'
    entries = await done(hanako, "batch", asked("GET", known), unchanged, asked("HEAD", known))
    when = entries[0]["resource"]["meta"]["lastUpdated"]
    assert statuses(entries) == [200, 304, 200]
    assert [entry["response"]["lastModified"] for entry in entries] == [when] * 3
    (made,) = await done(hanako, "batch", created(pressure(hanako.reference)))
    assert made["response"]["lastModified"] == (await hanako.read(reference(made)))["meta"]["lastUpdated"]


async def test_creations_that_may_be_written_are_whatever_else_fails(
    hanako: Voice, taro: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT], actions=["collect"]))
    broken = {**weight(hanako.reference), "status": "perhaps"}
    entries = await done(
        cast.a,
        "batch",
        created(weight(hanako.reference)),
        created(pressure(hanako.reference)),
        created(weight(taro.reference)),
        created(broken),
        created(weight("Patient/unknown")),
        created(weight(hanako.reference)),
    )
    assert statuses(entries) == [201, 403, 403, 422, 403, 201]
    assert entries[2]["response"] == entries[4]["response"]


async def test_an_entry_is_answered_as_it_would_be_alone(hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT], actions=["collect"]))
    for tree in (pressure(hanako.reference), {**weight(hanako.reference), "status": "perhaps"}):
        alone = await cast.a.post(tree)
        entries = await done(cast.a, "batch", created(weight(hanako.reference)), created(tree))
        assert statuses(entries) == [201, alone.status_code]
        assert entries[1]["response"]["outcome"] == alone.json()


async def test_refusals_in_a_batch_are_on_the_record_each(hanako: Voice, cast: Cast, town: Town) -> None:
    await hanako.grant(permit(cast.hospital, codes=[BODY_WEIGHT], actions=["collect"]))
    before = town.rows("SELECT count(*) FROM audit_event")[0][0]
    await done(
        cast.a,
        "batch",
        created(weight(hanako.reference)),
        created(weight(hanako.reference)),
        created(pressure(hanako.reference)),
    )
    told = town.rows(
        "SELECT action, outcome FROM audit_event ORDER BY recorded DESC, action LIMIT %s",
        town.rows("SELECT count(*) FROM audit_event")[0][0] - before,
    )
    assert ("create", "refused") in told
    assert ("batch", "success") in told


async def test_a_batch_leads_out_of_the_base_nowhere(hanako: Voice) -> None:
    for url in (
        "/auth/sign-out",
        "../auth/sign-out",
        "",
        "http://elsewhere.test/fhir/Observation",
        "//x",
        "a b",
    ):
        assert statuses(await done(hanako, "batch", asked("GET", url)))[0] in (400, 404)
    inside = {"resourceType": "Bundle", "type": "batch", "entry": []}
    assert statuses(await done(hanako, "batch", asked("POST", "", inside))) == [400]


async def test_a_batch_of_creations_costs_the_same_statements_however_many(
    hanako: Voice, cast: Cast, tmp_path: Path
) -> None:
    await hanako.grant(permit(cast.hospital, actions=["collect"]))
    costs = []
    for count in (2, 50):
        tree = {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [created(weight(hanako.reference))] * count,
        }

        async def ask(content: bytes = orjson.dumps(tree)) -> Any:
            return await cast.a.call("POST", "/fhir", content=content)

        for _ in range(3):
            await ask()
        work = await work_of(hanako.town, ask, tmp_path / "trace")
        assert statuses(work.answer.json()["entry"]) == [201] * count
        costs.append(work.statements)
    assert costs[0] == costs[1]


async def test_a_batch_without_a_token_is_refused_whole(town: Town) -> None:
    outcome(await send(town.stranger, "batch", asked("GET", "metadata")), 401, "login")


async def test_entries_of_a_batch_refer_to_no_other_entry(hanako: Voice) -> None:
    name = "urn:uuid:00000000-0000-4000-8000-000000000001"
    named = {**created(weight(hanako.reference)), "fullUrl": name}
    leaning = weight(hanako.reference, derivedFrom=[{"reference": name}])
    entries = await done(hanako, "batch", named, created(leaning), created(weight(hanako.reference)))
    assert statuses(entries) == [201, 400, 201]
    (issue,) = entries[1]["response"]["outcome"]["issue"]
    assert issue["expression"] == ["Bundle.entry[1].resource"]
    elsewhere = weight(hanako.reference, derivedFrom=[{"reference": f"{name[:-1]}2"}])
    assert statuses(await done(hanako, "batch", named, created(elsewhere))) == [201, 201]


async def test_conditions_hold_in_a_batch(hanako: Voice) -> None:
    tree = weight(hanako.reference)
    where = f"patient={hanako.reference}&code=29463-7"
    first = await done(hanako, "batch", created(tree, ifNoneExist=where), created(tree, ifNoneExist=where))
    assert statuses(first) == [201, 200]
    known = reference(first[0])
    read = asked("GET", known, ifNoneMatch='W/"1"')
    stale = asked("DELETE", known, ifMatch='W/"9"')
    assert statuses(await done(hanako, "batch", read, stale)) == [304, 412]


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_each_entry_tells_the_whole_address_of_the_version_that_is_there_now(
    hanako: Voice, kind: str
) -> None:
    where = f"patient={hanako.reference}&code=29463-7"
    alone = await done(hanako, kind, created(weight(hanako.reference)))
    known = reference(alone[0])
    update = {**weight(hanako.reference, 61.0), "id": known.partition("/")[2]}
    entries = [
        *alone,
        *await done(hanako, kind, asked("PUT", known, update)),
        *await done(hanako, kind, created(weight(hanako.reference), ifNoneExist=where)),
        *await done(hanako, kind, *[created(pressure(hanako.reference))] * 2),
    ]
    assert statuses(entries) == [201, 200, 200, 201, 201]
    assert {reference(entry) for entry in entries[:3]} == {known}
    for entry, version in zip(entries, (1, 2, 2, 1, 1), strict=True):
        address = f"{BASE_URL}/fhir/{reference(entry)}/_history/{version}"
        assert entry["response"]["location"] == address
        assert entry["response"]["etag"] == f'W/"{version}"'
        assert (await hanako.call("GET", address.removeprefix(BASE_URL))).status_code == 200
