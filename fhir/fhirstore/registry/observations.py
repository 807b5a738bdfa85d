"""What was measured, on what, and by which device: their search parameters.

http://hl7.org/fhir/R4/diagnostics-module.html
"""

from typing import Final

from fhirstore.registry.definition import (
    MEMBERS,
    SUBJECTS,
    Kind,
    Table,
    component,
    composite,
    date,
    quantity,
    reference,
    string,
    token,
    uri,
)

_CODE: Final = component(Kind.TOKEN, "code")
_CONCEPT: Final = component(Kind.TOKEN, "valueCodeableConcept")
_QUANTITY: Final = component(Kind.QUANTITY, "valueQuantity")
_WHOLES: Final = (
    "ImagingStudy Immunization MedicationAdministration MedicationDispense MedicationStatement Procedure"
)

PARAMETERS: Final[Table] = {
    "Observation": (
        reference(
            "based-on",
            targets="CarePlan DeviceRequest ImmunizationRecommendation MedicationRequest NutritionOrder ServiceRequest",
        ),
        token("category"),
        token("code"),
        composite("code-value-concept", ".", _CODE, _CONCEPT),
        composite("code-value-date", ".", _CODE, component(Kind.DATE, "valueDateTime valuePeriod")),
        composite("code-value-quantity", ".", _CODE, _QUANTITY),
        composite("code-value-string", ".", _CODE, component(Kind.STRING, "valueString")),
        token("combo-code", "code component.code"),
        composite("combo-code-value-concept", ". component", _CODE, _CONCEPT),
        composite("combo-code-value-quantity", ". component", _CODE, _QUANTITY),
        token("combo-data-absent-reason", "dataAbsentReason component.dataAbsentReason"),
        token("combo-value-concept", "valueCodeableConcept component.valueCodeableConcept"),
        quantity(
            "combo-value-quantity",
            "valueQuantity valueSampledData component.valueQuantity component.valueSampledData",
        ),
        token("component-code", "component.code"),
        composite("component-code-value-concept", "component", _CODE, _CONCEPT),
        composite("component-code-value-quantity", "component", _CODE, _QUANTITY),
        token("component-data-absent-reason", "component.dataAbsentReason"),
        token("component-value-concept", "component.valueCodeableConcept"),
        quantity("component-value-quantity", "component.valueQuantity component.valueSampledData"),
        token("data-absent-reason"),
        date("date", "effectiveDateTime effectiveInstant effectivePeriod effectiveTiming"),
        reference(
            "derived-from",
            targets="DocumentReference ImagingStudy Media MolecularSequence Observation QuestionnaireResponse",
        ),
        reference("device", targets="Device DeviceMetric"),
        reference("encounter", targets="Encounter"),
        reference("focus"),
        reference("has-member", targets="MolecularSequence Observation QuestionnaireResponse"),
        token("identifier"),
        token("method"),
        reference("part-of", targets=_WHOLES),
        reference("patient", "subject", "Patient"),
        reference("performer", targets=MEMBERS),
        reference("specimen", targets="Specimen"),
        token("status"),
        reference("subject", targets=SUBJECTS),
        token("value-concept", "valueCodeableConcept"),
        date("value-date", "valueDateTime valuePeriod"),
        quantity("value-quantity", "valueQuantity valueSampledData"),
        string("value-string", "valueString valueCodeableConcept.text"),
    ),
    "DiagnosticReport": (
        reference(
            "based-on",
            targets="CarePlan ImmunizationRecommendation MedicationRequest NutritionOrder ServiceRequest",
        ),
        token("category"),
        token("code"),
        token("conclusion", "conclusionCode"),
        date("date", "effectiveDateTime effectivePeriod"),
        reference("encounter", targets="Encounter"),
        token("identifier"),
        date("issued"),
        reference("media", "media.link", "Media"),
        reference("patient", "subject", "Patient"),
        reference("performer", targets="CareTeam Organization Practitioner PractitionerRole"),
        reference("result", targets="Observation"),
        reference("results-interpreter", targets="CareTeam Organization Practitioner PractitionerRole"),
        reference("specimen", targets="Specimen"),
        token("status"),
        reference("subject", targets=SUBJECTS),
    ),
    "Specimen": (
        token("accession", "accessionIdentifier"),
        token("bodysite", "collection.bodySite"),
        date("collected", "collection.collectedDateTime collection.collectedPeriod"),
        reference("collector", "collection.collector", "Practitioner PractitionerRole"),
        token("container", "container.type"),
        token("container-id", "container.identifier"),
        token("identifier"),
        reference("parent", targets="Specimen"),
        reference("patient", "subject", "Patient"),
        token("status"),
        reference("subject", targets="Device Group Location Patient Substance"),
        token("type"),
    ),
    "Device": (
        string("device-name", "deviceName.name type.coding.display type.text"),
        token("identifier"),
        reference("location", targets="Location"),
        string("manufacturer"),
        string("model", "modelNumber"),
        reference("organization", "owner", "Organization"),
        reference("patient", targets="Patient"),
        token("status"),
        token("type"),
        string("udi-carrier", "udiCarrier.carrierHRF"),
        string("udi-di", "udiCarrier.deviceIdentifier"),
        uri("url"),
    ),
    "DeviceMetric": (
        token("category"),
        token("identifier"),
        reference("parent", targets="Device"),
        reference("source", targets="Device"),
        token("type"),
    ),
}
