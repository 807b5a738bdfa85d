"""Medicines and vaccines.

http://hl7.org/fhir/R4/medications-module.html
"""

from typing import Final

from fhirstore.types.row import ResourceType, TypeNumber, paths
from fhirstore.types.systems import ATC, CVX, EVENT_STATUS, MEDICINE_SYSTEMS, YJ

MEDICINES: Final = (
    ResourceType(
        name="MedicationRequest",
        number=TypeNumber(11),
        patients=paths("subject", "requester", "performer", "reportedReference"),
        codes=paths("medicationCodeableConcept"),
        systems=MEDICINE_SYSTEMS,
        medication=("medicationReference",),
        categories=paths("category"),
        times=paths("authoredOn"),
        authors=paths("performer", "requester", "recorder", "reportedReference"),
        status=("status",),
        status_system="http://hl7.org/fhir/CodeSystem/medicationrequest-status",
    ),
    ResourceType(
        name="MedicationDispense",
        number=TypeNumber(12),
        patients=paths("subject", "performer.actor", "receiver"),
        codes=paths("medicationCodeableConcept"),
        systems=MEDICINE_SYSTEMS,
        medication=("medicationReference",),
        categories=paths("category"),
        times=paths("whenHandedOver"),
        authors=paths("performer.actor"),
        status=("status",),
        status_system="http://terminology.hl7.org/CodeSystem/medicationdispense-status",
    ),
    ResourceType(
        name="MedicationStatement",
        number=TypeNumber(13),
        patients=paths("subject", "informationSource"),
        codes=paths("medicationCodeableConcept"),
        systems=MEDICINE_SYSTEMS,
        medication=("medicationReference",),
        categories=paths("category"),
        times=paths("effectiveDateTime", "effectivePeriod"),
        authors=paths("informationSource"),
        status=("status",),
        status_system="http://hl7.org/fhir/CodeSystem/medication-statement-status",
    ),
    ResourceType(
        name="Medication",
        number=TypeNumber(14),
        directory=True,
        codes=paths("code"),
        systems=MEDICINE_SYSTEMS,
        status=("status",),
        status_system="http://hl7.org/fhir/CodeSystem/medication-status",
    ),
    ResourceType(
        name="Immunization",
        number=TypeNumber(15),
        patients=paths("patient"),
        codes=paths("vaccineCode"),
        systems=(CVX, YJ, ATC),
        times=paths("occurrenceDateTime"),
        authors=paths("performer.actor"),
        status=("status",),
        status_system=EVENT_STATUS,
    ),
    ResourceType(
        name="MedicationAdministration",
        number=TypeNumber(29),
        patients=paths("subject", "performer.actor"),
        codes=paths("medicationCodeableConcept"),
        systems=MEDICINE_SYSTEMS,
        medication=("medicationReference",),
        categories=paths("category"),
        times=paths("effectiveDateTime", "effectivePeriod"),
        authors=paths("performer.actor", "device"),
        status=("status",),
        status_system="http://terminology.hl7.org/CodeSystem/medication-admin-status",
    ),
)
