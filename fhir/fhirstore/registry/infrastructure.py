"""Consents, the record of who did what, cover and subscriptions: their search parameters.

http://hl7.org/fhir/R4/secpriv-module.html
"""

from typing import Final

from fhirstore.registry.definition import ACTORS, PARTIES, Table, date, reference, string, token, uri

PARAMETERS: Final[Table] = {
    "Consent": (
        token("action", "provision.action"),
        reference("actor", "provision.actor.reference", f"CareTeam Group {ACTORS}"),
        token("category"),
        reference("consentor", "performer", PARTIES),
        reference("data", "provision.data.reference"),
        date("date", "dateTime"),
        token("identifier"),
        reference("organization", targets="Organization"),
        reference("patient", targets="Patient"),
        date("period", "provision.period"),
        token("purpose", "provision.purpose"),
        token("scope"),
        token("security-label", "provision.securityLabel"),
        reference("source-reference", targets="Consent Contract DocumentReference QuestionnaireResponse"),
        token("status"),
    ),
    "Provenance": (
        reference("agent", "agent.who", ACTORS),
        token("agent-role", "agent.role"),
        token("agent-type", "agent.type"),
        reference("entity", "entity.what"),
        reference("location", targets="Location"),
        reference("patient", "target", "Patient"),
        date("recorded"),
        token("signature-type", "signature.type"),
        reference("target"),
        # The published expression leaves the period out; whoever asks when something happened wants both.
        date("when", "occurredPeriod occurredDateTime"),
    ),
    "AuditEvent": (
        token("action"),
        string("address", "agent.network.address"),
        reference("agent", "agent.who", ACTORS),
        string("agent-name", "agent.name"),
        token("agent-role", "agent.role"),
        token("altid", "agent.altId"),
        date("date", "recorded"),
        reference("entity", "entity.what"),
        string("entity-name", "entity.name"),
        token("entity-role", "entity.role"),
        token("entity-type", "entity.type"),
        token("outcome"),
        reference("patient", "agent.who entity.what", "Patient"),
        uri("policy", "agent.policy"),
        token("site", "source.site"),
        reference("source", "source.observer", ACTORS),
        token("subtype"),
        token("type"),
    ),
    "Coverage": (
        reference("beneficiary", targets="Patient"),
        token("class-type", "class.type"),
        string("class-value", "class.value"),
        string("dependent"),
        token("identifier"),
        reference("patient", "beneficiary", "Patient"),
        reference("payor", targets="Organization Patient RelatedPerson"),
        reference("policy-holder", targets="Organization Patient RelatedPerson"),
        token("status"),
        reference("subscriber", targets="Patient RelatedPerson"),
        token("type"),
    ),
    "Subscription": (
        token("contact"),
        string("criteria"),
        token("payload", "channel.payload"),
        token("status"),
        token("type", "channel.type"),
        uri("url", "channel.endpoint"),
    ),
}
