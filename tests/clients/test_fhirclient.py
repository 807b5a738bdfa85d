"""The passport through fhirclient, the SMART client of Boston Children's Hospital.

https://github.com/smart-on-fhir/client-py
"""

from typing import Any
from uuid import uuid4

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.capabilitystatement import CapabilityStatement
from fhirclient.models.observation import Observation
from fhirclient.server import FHIRNotFoundException, FHIRPermissionDeniedException, FHIRUnauthorizedException
from requests import HTTPError

from tests import resources as made
from tests.clients.conftest import Practice
from tests.unit.consent.words import Json


@pytest.fixture
def smart(practice: Practice) -> Any:
    """The client's view of the smart."""
    known = FHIRClient(settings={"app_id": "tests", "api_base": practice.served.fhir_url}).server
    known.session.headers["Authorization"] = f"Bearer {practice.token}"
    return known


def weight(practice: Practice, kilograms: float, **elements: Any) -> Any:
    return Observation(made.weight(practice.patient, kilograms, **elements))


def test_the_capability_statement_is_valid(smart: Any) -> None:
    assert isinstance(smart.capabilityStatement, CapabilityStatement)
    assert smart.capabilityStatement.fhirVersion == "4.0.1"
    types = {row.type for row in smart.capabilityStatement.rest[0].resource}
    assert {"Patient", "Observation", "MedicationRequest", "Consent", "AuditEvent"} <= types


def test_a_record_is_created_read_changed_and_deleted(smart: Any, practice: Practice) -> None:
    created = weight(practice, 62.5).create(smart)
    read = Observation.read(created["id"], smart)
    assert read.valueQuantity.value == 62.5
    read.valueQuantity.value = 61.5
    assert read.update(smart)["meta"]["versionId"] == "2"
    history = Bundle.read_from(f"Observation/{created['id']}/_history", smart)
    assert [entry.resource.valueQuantity.value for entry in history.entry] == [61.5, 62.5]
    first = Observation.read_from(f"Observation/{created['id']}/_history/1", smart)
    assert first.valueQuantity.value == 62.5
    assert read.delete(smart) is None
    with pytest.raises(HTTPError, match="410"):
        Observation.read(created["id"], smart)


def test_a_search_is_followed_over_its_pages(smart: Any, practice: Practice) -> None:
    system = f"http://example.test/{uuid4()}"
    written = []
    for day in range(1, 6):
        one = weight(
            practice, 60.0, time=f"2026-10-{day:02d}", identifier=made.identifiers((system, str(day)))
        )
        written.append(one.create(smart)["id"])
    struct = {"identifier": f"{system}|", "_count": "2", "_sort": "date"}
    found = list(Observation.where(struct=struct).perform_resources_iter(smart))
    assert [one.id for one in found] == written
    bundles = list(Observation.where(struct={**struct, "_total": "accurate"}).perform_iter(smart))
    assert [(bundle.total, len(bundle.entry)) for bundle in bundles] == [(5, 2), (5, 2), (5, 1)]


def test_an_update_of_a_version_that_is_no_longer_current_is_refused(smart: Any, practice: Practice) -> None:
    created = weight(practice, 62.5).create(smart)
    smart.session.headers["If-Match"] = 'W/"1"'
    read = Observation(created)
    assert read.update(smart)["meta"]["versionId"] == "2"
    with pytest.raises(HTTPError, match="412"):
        read.update(smart)


def test_a_condition_creates_once(smart: Any, practice: Practice) -> None:
    system = f"http://example.test/{uuid4()}"
    once = weight(practice, 58.25, identifier=made.identifiers((system, "1")))
    smart.session.headers["If-None-Exist"] = f"identifier={system}|1"
    first, second = once.create(smart), once.create(smart)
    assert first == second
    del smart.session.headers["If-None-Exist"]
    assert len(list(found_by(smart, system))) == 1
    changed = once.as_json() | {"valueQuantity": {**once.as_json()["valueQuantity"], "value": 57.25}}
    written = smart.put_json(f"Observation?identifier={system}|1", changed)
    assert (written.status_code, written.json()["id"]) == (200, first["id"])


def test_a_batch_answers_each_entry(smart: Any, practice: Practice) -> None:
    spoilt = made.weight(practice.patient, status="perhaps")
    asked = bundle("batch", post(made.weight(practice.patient)), post(spoilt), get("Observation/unknown"))
    answered = Bundle(asked.create(smart))
    assert answered.type == "batch-response"
    assert [entry.response.status[:3] for entry in answered.entry] == ["201", "422", "404"]


def test_a_transaction_is_all_or_nothing(smart: Any, practice: Practice) -> None:
    system = f"http://example.test/{uuid4()}"
    good = [
        post(made.weight(practice.patient, identifier=made.identifiers((system, value)))) for value in "12"
    ]
    spoilt = post(made.weight(practice.patient, status="perhaps"))
    with pytest.raises(HTTPError, match="422"):
        bundle("transaction", *good, spoilt).create(smart)
    assert list(found_by(smart, system)) == []
    read = get(f"Observation?identifier={system}|")
    answered = Bundle(bundle("transaction", *good, read).create(smart))
    assert [entry.response.status[:3] for entry in answered.entry] == ["201", "201", "200"]
    shown = {entry.resource.id for entry in answered.entry[2].resource.entry}
    assert shown == {one.id for one in found_by(smart, system)}
    assert len(shown) == 2


def found_by(smart: Any, system: str) -> Any:
    return Observation.where(struct={"identifier": f"{system}|"}).perform_resources_iter(smart)


def bundle(kind: str, *entries: Json) -> Any:
    return Bundle({"resourceType": "Bundle", "type": kind, "entry": list(entries)})


def post(tree: Json) -> Json:
    return {"resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}


def get(url: str) -> Json:
    return {"request": {"method": "GET", "url": url}}


def test_what_was_not_shared_does_not_exist(smart: Any, practice: Practice) -> None:
    found = Observation.where(struct={"patient": practice.patient, "code": "85354-9"})
    assert list(found.perform_resources_iter(smart)) == []
    with pytest.raises(FHIRNotFoundException):
        Observation.read("unknown", smart)


def test_refusals_arrive_as_what_they_are(smart: Any, practice: Practice) -> None:
    with pytest.raises(FHIRPermissionDeniedException):
        Observation(made.pressure(practice.patient)).create(smart)
    smart.session.headers["Authorization"] = "Bearer x"
    with pytest.raises(FHIRUnauthorizedException):
        Observation.read("unknown", smart)
