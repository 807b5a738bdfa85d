from typing import Any

import pytest

from fhirstore.parse import Number
from fhirstore.validate import validate
from tests.unit.fhirstore.examples import (
    ALLERGY_CLINICAL,
    CONDITION_CLINICAL,
    LOINC,
    allergy,
    blood_pressure,
    concept,
    medication_request,
    patient,
    valid_resources,
)

VERIFICATION = "http://terminology.hl7.org/CodeSystem"
ERROR = concept(f"{VERIFICATION}/allergyintolerance-verification", "entered-in-error")
CONDITION_ERROR = concept(f"{VERIFICATION}/condition-ver-status", "entered-in-error")
ABSENT = concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown")


def broken(tree: dict[str, Any]) -> list[str]:
    problems = validate(tree)
    assert all(problem.code == "invariant" for problem in problems), problems
    return [problem.text.partition(":")[0] for problem in problems]


def of(name: str, /, **changes: Any) -> dict[str, Any]:
    tree = valid_resources()[name] | changes
    return {key: value for key, value in tree.items() if value is not None}


def timing(**repeat: Any) -> dict[str, Any]:
    return medication_request(dosageInstruction=[{"timing": {"repeat": repeat}}])


def quantity(value: Any, **more: Any) -> dict[str, Any]:
    return {"value": value} | more


def value(**choice: Any) -> dict[str, Any]:
    return blood_pressure(component=None, **choice)


def bundle(kind: str, *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)} | more


def extended(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return patient(extension=[{"url": "http://x.example", f"value{kind}": value}])


NOW = "2024-06-01T10:00:00+09:00"
IDENTIFIED = {"system": "urn:x:y", "value": "1"}
ORGANIZATION = {"reference": "Organization/x"}
SAID = {"language": "text/fhirpath", "expression": "true"}
COVER = {
    "resource": {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "x"},
        "date": "2024-06-01",
        "author": [{"reference": "Practitioner/a"}],
        "title": "x",
    }
}
PUT = {"method": "PUT", "url": "Patient/hanako"}

