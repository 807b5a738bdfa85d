"""Going over what is stored with the table of today: new versions, each with its Provenance, once and for all.

http://hl7.org/fhir/R4/security-labels.html
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

import pytest

from consent.systems import ACT_CODE, ATC, CONFIDENTIALITY
from fhirstore.statements import Connection
from passport.intake.relabelling import Count, OtherTable, relabel
from passport.labelling import TABLE_VERSION
from passport.labelling.store import MARK, Progress, keep, progress
from tests import resources as made
from tests.cast import Cast, cast_of
from tests.databases import Database
from tests.labelled import labels_of, relabelled
from tests.town import Town, Voice, served
from tests.unit.consent.words import Json, coding, concept, deny, permit

pytestmark = pytest.mark.anyio

ICD: Final = "http://hl7.org/fhir/sid/icd-10"
HIV, PSY = (coding(ACT_CODE, code) for code in ("HIV", "PSY"))
OTHER: Final = "0123456789abcdef"
R, N, V = (coding(CONFIDENTIALITY, level) for level in "RNV")


@pytest.fixture
async def town(database: Database, tmp_path: Path) -> AsyncIterator[Town]:
    """A town of each test's own, of before there was a table: a run goes over all of it."""
    async with served(database, tmp_path / "installation") as running:
        running.rows("DELETE FROM installation WHERE name = %s RETURNING name", MARK)
        yield running


@pytest.fixture
async def cast(town: Town) -> Cast:
    return await cast_of(town)


async def run(town: Town, limit: int = 200, *, again: bool = False) -> Count:
    count = Count()
    async for batch in relabel(town.runtime, limit=limit, again=again):
        assert batch.looked <= limit
        count += batch
    return count


def stored(town: Town) -> list[Any]:
    """All that a run could change."""
    return [
        town.rows(f"SELECT * FROM {table} ORDER BY patient_key, record_key, version")
        for table in ("resource", "resource_version", "resource_part")
    ]


def diagnosed(voice: Voice, code: str, **elements: Any) -> Json:
    return made.condition(voice.reference, code=concept((ICD, code)), **elements)


async def older(voice: Voice, tree: Json, *security: Json) -> str:
    """A record as an earlier release, or an earlier table, left it."""
    return relabelled(voice.town, await voice.create(tree), security)


async def provenances(voice: Voice, reference: str) -> list[Json]:
    return [await voice.read(one) for one in await voice.found("Provenance", ("target", reference))]


