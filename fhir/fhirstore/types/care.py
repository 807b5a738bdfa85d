"""Visits, plans, orders, appointments and messages.

http://hl7.org/fhir/R4/careprovision-module.html
http://hl7.org/fhir/R4/workflow.html
"""

from typing import Final

from fhirstore.types.row import ResourceType, TypeNumber, paths
from fhirstore.types.systems import EVENT_STATUS, LOINC, REQUEST_STATUS, SNOMED_CT

CARE: Final = (
    ResourceType(
        name="Encounter",
        number=TypeNumber(18),
        patients=paths("subject"),
        times=paths("period"),
        status=("status",),
        status_system="http://hl7.org/fhir/encounter-status",
    ),
    ResourceType(
        name="EpisodeOfCare",
        number=TypeNumber(30),
        patients=paths("patient"),
        times=paths("period"),
        status=("status",),
        status_system="http://hl7.org/fhir/episode-of-care-status",
    ),
    ResourceType(
        name="CarePlan",
        number=TypeNumber(31),
        patients=paths("subject", "author", "contributor", "activity.detail.performer"),
        categories=paths("category"),
        times=paths("period"),
        authors=paths("author", "contributor"),
        status=("status",),
        status_system=REQUEST_STATUS,
    ),
    ResourceType(
        name="Goal",
        number=TypeNumber(32),
        patients=paths("subject", "expressedBy"),
        codes=paths("description"),
        systems=(SNOMED_CT,),
        categories=paths("category"),
        times=paths("startDate"),
        authors=paths("expressedBy"),
        status=("lifecycleStatus",),
        status_system="http://hl7.org/fhir/goal-status",
    ),
    ResourceType(
        name="ServiceRequest",
        number=TypeNumber(33),
        patients=paths("subject", "requester", "performer"),
        codes=paths("code"),
        systems=(LOINC, SNOMED_CT),
        categories=paths("category"),
        times=paths("authoredOn", "occurrenceDateTime", "occurrencePeriod", "occurrenceTiming"),
        authors=paths("requester", "performer"),
        status=("status",),
        status_system=REQUEST_STATUS,
    ),
    ResourceType(
        name="Appointment",
        number=TypeNumber(34),
        patients=paths("participant.actor"),
        times=paths("start", "requestedPeriod"),
        status=("status",),
        status_system="http://hl7.org/fhir/appointmentstatus",
    ),
    ResourceType(
        name="Task",
        number=TypeNumber(35),
        patients=paths("for", "focus", "requester", "owner", "restriction.recipient"),
        codes=paths("code"),
        times=paths("authoredOn", "executionPeriod"),
        authors=paths("requester", "owner"),
        status=("status",),
        status_system="http://hl7.org/fhir/task-status",
    ),
    ResourceType(
        name="Communication",
        number=TypeNumber(36),
        patients=paths("subject", "recipient", "sender", "about"),
        categories=paths("category"),
        times=paths("sent", "received"),
        authors=paths("sender"),
        status=("status",),
        status_system=EVENT_STATUS,
    ),
    ResourceType(
        name="CommunicationRequest",
        number=TypeNumber(37),
        patients=paths("subject", "recipient", "requester", "sender", "about"),
        categories=paths("category"),
        times=paths("authoredOn", "occurrenceDateTime", "occurrencePeriod"),
        authors=paths("requester", "sender"),
        status=("status",),
        status_system=REQUEST_STATUS,
    ),
    ResourceType(
        name="List",
        number=TypeNumber(38),
        patients=paths("subject", "source", "entry.item"),
        codes=paths("code"),
        systems=(LOINC, SNOMED_CT),
        times=paths("date"),
        authors=paths("source"),
        status=("status",),
        status_system="http://hl7.org/fhir/list-status",
    ),
)
