"""The code systems of plain codes, which the specification fixes by a required binding.

http://hl7.org/fhir/R4/terminologies.html#required
http://hl7.org/fhir/R4/search.html#token

A plain code stands without its system: `system|code` finds it only by the system that is fixed for it, here
or, of statuses and categories, in the row of its type. Anything else is no code of a system (an id, a URI, a
text).
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
        "contentType": "urn:ietf:bcp:13",
        "gender": f"{_FHIR}/administrative-gender",
        "language": "urn:ietf:bcp:47",
        "payload": "urn:ietf:bcp:13",
    }
)
"""Elements that have the same system in every type, by their path or its last step."""

SYSTEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AllergyIntolerance.criticality": f"{_FHIR}/allergy-intolerance-criticality",
        "AllergyIntolerance.reaction.severity": f"{_FHIR}/reaction-event-severity",
        "AllergyIntolerance.type": f"{_FHIR}/allergy-intolerance-type",
        "Appointment.participant.status": f"{_FHIR}/participationstatus",
        "AuditEvent.outcome": f"{_FHIR}/audit-event-outcome",
        "Bundle.type": f"{_FHIR}/bundle-type",
        "CarePlan.intent": f"{_FHIR}/request-intent",
        "CodeSystem.content": f"{_FHIR}/codesystem-content-mode",
        "CommunicationRequest.priority": f"{_FHIR}/request-priority",
        "Composition.confidentiality": f"{_TERMINOLOGY}/v3-Confidentiality",
        "DocumentReference.relatesTo.code": f"{_FHIR}/document-relationship-type",
        "Group.type": f"{_FHIR}/group-type",
        "MedicationRequest.intent": f"{_FHIR}/CodeSystem/medicationrequest-intent",
        "MedicationRequest.priority": f"{_FHIR}/request-priority",
        "Questionnaire.subjectType": f"{_FHIR}/resource-types",
        "ServiceRequest.intent": f"{_FHIR}/request-intent",
        "ServiceRequest.priority": f"{_FHIR}/request-priority",
        "Subscription.channel.type": f"{_FHIR}/subscription-channel-type",
        "Task.intent": f"{_FHIR}/request-intent",
        "Task.priority": f"{_FHIR}/request-priority",
    }
)
"""Elements of one type."""


def system_of(type_: ResourceType, path: Path) -> str:
    """Return the system of plain codes at a path of a type, empty where they have none."""
    if not path:
        return ""
    if path == type_.status and type_.status_system:
        return type_.status_system
    if path in type_.categories and type_.category_system:
        return type_.category_system
    dotted = ".".join(step.partition("[")[0] for step in path)
    return SYSTEMS.get(f"{type_.name}.{dotted}") or _OF_ELEMENTS.get(dotted) or _OF_ELEMENTS.get(path[-1], "")
