from typing import Any

from fhirmap.bundle import bundle, resolved, url_of
from fhirmap.identity import Stamp
from fhirmap.jsonformat import Json


def stamped(resource_type: str, **members: Any) -> Json:
    identifier = Stamp("Patient/hanako", "Organization/pharmacy").identifier(resource_type, "content")
    return {"resourceType": resource_type, "identifier": [identifier], **members}


def test_a_stamped_resource_is_created_unless_it_exists() -> None:
    resource = stamped("MedicationRequest")
    (entry,) = bundle([resource])["entry"]
    value = resource["identifier"][0]["value"]
    assert entry["fullUrl"] == url_of(resource)
    assert entry["request"] == {
        "method": "POST",
        "url": "MedicationRequest",
        "ifNoneExist": f"identifier=urn:healthcare-passport:imported-record|{value}",
    }


def test_a_resource_without_stamp_is_simply_created() -> None:
    (entry,) = bundle([{"resourceType": "Device"}])["entry"]
    assert entry == {"resource": {"resourceType": "Device"}, "request": {"method": "POST", "url": "Device"}}


def test_references_are_replaced_wherever_they_stand_and_nothing_else_is() -> None:
    url = url_of(stamped("MedicationRequest"))
    assert url is not None
    dispense = {
        "authorizingPrescription": [{"reference": url}],
        "subject": {"reference": "Patient/hanako"},
        "note": [{"text": url}],
    }
    assert resolved(dispense, {url: "MedicationRequest/1"}) == {
        "authorizingPrescription": [{"reference": "MedicationRequest/1"}],
        "subject": {"reference": "Patient/hanako"},
        "note": [{"text": url}],
    }
    assert dispense["authorizingPrescription"] == [{"reference": url}]
