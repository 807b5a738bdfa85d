"""The elements that are a SimpleQuantity: a Quantity without a comparator, by the type that has them.

http://hl7.org/fhir/R4/datatypes.html#SimpleQuantity (sqty-1)

The models know them as Quantity, of which a profile is not told.
"""

from types import MappingProxyType
from typing import Final

_ELEMENTS: Final = MappingProxyType(
    {
        "CarePlanActivityDetail": "dailyAmount quantity",
        "ClaimItem": "quantity",
        "ClaimItemDetail": "quantity",
        "ClaimItemDetailSubDetail": "quantity",
        "ClaimResponseAddItem": "quantity",
        "ClaimResponseAddItemDetail": "quantity",
        "ClaimResponseAddItemDetailSubDetail": "quantity",
        "ContractTermAssetValuedItem": "quantity",
        "CoverageCostToBeneficiary": "valueQuantity",
        "CoverageEligibilityRequestItem": "quantity",
        "Dosage": "maxDosePerAdministration maxDosePerLifetime",
        "DosageDoseAndRate": "doseQuantity rateQuantity",
        "ExplanationOfBenefitAddItem": "quantity",
        "ExplanationOfBenefitAddItemDetail": "quantity",
        "ExplanationOfBenefitAddItemDetailSubDetail": "quantity",
        "ExplanationOfBenefitItem": "quantity",
        "ExplanationOfBenefitItemDetail": "quantity",
        "ExplanationOfBenefitItemDetailSubDetail": "quantity",
        "Immunization": "doseQuantity",
        "MedicationAdministrationDosage": "dose rateQuantity",
        "MedicationDispense": "daysSupply quantity",
        "MedicationKnowledge": "amount",
        "MedicationKnowledgeAdministrationGuidelinesPatientCharacteristics": "characteristicQuantity",
        "MedicationKnowledgeDrugCharacteristic": "valueQuantity",
        "MedicationKnowledgeKinetics": "areaUnderCurve lethalDose50",
        "MedicationKnowledgePackaging": "quantity",
        "MedicationKnowledgeRegulatoryMaxDispense": "quantity",
        "MedicationRequestDispenseRequest": "quantity",
        "MedicationRequestDispenseRequestInitialFill": "quantity",
        "NutritionOrderEnteralFormula": "caloricDensity maxVolumeToDeliver",
        "NutritionOrderEnteralFormulaAdministration": "quantity rateQuantity",
        "NutritionOrderOralDietNutrient": "amount",
        "NutritionOrderSupplement": "quantity",
        "ObservationReferenceRange": "high low",
        "Range": "high low",
        "SampledData": "origin",
        "SpecimenCollection": "quantity",
        "SpecimenContainer": "capacity specimenQuantity",
        "SpecimenDefinitionTypeTestedContainer": "capacity minimumVolumeQuantity",
        "SubstanceInstance": "quantity",
        "SupplyDeliverySuppliedItem": "quantity",
        "VisionPrescriptionLensSpecification": "duration",
    }
)

SIMPLE_QUANTITIES: Final = frozenset(
    (type_, name) for type_, names in _ELEMENTS.items() for name in names.split()
)
