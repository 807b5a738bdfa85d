"""The passport through fhirpy, a client that others wrote.

https://github.com/beda-software/fhir-py
"""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import (
    AuthorizationError,
    ForbiddenError,
    MultipleResourcesFound,
    OperationOutcome,
    ResourceNotFound,
)

from tests import resources as made
from tests.clients.conftest import Practice
from tests.unit.consent.words import Json


@pytest.fixture
def client(practice: Practice) -> SyncFHIRClient:
    return client_of(practice)


def client_of(practice: Practice, **headers: str) -> SyncFHIRClient:
    return SyncFHIRClient(
        practice.served.fhir_url, authorization=f"Bearer {practice.token}", extra_headers=headers
    )


def resource(client: SyncFHIRClient, tree: Json) -> Any:
    return client.resource(tree["resourceType"], **{k: v for k, v in tree.items() if k != "resourceType"})


def weighed(client: SyncFHIRClient, practice: Practice, kilograms: float, day: str = "2026-10-01") -> Any:
    weight = resource(client, made.weight(practice.patient, kilograms, day))
    weight.save()
    return weight


def test_a_record_is_created_read_changed_and_deleted(client: SyncFHIRClient, practice: Practice) -> None:
    weight = weighed(client, practice, 62.5)
    assert weight["meta"]["versionId"] == "1"
    read: Any = client.reference("Observation", weight.id).to_resource()
    assert read["valueQuantity"]["value"] == 62.5
    read["valueQuantity"]["value"] = 61.5
    read.save()
    assert read["meta"]["versionId"] == "2"
    assert client.execute(f"Observation/{weight.id}/_history", method="get")["entry"][0]["resource"] == read
    read.delete()
    with pytest.raises((ResourceNotFound, OperationOutcome)):
        client.reference("Observation", weight.id).to_resource()


def test_a_search_is_followed_over_its_pages(client: SyncFHIRClient, practice: Practice) -> None:
    system = f"http://example.test/{uuid4()}"
    written = []
    for day in range(1, 6):
        tree = made.weight(
            practice.patient,
            60.0 + day,
            f"2026-10-{day:02d}",
            identifier=made.identifiers((system, "1")),
        )
        weight = resource(client, tree)
        weight.save()
        written.append(weight.id)
    searched = client.resources("Observation").search(identifier=f"{system}|").sort("date")
    assert [one.id for one in searched.limit(2).fetch()] == written[:2]
    assert [one.id for one in searched.limit(2).fetch_all()] == written
    assert searched.count() == 5
    newest = client.resources("Observation").search(identifier=f"{system}|").sort("-date").first()
    assert newest is not None
    assert newest.id == written[-1]


def test_an_update_of_a_version_that_is_no_longer_current_is_refused(
    client: SyncFHIRClient, practice: Practice
) -> None:
    weight = weighed(client, practice, 62.5)
    first = client_of(practice, **{"If-Match": 'W/"1"'})
    path = f"Observation/{weight.id}"
    tree = {**made.weight(practice.patient, 61.5), "id": weight.id}
    assert first.execute(path, method="put", data=tree)["meta"]["versionId"] == "2"
    # That is what the client calls every 412.
    with pytest.raises(MultipleResourcesFound, match="If-Match"):
        first.execute(path, method="put", data=tree)


def test_a_condition_creates_once_updates_and_deletes(client: SyncFHIRClient, practice: Practice) -> None:
    system = f"http://example.test/{uuid4()}"
    matching = client.resources("Observation").search(identifier=f"{system}|1")
    once = resource(client, made.weight(practice.patient, 58.25, identifier=made.identifiers((system, "1"))))
    created, is_new = matching.get_or_create(once)
    known, is_new_again = matching.get_or_create(once)
    assert (is_new, is_new_again, known) == (True, False, created)
    once["valueQuantity"]["value"] = 57.25
    updated, is_another = matching.update(once)
    assert (is_another, updated.id, updated["meta"]["versionId"]) == (False, created.id, "2")
    assert matching.get() == updated
    assert matching.delete()[1] == 204
    assert matching.count() == 0


def test_the_header_is_a_condition_too(client: SyncFHIRClient, practice: Practice) -> None:
    system = f"http://example.test/{uuid4()}"
    careful = client_of(practice, **{"If-None-Exist": f"identifier={system}|1"})
    tree = made.weight(practice.patient, 58.25, identifier=made.identifiers((system, "1")))
    first, second = (careful.execute("Observation", method="post", data=tree) for _ in range(2))
    assert first == second
    assert client.resources("Observation").search(identifier=f"{system}|").count() == 1


