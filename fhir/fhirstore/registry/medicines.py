"""Medicines: what they are, prescribed, dispensed, given and taken: their search parameters.

http://hl7.org/fhir/R4/medications-module.html
"""

from typing import Final

from fhirstore.registry.definition import ACTORS, PARTIES, Table, date, reference, token

PARAMETERS: Final[Table] = {
    "Medication": (
        token("code"),
        date("expiration-date", "batch.expirationDate"),
        token("form"),
        token("identifier"),
        reference("ingredient", "ingredient.itemReference", "Medication Substance"),
        token("ingredient-code", "ingredient.itemCodeableConcept"),
        token("lot-number", "batch.lotNumber"),
        reference("manufacturer", targets="Organization"),
        token("status"),
    ),
    "MedicationRequest": (
        date("authoredon", "authoredOn"),
        token("category"),
        token("code", "medicationCodeableConcept"),
        date("date", "dosageInstruction.timing.event"),
        reference("encounter", targets="Encounter"),
        token("identifier"),
        reference("intended-dispenser", "dispenseRequest.performer", "Organization"),
        reference("intended-performer", "performer", f"CareTeam {ACTORS}"),
        token("intended-performertype", "performerType"),
        token("intent"),
        reference("medication", "medicationReference", "Medication"),
        reference("patient", "subject", "Patient"),
        token("priority"),
        reference("requester", targets=ACTORS),
        token("status"),
        reference("subject", targets="Group Patient"),
    ),
    "MedicationDispense": (
        token("code", "medicationCodeableConcept"),
        reference("context", targets="Encounter EpisodeOfCare"),
        reference("destination", targets="Location"),
        token("identifier"),
        reference("medication", "medicationReference", "Medication"),
        reference("patient", "subject", "Patient"),
        reference("performer", "performer.actor", ACTORS),
        reference("prescription", "authorizingPrescription", "MedicationRequest"),
        reference("receiver", targets="Patient Practitioner"),
        reference("responsibleparty", "substitution.responsibleParty", "Practitioner PractitionerRole"),
        token("status"),
        reference("subject", targets="Group Patient"),
        token("type"),
        date("whenhandedover", "whenHandedOver"),
        date("whenprepared", "whenPrepared"),
    ),
    "MedicationStatement": (
        token("category"),
        token("code", "medicationCodeableConcept"),
        reference("context", targets="Encounter EpisodeOfCare"),
        date("effective", "effectiveDateTime effectivePeriod"),
        token("identifier"),
        reference("medication", "medicationReference", "Medication"),
        reference(
            "part-of",
            targets="MedicationAdministration MedicationDispense MedicationStatement Observation Procedure",
        ),
        reference("patient", "subject", "Patient"),
        reference("source", "informationSource", PARTIES),
        token("status"),
        reference("subject", targets="Group Patient"),
    ),
    "MedicationAdministration": (
        token("code", "medicationCodeableConcept"),
        reference("context", targets="Encounter EpisodeOfCare"),
        reference("device", targets="Device"),
        date("effective-time", "effectiveDateTime effectivePeriod"),
        token("identifier"),
        reference("medication", "medicationReference", "Medication"),
        reference("patient", "subject", "Patient"),
        reference(
            "performer", "performer.actor", "Device Patient Practitioner PractitionerRole RelatedPerson"
        ),
        token("reason-given", "reasonCode"),
        token("reason-not-given", "statusReason"),
        reference("request", targets="MedicationRequest"),
        token("status"),
        reference("subject", targets="Group Patient"),
    ),
}
