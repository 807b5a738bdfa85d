"""Resources that tests of the store start from: valid, complete, and of people who do not exist."""

from copy import deepcopy
from typing import Any

from tests.hospital import QUESTIONNAIRE, TERMINOLOGY, device_metric, records_of

LOINC = "http://loinc.org"
YJ = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
VITAL_SIGNS_PROFILE = "http://hl7.org/fhir/StructureDefinition/vitalsigns"
ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
CONDITION_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def concept(system: str, *codes: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def _pressure(code: str, value: int) -> dict[str, Any]:
    quantity = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    return {"code": concept(LOINC, code), "valueQuantity": quantity}


def blood_pressure(**changes: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "resourceType": "Observation",
        "id": "bp-1",
        "meta": {"security": [{"system": CONFIDENTIALITY, "code": "N"}]},
        "status": "final",
        "category": [concept(OBSERVATION_CATEGORY, "vital-signs")],
        "code": concept(LOINC, "85354-9"),
        "subject": {"reference": "Patient/hanako"},
        "effectiveDateTime": "2024-06-01T07:02:11+09:00",
        "performer": [{"reference": "Patient/hanako"}],
        "device": {"reference": "Device/cuff"},
        "component": [_pressure("8480-6", 128), _pressure("8462-4", 82)],
    }
    return _changed(tree, changes)


def medication_request(**changes: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": "rx-1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(YJ, "2149039F1031"),
        "subject": {"reference": "Patient/hanako"},
        "authoredOn": "2024-06-01",
        "requester": {"reference": "PractitionerRole/ra"},
    }
    return _changed(tree, changes)


def allergy(**changes: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "resourceType": "AllergyIntolerance",
        "id": "al-1",
        "clinicalStatus": concept(ALLERGY_CLINICAL, "active"),
        "category": ["medication"],
        "code": concept("http://snomed.info/sct", "91936005"),
        "patient": {"reference": "Patient/hanako"},
        "recordedDate": "2024-05",
        "recorder": {"reference": "Practitioner/a"},
    }
    return _changed(tree, changes)


def patient(**changes: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "resourceType": "Patient",
        "id": "hanako",
        "identifier": [{"system": "http://city.example/id", "value": "0001"}],
        "name": [{"use": "official", "family": "見本", "given": ["花子"]}],
        "gender": "female",
        "birthDate": "1953-04-05",
    }
    return _changed(tree, changes)


def valid_resources() -> dict[str, dict[str, Any]]:
    """Return one valid resource of every type that the store holds."""
    hanako = {"reference": "Patient/hanako"}
    someone = {"reference": "Practitioner/a"}
    medicine = concept(YJ, "2149039F1031")
    trees = [
        patient(),
        {"resourceType": "Practitioner", "name": [{"text": "例示 一郎"}]},
        {
            "resourceType": "PractitionerRole",
            "practitioner": someone,
            "code": [concept("http://r.example", "x")],
        },
        {"resourceType": "Organization", "name": "例示病院", "telecom": [{"system": "phone", "value": "0"}]},
        {"resourceType": "Location", "status": "active", "name": "例示診察室"},
        {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": hanako,
            "participant": [{"member": someone}],
        },
        {"resourceType": "Group", "type": "practitioner", "actual": True, "member": [{"entity": someone}]},
        {"resourceType": "RelatedPerson", "patient": hanako, "name": [{"text": "見本 次郎"}]},
        {
            "resourceType": "Device",
            "status": "active",
            "patient": hanako,
            "type": concept("http://t.example", "x"),
        },
        blood_pressure(),
        medication_request(),
        {
            "resourceType": "MedicationDispense",
            "status": "completed",
            "medicationCodeableConcept": medicine,
            "subject": hanako,
            "whenHandedOver": "2024-06-01T10:00:00+09:00",
        },
        {
            "resourceType": "MedicationStatement",
            "status": "active",
            "medicationCodeableConcept": medicine,
            "subject": hanako,
            "effectivePeriod": {"start": "2024-06-01"},
        },
        {"resourceType": "Medication", "status": "active", "code": medicine},
        {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": concept("http://hl7.org/fhir/sid/cvx", "207"),
            "patient": hanako,
            "occurrenceDateTime": "2023-10",
        },
        allergy(),
        {
            "resourceType": "Condition",
            "clinicalStatus": concept(CONDITION_CLINICAL, "active"),
            "code": concept("http://hl7.org/fhir/sid/icd-10", "I10"),
            "subject": hanako,
            "onsetDateTime": "2020",
            "recordedDate": "2021-02-03",
        },
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": hanako,
            "period": {"start": "2024-06-01T09:00:00+09:00", "end": "2024-06-01T09:30:00+09:00"},
        },
        {
            "resourceType": "Consent",
            "status": "active",
            "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
            "category": [concept(LOINC, "59284-0")],
            "patient": hanako,
            "dateTime": "2024-06-01",
            "policyRule": concept("http://terminology.hl7.org/CodeSystem/v3-ActCode", "OPTIN"),
        },
        {
            "resourceType": "Provenance",
            "target": [{"reference": "Observation/bp-1"}],
            "recorded": "2024-06-01T07:02:12+09:00",
            "agent": [{"who": {"reference": "Device/cuff"}}],
        },
        {
            "resourceType": "AuditEvent",
            "type": {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110112"},
            "recorded": "2024-06-01T07:02:12+09:00",
            "agent": [{"who": someone, "requestor": True}],
            "source": {"observer": {"reference": "Organization/city"}},
        },
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()}]},
    ]
    further = [
        *records_of("Patient/hanako").values(),
        device_metric("Device/cuff"),
        QUESTIONNAIRE,
        *TERMINOLOGY,
    ]
    return {tree["resourceType"]: deepcopy(tree) for tree in (*trees, *further)}


def _changed(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the tree with elements replaced; one that is set to None is left out."""
    changed = deepcopy(tree) | changes
    return {name: value for name, value in changed.items() if value is not None}
