"""A valid resource of each further type that a hospital's record consists of, about one person.

http://hl7.org/fhir/R4/resourcelist.html
"""

from typing import Any, Final

from consent.systems import LOINC, SNOMED
from tests.resources import AMLODIPINE, reference
from tests.unit.consent.words import Json, concept

_DOSE: Final = {"value": 5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}


def records_of(patient: str) -> dict[str, Json]:
    """One resource of each type that names this patient; a Binary belongs to the Patient itself."""
    who = reference(patient)
    of_subject: dict[str, dict[str, Any]] = {
        "DiagnosticReport": {
            "status": "final",
            "code": concept((LOINC, "58410-2")),
            "effectiveDateTime": "2026-09-01",
        },
        "Specimen": {"type": concept((SNOMED, "119297000")), "collection": {"collectedDateTime": "2026-09"}},
        "MedicationAdministration": {
            "status": "completed",
            "medicationCodeableConcept": concept(AMLODIPINE),
            "effectiveDateTime": "2026-09-01T08:00:00+09:00",
            "dosage": {"dose": _DOSE},
        },
        "Procedure": {
            "status": "completed",
            "code": concept((SNOMED, "80146002")),
            "performedDateTime": "2020-05",
        },
        "CarePlan": {"status": "active", "intent": "plan", "period": {"start": "2026-09-01"}},
        "Goal": {"lifecycleStatus": "active", "description": {"text": "架空の目標"}},
        "ServiceRequest": {
            "status": "active",
            "intent": "order",
            "code": concept((LOINC, "58410-2")),
            "authoredOn": "2026-09-01",
        },
        "Communication": {"status": "completed", "sent": "2026-09-01T10:00:00+09:00"},
        "CommunicationRequest": {"status": "active", "authoredOn": "2026-09-01"},
        "List": {"status": "current", "mode": "working", "date": "2026-09-01"},
        "DocumentReference": {
            "status": "current",
            "date": "2026-09-01T10:00:00+09:00",
            "content": [{"attachment": {"contentType": "text/plain", "data": "5p625qyq"}}],
        },
        "Composition": {
            "status": "final",
            "type": concept((LOINC, "18842-5")),
            "date": "2026-09-01",
            "author": [{"display": "例示病院（架空）"}],
            "title": "架空の記録",
        },
        "QuestionnaireResponse": {"status": "completed", "authored": "2026-09-01"},
    }
    of_patient: dict[str, dict[str, Any]] = {
        "FamilyMemberHistory": {
            "status": "completed",
            "relationship": concept(("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "MTH")),
            "condition": [{"code": concept(("http://hl7.org/fhir/sid/icd-10", "I10"))}],
        },
        "EpisodeOfCare": {"status": "active", "period": {"start": "2026-09-01"}},
    }
    others: list[Json] = [
        {"resourceType": "Person", "link": [{"target": who}]},
        {
            "resourceType": "Appointment",
            "status": "booked",
            "start": "2026-12-01T09:00:00+09:00",
            "end": "2026-12-01T09:30:00+09:00",
            "participant": [{"actor": who, "status": "accepted"}],
        },
        {"resourceType": "Task", "status": "requested", "intent": "order", "for": who},
        {
            "resourceType": "Coverage",
            "status": "active",
            "beneficiary": who,
            "payor": [{"display": "架空健康保険組合"}],
        },
        {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "架空の通知",
            "criteria": f"Observation?patient={patient}",
            "channel": {"type": "rest-hook", "endpoint": "https://hook.example/"},
        },
        {
            "resourceType": "Binary",
            "contentType": "text/plain",
            "securityContext": who,
            "data": "5p625qyq",
        },
    ]
    trees = [
        *({"resourceType": name, "subject": who, **tree} for name, tree in of_subject.items()),
        *({"resourceType": name, "patient": who, **tree} for name, tree in of_patient.items()),
        *others,
    ]
    return {tree["resourceType"]: tree for tree in trees}


def device_metric(device: str) -> Json:
    """A metric of a device."""
    return {
        "resourceType": "DeviceMetric",
        "type": concept(("urn:iso:std:iso:11073:10101", "150456")),
        "category": "measurement",
        "source": reference(device),
    }


QUESTIONNAIRE: Final[Json] = {"resourceType": "Questionnaire", "status": "active", "title": "架空の問診"}
TERMINOLOGY: Final[tuple[Json, ...]] = (
    {"resourceType": "ValueSet", "status": "active", "url": "http://city.example/ValueSet/x"},
    {
        "resourceType": "CodeSystem",
        "status": "active",
        "content": "complete",
        "url": "http://city.example/CodeSystem/x",
    },
)
