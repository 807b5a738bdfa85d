"""A conformance suite in a sandbox: a policy lets it write whole types, people and their records in one transaction.

http://hl7.org/fhir/R4/http.html#transaction
"""

from collections.abc import AsyncIterator

import pytest

from passport.transactions.entries import MOST_ENTRIES
from tests.databases import Database
from tests.http.bundles import asked, created, done, reference, send, statuses
from tests.resources import organization, weight
from tests.town import Town, Voice, outcome, references, served
from tests.unit.consent.words import Json, consent_json, permit

pytestmark = pytest.mark.anyio

PERSON = "urn:uuid:00000000-0000-4000-8000-0000000000aa"
SYSTEM = "http://example.test/people"


@pytest.fixture(scope="module")
async def sandbox(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with served(module_database, tmp_path_factory.mktemp("installation"), mode="sandbox") as running:
        yield running


@pytest.fixture(scope="module")
async def suite(sandbox: Town) -> Voice:
    """Whoever the policies let read and write what they like."""
    tester = await sandbox.operator.create(organization("架空試験所"))
    root = permit(tester, actions=["access"]), permit(tester, actions=["collect", "correct"])
    for one in root:
        tree = consent_json(one, "Patient/x")
        del tree["patient"]
        await sandbox.policy(tree)
    return sandbox.as_(tester)


def person(value: str) -> Json:
    return {
        "resourceType": "Patient",
        "name": [{"text": "見本 五葉（架空）"}],
        "identifier": [{"system": SYSTEM, "value": value}],
    }


async def test_a_person_and_their_record_are_written_in_one_transaction(suite: Voice) -> None:
    registered = created(person("1"), PERSON, ifNoneExist=f"identifier={SYSTEM}|1")
    entries = await done(
        suite,
        "transaction",
        created(weight(PERSON)),
        registered,
    )
    assert statuses(entries) == [201, 201]
    record, patient = [reference(entry) for entry in entries]
    assert (await suite.read(record))["subject"] == {"reference": patient}
    assert await suite.found("Observation", ("patient", patient)) == [record]


async def test_a_record_joins_the_person_whom_a_condition_finds(suite: Voice) -> None:
    known = await suite.create(person("2"))
    entries = await done(
        suite,
        "transaction",
        created(person("2"), PERSON, ifNoneExist=f"identifier={SYSTEM}|2"),
        created(weight(PERSON)),
        created(weight(f"Patient?identifier={SYSTEM}|2")),
    )
    assert statuses(entries) == [200, 201, 201]
    assert reference(entries[0]) == known
    for entry in entries[1:]:
        assert (await suite.read(reference(entry)))["subject"] == {"reference": known}


async def test_as_many_as_a_transaction_holds_are_judged_by_a_policy_within_a_statement(suite: Voice) -> None:
    patient = await suite.create(person("many"))
    entries = await done(suite, "transaction", *(created(weight(patient)) for _ in range(MOST_ENTRIES)))
    assert statuses(entries) == [201] * MOST_ENTRIES


async def test_an_update_may_create_where_a_policy_covers_the_type(suite: Voice) -> None:
    patient = await suite.create(person("3"))
    for kind in ("batch", "transaction"):
        tree = {**weight(patient), "id": f"chosen-{kind}"}
        entries = await done(suite, kind, asked("PUT", f"Observation/chosen-{kind}", tree))
        assert statuses(entries) == [201]
    answer = await suite.put("Patient/chosen-person", person("4"))
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')


async def test_a_taken_name_undoes_the_whole(suite: Voice, sandbox: Town) -> None:
    patient = await suite.create(person("5"))
    refused = await send(
        suite,
        "transaction",
        created(person("6"), PERSON),
        created(weight(PERSON)),
        created(weight(patient), ifNoneExist=f"patient={PERSON}&code=x y"),
        asked("DELETE", "Observation/unknown"),
    )
    outcome(refused, 404)
    assert await suite.found("Patient", ("identifier", f"{SYSTEM}|6")) == []
    ((people,),) = sandbox.rows(
        "SELECT count(*) FROM patient WHERE patient_key > 0 AND NOT EXISTS "
        "(SELECT FROM resource WHERE resource.patient_key = patient.patient_key)"
    )
    assert people == 0


ANIMALS: Json = {
    "resourceType": "ValueSet",
    "url": f"{SYSTEM}/animals",
    "status": "draft",
    "name": "FictionalAnimals",
    "compose": {"include": [{"system": f"{SYSTEM}/animal", "concept": [{"code": "tanuki"}]}]},
}
WORDS: Json = {
    "resourceType": "CodeSystem",
    "status": "draft",
    "content": "complete",
    "name": "FictionalWords",
}


@pytest.mark.parametrize("tree", [ANIMALS, WORDS], ids=["ValueSet", "CodeSystem"])
async def test_a_suite_keeps_terminology_in_a_sandbox(suite: Voice, sandbox: Town, tree: Json) -> None:
    type_name = str(tree["resourceType"])
    narrow = sandbox.as_(suite.reference, scope=f"system/{type_name}.cruds")
    kept = await narrow.create(tree)
    assert {**await narrow.read(kept), **tree} == await narrow.read(kept)
    assert await narrow.found(type_name, ("name", str(tree["name"]))) == [kept]
    await narrow.replace(kept, {**tree, "status": "active"})
    for path in (f"{kept}/_history", f"{kept}/_history/1", f"{type_name}/_history", f"{kept}/$validate"):
        assert (await narrow.get(path)).status_code == 200
    everything = references((await suite.get("_history")).json())
    assert everything.count(kept) == 2
    entries = await done(suite, "transaction", created(tree), asked("GET", kept))
    assert statuses(entries) == [201, 200]
    await narrow.remove(kept)


async def test_one_transaction_creates_and_changes_and_deletes(suite: Voice) -> None:
    patient = await suite.create(person("7"))
    changed, deleted = [await suite.create(weight(patient)) for _ in range(2)]
    entries = await done(
        suite,
        "transaction",
        created(weight(patient)),
        asked("PUT", changed, {**weight(patient, 60.0), "id": changed.partition("/")[2]}),
        asked("DELETE", deleted),
    )
    assert statuses(entries) == [201, 200, 204]