def test_what_has_not_changed_is_not_sent_again(client: SyncFHIRClient, practice: Practice) -> None:
    weight = weighed(client, practice, 62.5)
    seen = weight.serialize()
    assert weight.refresh().serialize() == seen
    client.execute(
        f"Observation/{weight.id}",
        method="put",
        data={**made.weight(practice.patient, 61.5), "id": weight.id},
    )
    assert weight.refresh()["meta"]["versionId"] == "2"


def test_validation_is_asked_for(client: SyncFHIRClient, practice: Practice) -> None:
    assert resource(client, made.weight(practice.patient)).is_valid()
    assert not resource(client, made.weight(practice.patient, status="perhaps")).is_valid()


def test_a_batch_answers_each_entry(client: SyncFHIRClient, practice: Practice) -> None:
    spoilt = made.weight(practice.patient, status="perhaps")
    entries = [post(made.weight(practice.patient)), post(spoilt), get("Observation/unknown")]
    answered = client.execute("", data=bundle("batch", entries))
    assert answered["type"] == "batch-response"
    assert [entry["response"]["status"][:3] for entry in answered["entry"]] == ["201", "422", "404"]


def test_a_transaction_is_all_or_nothing(client: SyncFHIRClient, practice: Practice) -> None:
    system = f"http://example.test/{uuid4()}"
    found = client.resources("Observation").search(identifier=f"{system}|")
    good = [
        post(made.weight(practice.patient, identifier=made.identifiers((system, value)))) for value in "12"
    ]
    with pytest.raises(OperationOutcome):
        client.execute(
            "",
            data=bundle("transaction", [*good, post(made.weight(practice.patient, status="perhaps"))]),
        )
    assert found.count() == 0
    answered = client.execute("", data=bundle("transaction", good))
    assert [entry["response"]["status"][:3] for entry in answered["entry"]] == ["201", "201"]
    assert found.count() == 2


def bundle(kind: str, entries: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def post(tree: Json) -> Json:
    return {"resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}


def get(url: str) -> Json:
    return {"request": {"method": "GET", "url": url}}


def test_what_was_not_shared_does_not_exist(client: SyncFHIRClient, practice: Practice) -> None:
    found = client.resources("Observation").search(patient=practice.patient, code="85354-9")
    assert found.fetch_all() == []
    assert found.count() == 0
    with pytest.raises(ResourceNotFound):
        client.reference("Patient", practice.patient.partition("/")[2]).to_resource()


def test_refusals_arrive_as_what_they_are(client: SyncFHIRClient, practice: Practice) -> None:
    pressure = made.pressure(practice.patient)
    with pytest.raises(ForbiddenError):
        client.execute("Observation", method="post", data=pressure)
    with pytest.raises(OperationOutcome):
        client.execute("Observation", method="post", data={**pressure, "status": "perhaps"})
    with pytest.raises(OperationOutcome):
        client.resources("Observation").search(unheard_of="x").fetch()
    with pytest.raises(AuthorizationError):
        SyncFHIRClient(practice.served.fhir_url, authorization="Bearer x").resources("Observation").fetch()


def test_the_asynchronous_client_sees_the_same(client: SyncFHIRClient, practice: Practice) -> None:
    weight = weighed(client, practice, 58.25)

    async def read() -> Any:
        asynchronous = AsyncFHIRClient(practice.served.fhir_url, authorization=f"Bearer {practice.token}")
        found = asynchronous.resources("Observation").search(_id=weight.id)
        return (await found.fetch_all())[0], await found.count()

    shown, total = asyncio.run(read())
    assert Decimal(str(shown["valueQuantity"]["value"])) == Decimal("58.25")
    assert total == 1


def test_its_patch_is_a_merge_patch_and_is_told_so(client: SyncFHIRClient, practice: Practice) -> None:
    weight = weighed(client, practice, 62.5)
    with pytest.raises(OperationOutcome, match="application/json-patch"):
        weight.patch(status="amended")
    read: Any = client.reference("Observation", weight.id).to_resource()
    read["status"] = "amended"
    read.save()
    assert read["meta"]["versionId"] == "2"
