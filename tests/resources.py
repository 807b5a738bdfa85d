"""Resources of made-up people in few words; whatever a test does not speak about is left out."""

from collections.abc import Sequence
from typing import Any, Final

from consent.systems import ATC, CONFIDENTIALITY, LOINC
from tests.unit.consent.words import Json, coding, concept

UCUM: Final = "http://unitsofmeasure.org"
OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
BLOOD_PRESSURE: Final = (LOINC, "85354-9")
BODY_WEIGHT: Final = (LOINC, "29463-7")
HEART_RATE: Final = (LOINC, "8867-4")
AMLODIPINE: Final = (ATC, "C08CA01")
CANDESARTAN: Final = (ATC, "C09CA06")
MIRTAZAPINE: Final = (ATC, "N06AX11")


def reference(target: str) -> Json:
    return {"reference": target}


def labelled(*codes: str | tuple[str, str]) -> Json:
    """`meta` with these security labels; a code alone is a confidentiality."""
    labels = [coding(CONFIDENTIALITY, one) if isinstance(one, str) else coding(*one) for one in codes]
    return {"security": labels}


def observation(
    patient: str, code: tuple[str, str] = BLOOD_PRESSURE, time: str | None = "2026-10-01", **elements: Any
) -> Json:
    dated = {} if time is None else {"effectiveDateTime": time}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(code),
        "subject": reference(patient),
        **dated,
        **elements,
    }


def pressure(patient: str, systolic: int = 128, time: str | None = "2026-10-01", **elements: Any) -> Json:
    """A blood pressure as a cuff at home gives it."""
    parts = [(LOINC, "8480-6", systolic), (LOINC, "8462-4", 82)]
    components = [
        {
            "code": concept((system, code)),
            "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"},
        }
        for system, code, value in parts
    ]
    vital = [concept((OBSERVATION_CATEGORY, "vital-signs"))]
    return observation(patient, time=time, category=vital, component=components, **elements)


def weight(patient: str, kilograms: float = 62.5, time: str | None = "2026-10-01", **elements: Any) -> Json:
    quantity = {"value": kilograms, "unit": "kg", "system": UCUM, "code": "kg"}
    return observation(patient, BODY_WEIGHT, time, valueQuantity=quantity, **elements)


def prescription(patient: str, *codes: tuple[str, str], time: str = "2026-10-01", **elements: Any) -> Json:
    medicine = concept(*codes) if codes else {"text": "架空錠"}
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": medicine,
        "subject": reference(patient),
        "authoredOn": time,
        **elements,
    }


def dispense(patient: str, *codes: tuple[str, str], time: str = "2026-10-01", **elements: Any) -> Json:
    return {
        "resourceType": "MedicationDispense",
        "status": "completed",
        "medicationCodeableConcept": concept(*codes) if codes else {"text": "架空錠"},
        "subject": reference(patient),
        "whenHandedOver": time,
        **elements,
    }


def statement(patient: str, *codes: tuple[str, str], time: str = "2026-10-01", **elements: Any) -> Json:
    return {
        "resourceType": "MedicationStatement",
        "status": "active",
        "medicationCodeableConcept": concept(*codes) if codes else {"text": "架空錠"},
        "subject": reference(patient),
        **({} if "effectivePeriod" in elements else {"effectiveDateTime": time}),
        **elements,
    }


def allergy(patient: str, **elements: Any) -> Json:
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": concept(
            ("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active")
        ),
        "verificationStatus": concept(
            ("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "confirmed")
        ),
        "code": {"text": "架空花粉"},
        "patient": reference(patient),
        **elements,
    }


def condition(patient: str, **elements: Any) -> Json:
    return {
        "resourceType": "Condition",
        "clinicalStatus": concept(("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")),
        "code": concept(("http://hl7.org/fhir/sid/icd-10", "I10")),
        "subject": reference(patient),
        **elements,
    }


def immunization(patient: str, **elements: Any) -> Json:
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": concept(("http://hl7.org/fhir/sid/cvx", "207")),
        "patient": reference(patient),
        "occurrenceDateTime": "2026-09-01",
        **elements,
    }


def encounter(patient: str, **elements: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB"),
        "subject": reference(patient),
        "period": {"start": "2026-09-01T09:00:00+09:00", "end": "2026-09-01T09:30:00+09:00"},
        **elements,
    }


def care_team(patient: str, *members: str, **elements: Any) -> Json:
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": reference(patient),
        **({"participant": [{"member": reference(member)} for member in members]} if members else {}),
        **elements,
    }


def group(*members: str, kind: str = "person", **elements: Any) -> Json:
    return {
        "resourceType": "Group",
        "type": kind,
        "actual": True,
        "member": [{"entity": reference(member)} for member in members],
        **elements,
    }


def device(patient: str, **elements: Any) -> Json:
    return {"resourceType": "Device", "patient": reference(patient), **elements}


def related_person(patient: str, **elements: Any) -> Json:
    return {
        "resourceType": "RelatedPerson",
        "active": True,
        "patient": reference(patient),
        "name": [{"text": "見本 双葉（架空）"}],
        **elements,
    }


def provenance(*targets: str, agent: str, **elements: Any) -> Json:
    return {
        "resourceType": "Provenance",
        "target": [reference(target) for target in targets],
        "recorded": "2026-10-01T09:00:00+09:00",
        "agent": [{"who": reference(agent)}],
        **elements,
    }


def bundle(*entries: Json, kind: str = "collection", **elements: Any) -> Json:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            {"fullUrl": f"urn:uuid:{at:08d}-0000-4000-8000-000000000000", "resource": entry}
            for at, entry in enumerate(entries)
        ],
        **elements,
    }


def organization(name: str, **elements: Any) -> Json:
    return {"resourceType": "Organization", "active": True, "name": f"{name}（架空）", **elements}


def practitioner(name: str, **elements: Any) -> Json:
    return {"resourceType": "Practitioner", "active": True, "name": [{"text": f"{name}（架空）"}], **elements}


def role(person: str, place: str, **elements: Any) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": reference(person),
        "organization": reference(place),
        **elements,
    }


def identifiers(*values: tuple[str | None, str]) -> Sequence[Json]:
    return [
        {"value": value} if system is None else {"system": system, "value": value} for system, value in values
    ]
