"""What was found, measured and done.

http://hl7.org/fhir/R4/clinicalsummary-module.html
http://hl7.org/fhir/R4/diagnostics-module.html
"""

from typing import Final

from fhirstore.types.row import ResourceType, TypeNumber, paths
from fhirstore.types.systems import EVENT_STATUS, ICD_10, LOINC, MDC, SNOMED_CT

FINDINGS: Final = (
    ResourceType(
        name="Observation",
        number=TypeNumber(10),
        patients=paths("subject", "performer", "focus"),
        codes=paths("code"),
        component_codes=paths("component.code"),
        systems=(LOINC, MDC),
        categories=paths("category"),
        times=paths("effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant"),
        authors=paths("performer", "device"),
        status=("status",),
        status_system="http://hl7.org/fhir/observation-status",
    ),
    ResourceType(
        name="AllergyIntolerance",
        number=TypeNumber(16),
        patients=paths("patient", "recorder", "asserter"),
        codes=paths("code"),
        systems=(ICD_10, SNOMED_CT),
        categories=paths("category"),
        category_system="http://hl7.org/fhir/allergy-intolerance-category",
        times=paths("onsetDateTime", "onsetPeriod"),
        authors=paths("recorder", "asserter"),
        status=("clinicalStatus",),
        status_system="http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
    ),
    ResourceType(
        name="Condition",
        number=TypeNumber(17),
        patients=paths("subject", "recorder", "asserter"),
        codes=paths("code"),
        systems=(ICD_10, SNOMED_CT),
        categories=paths("category"),
        times=paths("onsetDateTime", "onsetPeriod"),
        authors=paths("recorder", "asserter"),
        status=("clinicalStatus",),
        status_system="http://terminology.hl7.org/CodeSystem/condition-clinical",
    ),
    ResourceType(
        name="DiagnosticReport",
        number=TypeNumber(25),
        patients=paths("subject"),
        codes=paths("code"),
        systems=(LOINC,),
        categories=paths("category"),
        times=paths("effectiveDateTime", "effectivePeriod"),
        authors=paths("performer", "resultsInterpreter"),
        status=("status",),
        status_system="http://hl7.org/fhir/diagnostic-report-status",
    ),
    ResourceType(
        name="Specimen",
        number=TypeNumber(26),
        patients=paths("subject"),
        codes=paths("type"),
        systems=(SNOMED_CT,),
        times=paths("collection.collectedDateTime", "collection.collectedPeriod"),
        authors=paths("collection.collector"),
        status=("status",),
        status_system="http://hl7.org/fhir/specimen-status",
    ),
    ResourceType(
        name="Procedure",
        number=TypeNumber(27),
        patients=paths("subject", "performer.actor", "recorder", "asserter"),
        codes=paths("code"),
        systems=(SNOMED_CT, ICD_10),
        categories=paths("category"),
        times=paths("performedDateTime", "performedPeriod"),
        authors=paths("performer.actor", "recorder", "asserter"),
        status=("status",),
        status_system=EVENT_STATUS,
    ),
    # What runs in the family is told by its conditions; the relative has no code that would matter.
    ResourceType(
        name="FamilyMemberHistory",
        number=TypeNumber(28),
        patients=paths("patient"),
        codes=paths("condition.code"),
        systems=(ICD_10, SNOMED_CT),
        times=paths("date"),
        status=("status",),
        status_system="http://hl7.org/fhir/history-status",
    ),
)
