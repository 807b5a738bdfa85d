"""The code systems of plain codes, which the specification fixes by a required binding.

http://hl7.org/fhir/R4/terminologies.html#required
http://hl7.org/fhir/R4/search.html#token

A plain code stands without its system: `system|code` finds it only by the system of this table. What is
not in the table is no code of a system (an id, a URI, a text).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.types import Path, ResourceType

SPECIAL_VALUES: Final = (
    "http://hl7.org/fhir/special-values",
    "http://terminology.hl7.org/CodeSystem/special-values",
)
"""The systems of `true` and `false` as codes: as the search page writes it, and as it is published."""

_FHIR: Final = "http://hl7.org/fhir"
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"

_OF_ELEMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "address.use": f"{_FHIR}/address-use",
        "gender": f"{_FHIR}/administrative-gender",
        "language": "urn:ietf:bcp:47",
    }
)
"""Elements that have the same system in every type."""

_LAST: Final[Mapping[str, str]] = MappingProxyType(
    {
        "contentType": "urn:ietf:bcp:13",
        "payload": "urn:ietf:bcp:13",
        "language": "urn:ietf:bcp:47",
    }
)
"""Elements of data types, wherever they stand."""

_OF_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AllergyIntolerance.category": f"{_FHIR}/allergy-intolerance-category",
        "AllergyIntolerance.criticality": f"{_FHIR}/allergy-intolerance-criticality",
        "AllergyIntolerance.reaction.severity": f"{_FHIR}/reaction-event-severity",
        "AllergyIntolerance.type": f"{_FHIR}/allergy-intolerance-type",
        "Appointment.participant.status": f"{_FHIR}/participationstatus",
        "Appointment.status": f"{_FHIR}/appointmentstatus",
        "AuditEvent.action": f"{_FHIR}/audit-event-action",
        "AuditEvent.outcome": f"{_FHIR}/audit-event-outcome",
        "Bundle.type": f"{_FHIR}/bundle-type",
        "CarePlan.activity.detail.status": f"{_FHIR}/care-plan-activity-status",
        "CarePlan.intent": f"{_FHIR}/request-intent",
        "CarePlan.status": f"{_FHIR}/request-status",
        "CareTeam.status": f"{_FHIR}/care-team-status",
        "CodeSystem.content": f"{_FHIR}/codesystem-content-mode",
        "CodeSystem.status": f"{_FHIR}/publication-status",
        "Communication.priority": f"{_FHIR}/request-priority",
        "Communication.status": f"{_FHIR}/event-status",
        "CommunicationRequest.priority": f"{_FHIR}/request-priority",
        "CommunicationRequest.status": f"{_FHIR}/request-status",
        "Composition.confidentiality": f"{_TERMINOLOGY}/v3-Confidentiality",
        "Composition.relatesTo.code": f"{_FHIR}/document-relationship-type",
        "Composition.status": f"{_FHIR}/composition-status",
        "Consent.provision.data.meaning": f"{_FHIR}/consent-data-meaning",
        "Consent.status": f"{_FHIR}/consent-state-codes",
        "Coverage.status": f"{_FHIR}/fm-status",
        "Device.status": f"{_FHIR}/device-status",
        "DeviceMetric.category": f"{_FHIR}/metric-category",
        "DeviceMetric.operationalStatus": f"{_FHIR}/metric-operational-status",
        "DiagnosticReport.status": f"{_FHIR}/diagnostic-report-status",
        "DocumentReference.docStatus": f"{_FHIR}/composition-status",
        "DocumentReference.relatesTo.code": f"{_FHIR}/document-relationship-type",
        "DocumentReference.status": f"{_FHIR}/document-reference-status",
        "Encounter.location.status": f"{_FHIR}/encounter-location-status",
        "Encounter.status": f"{_FHIR}/encounter-status",
        "EpisodeOfCare.status": f"{_FHIR}/episode-of-care-status",
        "FamilyMemberHistory.status": f"{_FHIR}/history-status",
        "Goal.lifecycleStatus": f"{_FHIR}/goal-status",
        "Group.type": f"{_FHIR}/group-type",
        "Immunization.status": f"{_FHIR}/event-status",
        "List.mode": f"{_FHIR}/list-mode",
        "List.status": f"{_FHIR}/list-status",
        "Location.mode": f"{_FHIR}/location-mode",
        "Location.status": f"{_FHIR}/location-status",
        "Medication.status": f"{_FHIR}/CodeSystem/medication-status",
        "MedicationAdministration.status": f"{_TERMINOLOGY}/medication-admin-status",
        "MedicationDispense.status": f"{_TERMINOLOGY}/medicationdispense-status",
        "MedicationRequest.intent": f"{_FHIR}/CodeSystem/medicationrequest-intent",
        "MedicationRequest.priority": f"{_FHIR}/request-priority",
        "MedicationRequest.status": f"{_FHIR}/CodeSystem/medicationrequest-status",
        "MedicationStatement.status": f"{_FHIR}/CodeSystem/medication-statement-status",
        "Observation.status": f"{_FHIR}/observation-status",
        "Patient.link.type": f"{_FHIR}/link-type",
        "Person.link.assurance": f"{_FHIR}/identity-assuranceLevel",
        "Procedure.status": f"{_FHIR}/event-status",
        "Questionnaire.item.type": f"{_FHIR}/item-type",
        "Questionnaire.status": f"{_FHIR}/publication-status",
        "Questionnaire.subjectType": f"{_FHIR}/resource-types",
        "QuestionnaireResponse.status": f"{_FHIR}/questionnaire-answers-status",
        "ServiceRequest.intent": f"{_FHIR}/request-intent",
        "ServiceRequest.priority": f"{_FHIR}/request-priority",
        "ServiceRequest.status": f"{_FHIR}/request-status",
        "Specimen.status": f"{_FHIR}/specimen-status",
        "Subscription.channel.type": f"{_FHIR}/subscription-channel-type",
        "Subscription.status": f"{_FHIR}/subscription-status",
        "Task.intent": f"{_FHIR}/request-intent",
        "Task.priority": f"{_FHIR}/request-priority",
        "Task.status": f"{_FHIR}/task-status",
        "ValueSet.status": f"{_FHIR}/publication-status",
    }
)


def system_of(type_: ResourceType, path: Path) -> str:
    """Return the system of plain codes at a path of a type, empty where they have none."""
    dotted = ".".join(step.partition("[")[0] for step in path)
    if path and path == type_.status and type_.status_system:
        return type_.status_system
    if path in type_.categories and type_.category_system:
        return type_.category_system
    return (
        _OF_TYPES.get(f"{type_.name}.{dotted}")
        or _OF_ELEMENTS.get(dotted)
        or _LAST.get(path[-1] if path else "", "")
    )
