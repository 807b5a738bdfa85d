"""Persons, those who care for them, and where: their search parameters.

http://hl7.org/fhir/R4/administration-module.html
"""

from typing import Final

from fhirstore.registry.definition import (
    MEMBERS,
    Kind,
    Table,
    component,
    composite,
    date,
    reference,
    string,
    token,
)

_ADDRESS: Final = (
    string("address"),
    string("address-city", "address.city"),
    string("address-country", "address.country"),
    string("address-postalcode", "address.postalCode"),
    string("address-state", "address.state"),
    token("address-use", "address.use"),
)
_TELECOM: Final = (
    token("email", "telecom[system=email]"),
    token("phone", "telecom[system=phone]"),
    token("telecom"),
)
_NAME: Final = (
    string("name"),
    string("phonetic", "name"),
)

PARAMETERS: Final[Table] = {
    "Patient": (
        *_ADDRESS,
        *_TELECOM,
        *_NAME,
        token("active"),
        date("birthdate", "birthDate"),
        date("death-date", "deceasedDateTime"),
        token("deceased", "?deceasedBoolean|deceasedDateTime"),
        string("family", "name.family"),
        token("gender"),
        reference("general-practitioner", targets="Organization Practitioner PractitionerRole"),
        string("given", "name.given"),
        token("identifier"),
        token("language", "communication.language"),
        reference("link", "link.other", "Patient RelatedPerson"),
        reference("organization", "managingOrganization", "Organization"),
    ),
    "RelatedPerson": (
        *_ADDRESS,
        *_TELECOM,
        *_NAME,
        token("active"),
        date("birthdate", "birthDate"),
        token("gender"),
        token("identifier"),
        reference("patient", targets="Patient"),
        token("relationship"),
    ),
    "Person": (
        *_ADDRESS,
        *_TELECOM,
        *_NAME,
        date("birthdate", "birthDate"),
        token("gender"),
        token("identifier"),
        reference("link", "link.target", "Patient Person Practitioner RelatedPerson"),
        reference("organization", "managingOrganization", "Organization"),
        reference("patient", "link.target", "Patient"),
        reference("practitioner", "link.target", "Practitioner"),
        reference("relatedperson", "link.target", "RelatedPerson"),
    ),
    "Practitioner": (
        *_ADDRESS,
        *_TELECOM,
        *_NAME,
        token("active"),
        token("communication"),
        string("family", "name.family"),
        token("gender"),
        string("given", "name.given"),
        token("identifier"),
    ),
    "PractitionerRole": (
        *_TELECOM,
        token("active"),
        date("date", "period"),
        reference("endpoint", targets="Endpoint"),
        token("identifier"),
        reference("location", targets="Location"),
        reference("organization", targets="Organization"),
        reference("practitioner", targets="Practitioner"),
        token("role", "code"),
        reference("service", "healthcareService", "HealthcareService"),
        token("specialty"),
    ),
    "Organization": (
        *_ADDRESS,
        token("active"),
        reference("endpoint", targets="Endpoint"),
        token("identifier"),
        string("name", "name alias"),
        reference("partof", "partOf", "Organization"),
        string("phonetic", "name"),
        token("type"),
    ),
    # `near` is missing: it is of the type `special`, and a position is no fact that the store can compare
    # without an index of places, which the passport has no use for.
    "Location": (
        *_ADDRESS,
        reference("endpoint", targets="Endpoint"),
        token("identifier"),
        string("name", "name alias"),
        token("operational-status"),
        reference("organization", "managingOrganization", "Organization"),
        reference("partof", "partOf", "Location"),
        token("status"),
        token("type"),
    ),
    "CareTeam": (
        token("category"),
        date("date", "period"),
        reference("encounter", targets="Encounter"),
        token("identifier"),
        reference("participant", "participant.member", MEMBERS),
        reference("patient", "subject", "Patient"),
        token("status"),
        reference("subject", targets="Group Patient"),
    ),
    "Group": (
        token("actual"),
        token("characteristic", "characteristic.code"),
        composite(
            "characteristic-value",
            "characteristic",
            component(Kind.TOKEN, "code"),
            component(Kind.TOKEN, "valueCodeableConcept valueBoolean"),
        ),
        token("code"),
        token("exclude", "characteristic.exclude"),
        token("identifier"),
        reference("managing-entity", targets="Organization Practitioner PractitionerRole RelatedPerson"),
        reference(
            "member",
            "member.entity",
            "Device Group Medication Patient Practitioner PractitionerRole Substance",
        ),
        token("type"),
        token("value", "characteristic.valueCodeableConcept characteristic.valueBoolean"),
    ),
}
