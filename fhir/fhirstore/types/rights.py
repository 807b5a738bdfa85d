"""Consents, what is on record about records, coverages and subscriptions.

http://hl7.org/fhir/R4/security-module.html

What a Consent or an AuditEvent merely talks about (an actor granted, a query) is none of its patients.
"""

from typing import Final

from fhirstore.types.row import ResourceType, TypeNumber, paths

RIGHTS: Final = (
    ResourceType(
        name="Consent",
        number=TypeNumber(19),
        patients=paths("patient"),
        categories=paths("category"),
        times=paths("dateTime"),
        authors=paths("performer"),
        status=("status",),
        status_system="http://hl7.org/fhir/consent-state-codes",
    ),
    ResourceType(
        name="Provenance",
        number=TypeNumber(20),
        patients=paths("target", "agent.who", "agent.onBehalfOf"),
        times=paths("occurredPeriod", "occurredDateTime"),
        authors=paths("agent.who"),
        follows=paths("target"),
    ),
    ResourceType(
        name="AuditEvent",
        number=TypeNumber(21),
        writable=False,
        patients=paths("entity.what", "agent.who"),
        times=paths("recorded"),
        authors=paths("source.observer"),
    ),
    ResourceType(
        name="Coverage",
        number=TypeNumber(46),
        patients=paths("beneficiary", "policyHolder", "subscriber", "payor"),
        times=paths("period"),
        status=("status",),
        status_system="http://hl7.org/fhir/fm-status",
    ),
    ResourceType(
        name="Subscription",
        number=TypeNumber(47),
        criteria=paths("criteria"),
        status=("status",),
        status_system="http://hl7.org/fhir/subscription-status",
    ),
)