async def test_what_lacks_labels_gets_them_as_a_new_version_with_a_provenance(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    await run(town)
    bare = await older(hanako, diagnosed(hanako, "B20"))
    low = await older(hanako, diagnosed(hanako, "F20"), N)
    plain = await older(hanako, made.pressure(hanako.reference))
    labelled = await hanako.create(diagnosed(hanako, "G10", meta=made.labelled("V")))
    await run(town, again=True)
    for reference, expected in ((bare, [R, HIV]), (low, [R, PSY]), (plain, [N])):
        assert await labels_of(hanako, reference) == expected
        tree = await hanako.read(reference)
        assert tree["meta"]["versionId"] == "2"
        (told,) = await provenances(hanako, reference)
        assert told["target"] == [{"reference": f"{reference}/_history/2"}]
        assert told["activity"]["text"] == "relabelling"
        assert told["agent"] == [{"who": {"display": "Healthcare data passport"}}]
        assert TABLE_VERSION in told["reason"][0]["text"]
        assert told["recorded"] == tree["meta"]["lastUpdated"]
        assert told["meta"]["security"] == [N]
        before = (await hanako.get(f"{reference}/_history/1")).json()
        same = [{name: value for name, value in each.items() if name != "meta"} for each in (before, tree)]
        assert same[0] == same[1]
    assert (await hanako.read(labelled))["meta"]["versionId"] == "1"
    assert await provenances(hanako, labelled) == []


async def test_a_raised_record_is_out_of_sight_of_who_may_not_see_it(
    town: Town, hanako: Voice, cast: Cast
) -> None:
    await hanako.grant(permit(cast.hospital), deny(labels=["R"]), permit(cast.hospital, types=["Provenance"]))
    hidden, shown = (
        await older(hanako, diagnosed(hanako, "B20"), N),
        await older(hanako, diagnosed(hanako, "I10")),
    )
    assert await cast.a.sees(hidden)
    assert not await cast.a.sees(shown)
    await run(town)
    assert not await cast.a.sees(hidden)
    assert await cast.a.sees(shown)
    assert [told["target"] for told in await provenances(cast.a, hidden)] == []
    assert len(await provenances(cast.a, shown)) == 1
    for path in ("/_history", "/_history/1", "/_history/2"):
        assert (await cast.a.get(hidden + path)).status_code == 404


async def test_a_second_run_finds_nothing_to_do(town: Town, hanako: Voice) -> None:
    await older(hanako, diagnosed(hanako, "B20"))
    first = await run(town)
    assert first.raised == 1
    before = stored(town)
    assert await run(town) == Count()
    again = await run(town, again=True)
    assert (again.looked, again.raised) == (first.looked + 1, 0)
    assert stored(town) == before


async def test_a_run_that_was_broken_off_goes_on_where_it_was(town: Town, hanako: Voice) -> None:
    references = [await older(hanako, diagnosed(hanako, "B20")) for _ in range(7)]
    async with aclosing(relabel(town.runtime, limit=2)) as begun:
        first, second = await anext(begun), await anext(begun)
    rest = await run(town, limit=2)
    assert (first + second + rest).raised == len(references)
    # What a run wrote itself may lie ahead of it; what it went over is not gone over again.
    (count,) = town.rows("SELECT count(*) FROM resource")[0]
    assert (first + second + rest).looked <= count
    for reference in references:
        assert (await hanako.read(reference))["meta"]["versionId"] == "2"
        assert len(await provenances(hanako, reference)) == 1


@pytest.mark.parametrize("limit", [1, 3, 200])
async def test_any_size_of_a_batch_goes_over_everything(
    town: Town, hanako: Voice, taro: Voice, limit: int
) -> None:
    voices = [hanako, taro, *[await town.resident(f"見本 {number}") for number in range(3)]]
    references = [(each, await older(each, made.weight(each.reference))) for each in voices for _ in range(2)]
    assert (await run(town, limit=limit)).raised == len(references)
    for voice, reference in references:
        assert await labels_of(voice, reference) == [N]


async def test_two_runs_at_once_share_the_work(town: Town, hanako: Voice) -> None:
    references = [await older(hanako, diagnosed(hanako, "B20")) for _ in range(6)]
    one, other = await asyncio.gather(run(town, limit=1), run(town, limit=1))
    assert (one + other).raised == len(references)
    for reference in references:
        assert (await hanako.read(reference))["meta"]["versionId"] == "2"


async def test_what_is_written_beside_a_run_stands(town: Town, hanako: Voice) -> None:
    references = [await older(hanako, diagnosed(hanako, "B20")) for _ in range(5)]

    async def write(reference: str) -> None:
        for severity in ("mild", "severe"):
            await hanako.replace(reference, diagnosed(hanako, "B20", severity={"text": severity}))

    await asyncio.gather(run(town, limit=1), *(write(reference) for reference in references))
    for reference in references:
        tree = await hanako.read(reference)
        assert tree["severity"] == {"text": "severe"}
        assert tree["meta"]["security"] == [R, HIV]
        versions = (await hanako.get(f"{reference}/_history")).json()["entry"]
        numbers = sorted(entry["response"]["etag"] for entry in versions)
        assert numbers == [f'W/"{number}"' for number in range(1, len(versions) + 1)]


async def test_a_consent_goes_on_counting_in_its_new_version(town: Town, hanako: Voice, cast: Cast) -> None:
    (consent,) = await hanako.grant(permit(cast.hospital))
    reference = await hanako.create(made.weight(hanako.reference))
    relabelled(town, consent)
    told = (await hanako.get("/notifications")).json()
    await run(town)
    assert (await hanako.get("/notifications")).json() == told
    assert await cast.a.sees(reference)
    looked = (await hanako.get("/audit/accesses")).json()[0]
    assert looked["grants"] == [f"{consent}/_history/2"]


async def test_a_deleted_record_is_raised_and_stays_deleted(town: Town, hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital), deny(labels=["R"]))
    reference = await hanako.create(diagnosed(hanako, "B20"))
    await hanako.remove(reference)
    relabelled(town, reference, [N])
    assert (await cast.a.get(reference)).status_code == 410
    await run(town)
    assert (await cast.a.get(reference)).status_code == 404
    assert (await hanako.get(reference)).status_code == 410
    assert await provenances(hanako, reference) == []


async def test_the_medication_that_a_record_refers_to_counts(town: Town, hanako: Voice) -> None:
    plain = {"resourceType": "Medication", "code": concept(("urn:local", "X1"))}
    medication = await town.operator.create(plain)
    tree = {**made.prescription(hanako.reference), "medicationReference": made.reference(medication)}
    del tree["medicationCodeableConcept"]
    reference = await hanako.create(tree)
    assert await labels_of(hanako, reference) == [N]
    await town.operator.replace(medication, {**plain, "code": concept((ATC, "J05AR20"))})
    await run(town)
    assert await labels_of(hanako, reference) == [R, HIV]


