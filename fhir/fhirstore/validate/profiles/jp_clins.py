"""JP-CLINS 1: what its eCS profiles demand of what institutions send to one another, beyond JP Core.

https://jpfhir.jp/fhir/clins/igv1/

`meta.lastUpdated` is demanded there too; the store sets it on whatever it takes, so it is not asked of the
sender. Codes of drugs, laboratories and allergens are not looked up: their masters are not part of the profiles.
"""

from typing import Final

from fhirstore.validate.profiles import jp_core
from fhirstore.validate.profiles.rules import AtMost, Demand, Extended, Fixed, Of, Required, Types

BASE: Final = "http://jpfhir.jp/fhir/eCS/StructureDefinition/"
VERSIONS: Final = ("1",)

_RESOURCE_ID: Final = ("http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier",)
_PERIOD_OF_USE: Final = (
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_MedicationDosage_PeriodOfUse"
)
_USAGES: Final = (
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUsage_ePrescription",
    "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_MedicationUsage_Uncoded_CS",
)
_MEDICINES: Final = (
    "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationGeneralOrderCode",
    "http://jpfhir.jp/fhir/eCS/CodeSystem/MedicationCodeNocoded_CS",
)
_LOCAL_TEST: Final = "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_LocalCode_CS"

_IDENTIFIED: Final[tuple[Demand, ...]] = (
    Required("", ("identifier",)),
    Of("", "identifier", _RESOURCE_ID, needs=("value",), most=1),
)

PATIENT: Final[tuple[Demand, ...]] = (
    *jp_core.PATIENT,
    Required("", ("name", "gender", "birthDate", "address")),
    Required("name", ("family", "given")),
    AtMost("", "address"),
    Required("address", ("text",)),
)

ALLERGY: Final[tuple[Demand, ...]] = (
    *jp_core.ALLERGY,
    *_IDENTIFIED,
    Required("clinicalStatus", ("coding",)),
    Required("verificationStatus", ("coding",)),
    Required("code", ("coding", "text")),
    Required("code.coding", ("system", "code", "display")),
    # Demanded of every reaction, and missing in the published examples.
    Required("reaction.manifestation", ("text",), severity="warning"),
)

_DOSAGE: Final = "dosageInstruction"

MEDICATION_REQUEST: Final[tuple[Demand, ...]] = (
    *jp_core.MEDICATION_REQUEST,
    Of("", "identifier", _RESOURCE_ID, needs=("value",), most=1),
    Fixed("", "status", ("completed",)),
    Required("medicationCodeableConcept", ("text",)),
    Of("medicationCodeableConcept", "coding", _MEDICINES, needs=("code", "display")),
    AtMost("", "note"),
    Extended(_DOSAGE, _PERIOD_OF_USE),
    Required(f"{_DOSAGE}.additionalInstruction", ("coding", "text")),
    Required(f"{_DOSAGE}.additionalInstruction.coding", ("system", "code")),
    Required(f"{_DOSAGE}.timing.code", ("coding", "text")),
    Required(f"{_DOSAGE}.timing.code.coding", ("system", "code")),
    Of(f"{_DOSAGE}.timing.code", "coding", _USAGES, needs=("code",), most=1),
    Required(f"{_DOSAGE}.doseAndRate", ("type",)),
    Required(f"{_DOSAGE}.doseAndRate.type", ("coding",)),
    Required(f"{_DOSAGE}.doseAndRate.type.coding", ("system", "code", "display")),
    Required(f"{_DOSAGE}.doseAndRate.doseQuantity", ("unit", "system")),
    Required(f"{_DOSAGE}.doseAndRate.rateRatio", ("numerator", "denominator")),
    Required(f"{_DOSAGE}.doseAndRate.rateRatio.numerator", ("unit", "system")),
)

OBSERVATION_LAB: Final[tuple[Demand, ...]] = (
    *jp_core.OBSERVATION_LAB,
    *_IDENTIFIED,
    AtMost("", "category"),
    Required("code.coding", ("system", "code", "display")),
    # Rule R6021 of the exchange: the sender's own code beside the standard one.
    Of("code", "coding", (_LOCAL_TEST,)),
    Types("", "effective", ("DateTime",)),
    AtMost("", "basedOn"),
    AtMost("", "performer"),
)

PROFILES: Final[tuple[tuple[str, str, tuple[Demand, ...]], ...]] = (
    ("JP_Patient_eCS", "Patient", PATIENT),
    ("JP_AllergyIntolerance_eCS", "AllergyIntolerance", ALLERGY),
    ("JP_MedicationRequest_eCS", "MedicationRequest", MEDICATION_REQUEST),
    ("JP_Observation_LabResult_eCS", "Observation", OBSERVATION_LAB),
)