BROKEN = [
    ("ait-1", allergy(clinicalStatus=None)),
    ("ait-2", allergy(verificationStatus=ERROR)),
    ("att-1", patient(photo=[{"data": "YQ=="}])),
    ("con-4", of("Condition", abatementDateTime="2024")),
    ("con-5", of("Condition", verificationStatus=CONDITION_ERROR)),
    ("con-2", of("Condition", evidence=[{"extension": [{"url": "http://x.example", "valueCode": "x"}]}])),
    ("con-1", of("Condition", stage=[{"type": {"text": "x"}}])),
    ("cpt-2", patient(telecom=[{"value": "0"}])),
    ("ext-1", patient(extension=[{"url": "http://x.example"}])),
    ("grp-1", of("Group", actual=False)),
    ("imm-1", of("Immunization", education=[{"publicationDate": "2024"}])),
    ("mdd-1", of("MedicationDispense", whenPrepared="2024-06-03")),
    ("obs-3", blood_pressure(referenceRange=[{"type": {"text": "x"}}])),
    ("obs-6", value(valueString="x", dataAbsentReason=ABSENT)),
    ("obs-7", blood_pressure(valueString="x", code=concept(LOINC, "8480-6"))),
    ("org-1", of("Organization", name=None)),
    ("org-2", of("Organization", address=[{"use": "home", "text": "x"}])),
    ("org-3", of("Organization", telecom=[{"use": "home", "system": "phone", "value": "0"}])),
    ("pat-1", patient(contact=[{"gender": "female"}])),
    ("per-1", of("Encounter", period={"start": "2024-06-02", "end": "2024-06-01"})),
    ("per-1", of("Encounter", period={"start": "2024-06-01T10:00:00Z", "end": "2024-06-01T10:00:00+09:00"})),
    ("qty-3", value(valueQuantity=quantity(5, code="mg"))),
    ("rng-2", value(valueRange={"low": quantity(6), "high": quantity(Number("5.5"))})),
    ("rat-1", value(valueRatio={"numerator": quantity(1)})),
    ("tim-1", timing(duration=1)),
    ("tim-2", timing(period=1)),
    ("tim-4", timing(duration=-1, durationUnit="h")),
    ("tim-5", timing(period=-1, periodUnit="h")),
    ("tim-6", timing(periodMax=1, periodUnit="h")),
    ("tim-7", timing(durationMax=1, durationUnit="h")),
    ("tim-8", timing(countMax=1)),
    ("tim-9", timing(offset=1)),
    ("tim-9", timing(offset=1, when=["C"])),
    ("tim-10", timing(timeOfDay=["10:00:00"], when=["HS"])),
    ("sev-1", of("AuditEvent", entity=[{"name": "x", "query": "eA=="}])),
    ("bdl-1", bundle("collection", {"resource": patient()}, total=1)),
    ("bdl-2", bundle("collection", {"resource": patient(), "search": {"mode": "match"}})),
    ("bdl-3", bundle("collection", {"resource": patient(), "request": PUT})),
    ("bdl-3", bundle("transaction", {"resource": patient()})),
    ("bdl-4", bundle("collection", {"resource": patient(), "response": {"status": "200"}})),
    ("bdl-4", bundle("batch-response", {"resource": patient()})),
    ("bdl-5", bundle("collection", {"fullUrl": "http://x.example/Patient/1"})),
    ("bdl-7", bundle("collection", *[{"fullUrl": "urn:oid:1.2", "resource": patient()}] * 2)),
    (
        "bdl-8",
        bundle("collection", {"fullUrl": "http://x.example/Patient/1/_history/1", "resource": patient()}),
    ),
    ("bdl-10", bundle("document", COVER, identifier=IDENTIFIED)),
    ("bdl-9", bundle("document", COVER, timestamp=NOW, identifier={"value": "1"})),
    ("bdl-11", bundle("document", {"resource": patient()}, timestamp=NOW, identifier=IDENTIFIED)),
    ("bdl-12", bundle("message", {"resource": patient()})),
    ("age-1", of("Condition", onsetDateTime=None, onsetAge=quantity(5, system="http://unitsofmeasure.org"))),
    (
        "age-1",
        of(
            "Condition",
            onsetDateTime=None,
            onsetAge=quantity(0, system="http://unitsofmeasure.org", code="a"),
        ),
    ),
    ("age-1", of("Condition", onsetDateTime=None, onsetAge=quantity(5, system="http://x.example", code="a"))),
    ("cnt-3", extended("Count", quantity(5, system="http://unitsofmeasure.org", code="2"))),
    ("cnt-3", extended("Count", quantity(Number("5.5"), system="http://unitsofmeasure.org", code="1"))),
    ("dis-1", extended("Distance", quantity(5))),
    ("drt-1", timing(boundsDuration=quantity(5, system="http://x.example", code="d"))),
    ("exp-1", extended("Expression", {"language": "text/fhirpath"})),
    ("drq-1", extended("DataRequirement", {"type": "Patient", "codeFilter": [{"valueSet": "urn:x:y"}]})),
    (
        "drq-2",
        extended(
            "DataRequirement", {"type": "Patient", "dateFilter": [{"path": "birthDate", "searchParam": "x"}]}
        ),
    ),
    ("trd-2", extended("TriggerDefinition", {"type": "named-event", "name": "x", "condition": SAID})),
    ("trd-3", extended("TriggerDefinition", {"type": "periodic"})),
    ("rat-1", extended("Ratio", {"id": "x", "denominator": quantity(1)})),
    (
        "ctm-1",
        of("CareTeam", participant=[{"member": {"reference": "Patient/x"}, "onBehalfOf": ORGANIZATION}]),
    ),
    ("ppc-1", of("Consent", policyRule=None)),
]

KEPT = [
    allergy(clinicalStatus=None, verificationStatus=ERROR),
    of("Condition", abatementDateTime="2024", clinicalStatus=concept(CONDITION_CLINICAL, "resolved")),
    of("Encounter", period={"start": "2024-06-01", "end": "2024-06-01"}),
    of("Encounter", period={"start": "2024-06", "end": "2024-06-01"}),
    of("Encounter", period={"start": "2024-06-01T10:00:00Z", "end": "2024-06-01T10:00:00Z"}),
    of("Encounter", period={"end": "2024-06-01"}),
    value(dataAbsentReason=ABSENT),
    value(valueRange={"low": quantity(5), "high": quantity(Number("5.5"))}),
    value(valueRange={"low": quantity(6, unit="mg"), "high": quantity(5, unit="g")}),
    value(valueQuantity=quantity(5, code="mg", system="http://unitsofmeasure.org")),
    patient(extension=[{"url": "http://x.example", "extension": [{"url": "a", "valueBoolean": False}]}]),
    timing(frequency=3, period=1, periodUnit="d", when=["PCM", "HS"], offset=30),
    bundle("transaction", {"resource": patient(), "request": PUT}),
    bundle("searchset", {"resource": patient(), "search": {"mode": "match"}}, total=1),
    of("MedicationDispense", whenPrepared="2024-06-01"),
    of("Organization", name=None, identifier=[{"value": "1"}]),
    allergy(clinicalStatus=concept(ALLERGY_CLINICAL, "resolved")),
]


@pytest.mark.parametrize(("key", "tree"), BROKEN, ids=[f"{key}-{at}" for at, (key, _) in enumerate(BROKEN)])
def test_broken_rule_is_told_by_its_key(key: str, tree: dict[str, Any]) -> None:
    assert broken(tree) == [key]


@pytest.mark.parametrize("tree", KEPT, ids=range(len(KEPT)))
def test_kept_rules_are_silent(tree: dict[str, Any]) -> None:
    assert validate(tree) == []
