"""A PUT to what was deleted: whoever may name new records writes it again, for everybody else it is not there.

http://hl7.org/fhir/R4/http.html#upsert
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import orjson
import pytest
from httpx import Response

from tests import resources as made
from tests.cast import Cast
from tests.http.bundles import asked, done, statuses
from tests.town import BASE_URL, Town, Voice, answered, outcome
from tests.unit.consent.words import Json, consent_json, deny, permit

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def laboratory(town: Town) -> AsyncIterator[Voice]:
    """Whom a policy lets write every Observation, under ids of its own."""
    reference = await town.operator.create(made.organization("架空検査室"))
    root = permit(reference, types=["Observation"], actions=["access", "collect", "correct"])
    policy = await town.policy(consent_json(root, None))
    yield town.as_(reference)
    await town.operator.remove(policy)


async def deleted(voice: Voice, patient: str) -> str:
    reference = await voice.create(made.weight(patient))
    await voice.remove(reference)
    return reference


async def history(voice: Voice, reference: str) -> list[Json]:
    entries: list[Json] = (await voice.get(f"{reference}/_history")).json()["entry"]
    return entries


async def test_what_was_deleted_is_written_again_as_its_next_version(
    hanako: Voice, laboratory: Voice
) -> None:
    reference = await deleted(laboratory, hanako.reference)
    answer = await laboratory.put(reference, made.weight(hanako.reference, 61.0))
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"3"')
    assert answer.headers["location"] == f"{BASE_URL}/fhir/{reference}/_history/3"
    for voice in (laboratory, hanako):
        assert (await voice.read(reference))["valueQuantity"]["value"] == 61.0
        assert reference in await voice.found("Observation", ("patient", hanako.reference))
    assert (await laboratory.put(reference, made.weight(hanako.reference, 60.0))).status_code == 200


async def test_its_history_tells_of_the_deletion_and_then_of_a_creation(
    hanako: Voice, laboratory: Voice
) -> None:
    reference = await deleted(laboratory, hanako.reference)
    for kilograms in (61.0, 60.0):
        await laboratory.put(reference, made.weight(hanako.reference, kilograms))
    expected = [
        ("PUT", reference, "200", 'W/"4"'),
        ("PUT", reference, "201", 'W/"3"'),
        ("DELETE", reference, "204", 'W/"2"'),
        ("POST", "Observation", "201", 'W/"1"'),
    ]
    for path in (
        f"{reference}/_history",
        f"{reference}/_history?_count=1",
        "Observation/_history",
        "_history",
    ):
        told: list[tuple[str, str, str, str]] = []
        further: str | None = path
        while further is not None and len(told) < len(expected):
            page = (await hanako.get(further)).json()
            told += [
                (
                    entry["request"]["method"],
                    entry["request"]["url"],
                    entry["response"]["status"],
                    entry["response"]["etag"],
                )
                for entry in page["entry"]
                if entry["fullUrl"].endswith(reference)
            ]
            links = {one["relation"]: one["url"] for one in page["link"]}
            further = links.get("next", "").removeprefix(BASE_URL) or None
        assert told == expected, path
    outcome(await hanako.get(f"{reference}/_history/2"), 410, "deleted")
    assert (await hanako.get(f"{reference}/_history/1")).status_code == 200


async def test_it_is_written_for_the_version_that_deleted_it_or_for_none(
    hanako: Voice, laboratory: Voice
) -> None:
    tree = made.weight(hanako.reference)

    async def put(reference: str, **headers: str) -> Response:
        content = orjson.dumps({**tree, "id": reference.partition("/")[2]})
        return await laboratory.call("PUT", reference, content=content, headers=headers)

    for wrong in ('W/"1"', 'W/"3"', "*"):
        outcome(
            await put(await deleted(laboratory, hanako.reference), **{"If-Match": wrong}), 412, "conflict"
        )
    for header in ({"If-Match": 'W/"2"'}, {"If-None-Match": "*"}, {}):
        answer = await put(await deleted(laboratory, hanako.reference), **header)
        assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"3"'), header


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_an_entry_writes_it_again_too(hanako: Voice, laboratory: Voice, kind: str) -> None:
    reference = await deleted(laboratory, hanako.reference)
    tree = {**made.weight(hanako.reference), "id": reference.partition("/")[2]}
    entries = await done(laboratory, kind, asked("PUT", reference, tree))
    assert statuses(entries) == [201]
    assert entries[0]["response"]["etag"] == 'W/"3"'


async def test_of_two_who_write_it_again_at_once_one_creates_and_one_updates(
    hanako: Voice, laboratory: Voice
) -> None:
    reference = await deleted(laboratory, hanako.reference)
    answers = await asyncio.gather(
        *(laboratory.put(reference, made.weight(hanako.reference, 60.0 + at)) for at in range(2))
    )
    assert sorted((one.status_code, one.headers["etag"]) for one in answers) == [
        (200, 'W/"4"'),
        (201, 'W/"3"'),
    ]


async def test_who_may_not_name_new_records_writes_none_again(
    hanako: Voice, taro: Voice, cast: Cast, laboratory: Voice
) -> None:
    await hanako.grant(permit(cast.hospital), permit(cast.hospital, actions=["collect", "correct"]))
    own = await deleted(hanako, hanako.reference)
    seen = await deleted(cast.a, hanako.reference)
    outcome(await cast.a.get(seen), 410, "deleted")
    for voice, reference, patient in (
        (hanako, own, hanako.reference),
        (cast.a, seen, hanako.reference),
        (taro, own, taro.reference),
    ):
        tree = made.weight(patient)
        unknown = await voice.put("Observation/unknown", tree)
        outcome(unknown, 405, "not-supported")
        assert answered(await voice.put(reference, tree)) == answered(unknown)
    assert len(await history(hanako, own)) == 2


async def test_what_a_patient_denies_to_the_writer_stays_out_of_reach(
    hanako: Voice, laboratory: Voice
) -> None:
    reference = await deleted(laboratory, hanako.reference)
    await hanako.grant(deny(laboratory.reference))
    outcome(await laboratory.put(reference, made.weight(hanako.reference)), 405, "not-supported")
    outcome(await hanako.get(reference), 410, "deleted")


async def test_it_stays_with_its_patient(hanako: Voice, taro: Voice, laboratory: Voice) -> None:
    reference = await deleted(laboratory, hanako.reference)
    outcome(await laboratory.put(reference, made.weight(taro.reference)), 422)
    outcome(await hanako.get(reference), 410, "deleted")


async def test_its_deletion_asked_for_again_writes_nothing_and_nobody_patches_it(
    hanako: Voice, laboratory: Voice
) -> None:
    reference = await deleted(laboratory, hanako.reference)
    assert (await laboratory.delete(reference)).headers["etag"] == 'W/"2"'
    patch = orjson.dumps([{"op": "replace", "path": "/status", "value": "amended"}])
    headers = {"Content-Type": "application/json-patch+json"}
    outcome(await laboratory.call("PATCH", reference, content=patch, headers=headers), 410, "deleted")


async def test_an_operator_writes_the_directory_and_a_registration_again(town: Town) -> None:
    person = {"resourceType": "Patient", "name": [{"text": "見本 六葉（架空）"}]}
    place, registration = [
        await town.operator.create(tree) for tree in (made.organization("再建病院"), person)
    ]
    for reference, tree in ((place, made.organization("再建病院")), (registration, person)):
        await town.operator.remove(reference)
        answer = await town.operator.put(reference, tree)
        assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"3"')
    resident = town.as_(registration)
    assert (await resident.read(registration))["meta"]["versionId"] == "3"
    assert (await resident.post(made.weight(registration))).status_code == 201


async def test_a_deletion_out_of_sight_shows_in_no_history(
    hanako: Voice, laboratory: Voice, cast: Cast
) -> None:
    """The version after it is told as any other: that there was a deletion is what the caller may not see."""
    await hanako.grant(permit(cast.hospital, codes=[made.BODY_WEIGHT]))
    told = []
    for before in ("deletion", "update"):
        reference = await laboratory.create(made.weight(hanako.reference))
        await laboratory.replace(reference, made.pressure(hanako.reference))
        if before == "deletion":
            await laboratory.remove(reference)
        else:
            await laboratory.replace(reference, made.pressure(hanako.reference))
        await laboratory.put(reference, made.weight(hanako.reference))
        told.append([entry["response"]["status"] for entry in await history(cast.a, reference)])
    assert told == [["200", "201"]] * 2


async def test_first_versions_under_one_id_at_the_same_time_all_become_versions(
    hanako: Voice, laboratory: Voice
) -> None:
    reference = f"Observation/{uuid4()}"
    bodies = [made.weight(hanako.reference, 60.0 + at) for at in range(4)]
    answers = await asyncio.gather(*(laboratory.put(reference, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len(await history(laboratory, reference)) == 4
