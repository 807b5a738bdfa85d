"""JP Core 1.1 and 1.2: what its profiles demand of medicines, observations, allergies and persons.

https://jpfhir.jp/fhir/core/

Between the two editions the name spaces of the Rp numbers moved from OIDs to URLs; both are taken. Value sets
that are preferred, and references to other profiles, are not checked.
"""

from typing import Final

from fhirstore.elements import UCUM
from fhirstore.validate.profiles.rules import Demand, Fixed, Of, Required, Types

BASE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/"
VERSIONS: Final = ("1.1", "1.2")

_CATEGORY: Final = "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS"
_RP_NUMBER: Final = (
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber",
    "urn:oid:1.2.392.100495.20.3.81",
)
_ORDER_IN_RP: Final = (
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex",
    "urn:oid:1.2.392.100495.20.3.82",
)

_NUMBERED: Final[tuple[Demand, ...]] = (
    Of("", "identifier", _RP_NUMBER, needs=("value",), most=1),
    Of("", "identifier", _ORDER_IN_RP, needs=("value",), most=1),
)
_CODED_MEDICINE: Final[tuple[Demand, ...]] = (
    Types("", "medication", ("CodeableConcept",)),
    Required("medicationCodeableConcept", ("coding",)),
    Required("medicationCodeableConcept.coding", ("system", "code", "display")),
)


def _dosage() -> tuple[Demand, ...]:
    per_day = "dosageInstruction.doseAndRate.rateRatio.denominator"
    return (
        Required("dosageInstruction", ("text", "timing")),
        Required("dosageInstruction.timing", ("code",)),
        Required("dosageInstruction.doseAndRate.doseQuantity", ("value", "code")),
        Required("dosageInstruction.doseAndRate.rateRatio.numerator", ("value", "code")),
        Required(per_day, ("value", "unit", "system", "code")),
        Fixed(per_day, "system", (UCUM,)),
        Fixed(per_day, "code", ("d",)),
        Fixed(per_day, "value", (1,)),
    )


PATIENT: Final[tuple[Demand, ...]] = (
    Required("", ("identifier",)),
    Required("identifier", ("value",)),
)

MEDICATION_REQUEST: Final[tuple[Demand, ...]] = (
    *_NUMBERED,
    Fixed("", "intent", ("order",)),
    *_CODED_MEDICINE,
    Required("", ("authoredOn",)),
    *_dosage(),
    Required("dispenseRequest.quantity", ("value", "unit", "system", "code")),
    Required("dispenseRequest.expectedSupplyDuration", ("value", "unit", "system", "code")),
    Fixed("dispenseRequest.expectedSupplyDuration", "system", (UCUM,)),
)

MEDICATION_DISPENSE: Final[tuple[Demand, ...]] = (
    *_NUMBERED,
    *_CODED_MEDICINE,
    Required("", ("subject", "quantity", "whenHandedOver")),
    Required("quantity", ("value", "unit", "system", "code")),
    *_dosage(),
)

OBSERVATION_LAB: Final[tuple[Demand, ...]] = (
    Required("", ("category", "subject", "effective[x]", "specimen")),
    Of("category", "coding", (_CATEGORY,), codes=("laboratory",)),
    Required("code", ("coding", "text")),
    Types("", "effective", ("DateTime", "Period", "Timing")),
    Types("", "value", ("Quantity", "CodeableConcept", "String")),
)

OBSERVATION_VITAL: Final[tuple[Demand, ...]] = (
    Required("", ("category", "subject")),
    Types("", "effective", ("DateTime", "Period")),
)

ALLERGY: Final[tuple[Demand, ...]] = (Required("", ("code",)),)

PROFILES: Final[tuple[tuple[str, str, tuple[Demand, ...]], ...]] = (
    ("JP_Patient", "Patient", PATIENT),
    ("JP_MedicationRequest", "MedicationRequest", MEDICATION_REQUEST),
    ("JP_MedicationDispense", "MedicationDispense", MEDICATION_DISPENSE),
    ("JP_Observation_Common", "Observation", ()),
    ("JP_Observation_LabResult", "Observation", OBSERVATION_LAB),
    ("JP_Observation_VitalSigns", "Observation", OBSERVATION_VITAL),
    ("JP_AllergyIntolerance", "AllergyIntolerance", ALLERGY),
)