async def test_whose_record_it_is_and_who_wrote_it_stay(town: Town, hanako: Voice, cast: Cast) -> None:
    await hanako.grant(permit(cast.hospital), permit(cast.hospital, actions=["collect"]))
    reference = relabelled(town, await cast.a.create(made.weight(hanako.reference)))
    (before,) = town.rows(
        "SELECT patient_key, source FROM resource WHERE id = %s", reference.partition("/")[2]
    )
    await run(town)
    after = town.rows("SELECT patient_key, source FROM resource WHERE id = %s", reference.partition("/")[2])
    assert after == [before]
    # Its source corrects it as before.
    assert (await cast.a.put(reference, made.weight(hanako.reference, 60.0))).status_code == 200


async def test_the_log_tells_of_it(town: Town, hanako: Voice) -> None:
    reference = await older(hanako, diagnosed(hanako, "B20"))
    await run(town)
    newest = (await hanako.get("/audit/accesses")).json()[0]
    assert (newest["who"], newest["query"], newest["outcome"]) == (
        "the passport itself",
        "passport relabel",
        "success",
    )
    assert reference in newest["records"]


async def test_the_directory_is_left_alone(town: Town, hanako: Voice, cast: Cast) -> None:
    await run(town)
    for reference in (cast.hospital, cast.dr_a, cast.role_a):
        tree = await town.operator.read(reference)
        assert tree["meta"].keys() == {"versionId", "lastUpdated"}


async def test_nobody_is_seen_but_the_patients_of_a_batch(town: Town, hanako: Voice) -> None:
    """The wall stands open for one transaction; afterwards the connection sees nothing."""
    await older(hanako, made.weight(hanako.reference))
    await run(town)
    async with town.runtime.pool.connection() as connection:
        assert await seen(connection) == 0


async def seen(connection: Connection) -> int:
    cursor = await connection.execute("SELECT count(*) FROM resource")
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def test_a_run_with_another_table_begins_anew_and_takes_over(town: Town, hanako: Voice) -> None:
    reference = await older(hanako, diagnosed(hanako, "B20"))
    async with town.runtime.pool.connection() as connection:
        await keep(connection, Progress(OTHER, None))
    assert (await run(town)).raised == 1
    assert await labels_of(hanako, reference) == [R, HIV]
    async with town.runtime.pool.connection() as connection:
        assert await progress(connection) == Progress(TABLE_VERSION, None)


async def test_a_run_that_another_table_took_over_ends(town: Town, hanako: Voice) -> None:
    for _ in range(3):
        await older(hanako, made.weight(hanako.reference))
    async with aclosing(relabel(town.runtime, limit=1)) as begun:
        await anext(begun)
        async with town.runtime.pool.connection() as connection:
            await keep(connection, Progress.start(OTHER))
        with pytest.raises(OtherTable):
            await anext(begun)


async def test_a_place_is_read_as_it_was_kept() -> None:
    for reached in (Progress("a", (-5, 2**62)), Progress("a", None), Progress.start("b")):
        assert Progress.read(reached.text) == reached


async def test_the_command_goes_over_what_is_stored_beside_the_service(town: Town, hanako: Voice) -> None:
    reference = await older(hanako, diagnosed(hanako, "B20"))
    first = await command(town)
    assert first.endswith(" of them raised\n")
    looked, raised = (int(word) for word in first.split() if word.isdigit())
    assert (looked > raised, raised) == (True, 1)
    assert await labels_of(hanako, reference) == [R, HIV]
    assert await command(town) == "0 records looked at, 0 of them raised\n"
    again = await command(town, "--again", "--batch", "2")
    assert again == f"{looked + 1} records looked at, 0 of them raised\n"


async def test_readiness_tells_that_records_wait(town: Town, hanako: Voice) -> None:
    async def told() -> Json:
        answer = await town.stranger.get("/readyz")
        assert answer.status_code == 200
        found: Json = answer.json()
        return found

    waiting, ready = {"status": "ready", "labels": "waiting"}, {"status": "ready"}
    assert await told() == waiting
    await run(town)
    assert await told() == ready
    for reached in (Progress(OTHER, None), Progress.start(TABLE_VERSION)):
        async with town.runtime.pool.connection() as connection:
            await keep(connection, reached)
        assert await told() == waiting


async def test_where_nobody_is_registered_no_record_waits(town: Town) -> None:
    assert (await town.stranger.get("/readyz")).json() == {"status": "ready"}


async def command(town: Town, *options: str) -> str:
    state = town.runtime.settings.state
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "passport.cli", "relabel", "--state", str(state), *options),
        env={**os.environ, "PASSPORT_DATABASE_URL": town.database.service_url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, complained = await process.communicate()
    assert (process.returncode, complained) == (0, b"")
    return told.decode()
