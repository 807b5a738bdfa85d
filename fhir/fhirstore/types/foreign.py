"""The other resource types of R4: not held by themselves, but found inside of documents that are held.

http://hl7.org/fhir/R4/resourcelist.html

A hospital's document may hold an ImagingStudy or a HealthcareService. Their elements are not read, so nothing
is known of such a part but its type, its labels and whom it refers to.
"""

from typing import Final

from fhirstore.types.row import ResourceType, TypeNumber

# The numbers stand in columns, as those of the held types do.
_NUMBERED: Final = """
1001 Account, 1002 ActivityDefinition, 1003 AdverseEvent, 1004 AppointmentResponse, 1005 Basic,
1006 BiologicallyDerivedProduct, 1007 BodyStructure, 1008 CapabilityStatement, 1009 CatalogEntry,
1010 ChargeItem, 1011 ChargeItemDefinition, 1012 Claim, 1013 ClaimResponse, 1014 ClinicalImpression,
1015 CompartmentDefinition, 1016 ConceptMap, 1017 Contract, 1018 CoverageEligibilityRequest,
1019 CoverageEligibilityResponse, 1020 DetectedIssue, 1021 DeviceDefinition, 1022 DeviceRequest,
1023 DeviceUseStatement, 1024 DocumentManifest, 1025 EffectEvidenceSynthesis, 1026 Endpoint,
1027 EnrollmentRequest, 1028 EnrollmentResponse, 1029 EventDefinition, 1030 Evidence,
1031 EvidenceVariable, 1032 ExampleScenario, 1033 ExplanationOfBenefit, 1034 Flag,
1035 GraphDefinition, 1036 GuidanceResponse, 1037 HealthcareService, 1038 ImagingStudy,
1039 ImmunizationEvaluation, 1040 ImmunizationRecommendation, 1041 ImplementationGuide,
1042 InsurancePlan, 1043 Invoice, 1044 Library, 1045 Linkage, 1046 Measure, 1047 MeasureReport,
1048 Media, 1049 MedicationKnowledge, 1050 MedicinalProduct, 1051 MedicinalProductAuthorization,
1052 MedicinalProductContraindication, 1053 MedicinalProductIndication,
1054 MedicinalProductIngredient, 1055 MedicinalProductInteraction, 1056 MedicinalProductManufactured,
1057 MedicinalProductPackaged, 1058 MedicinalProductPharmaceutical,
1059 MedicinalProductUndesirableEffect, 1060 MessageDefinition, 1061 MessageHeader,
1062 MolecularSequence, 1063 NamingSystem, 1064 NutritionOrder, 1065 ObservationDefinition,
1066 OperationDefinition, 1067 OperationOutcome, 1068 OrganizationAffiliation, 1069 Parameters,
1070 PaymentNotice, 1071 PaymentReconciliation, 1072 PlanDefinition, 1073 RequestGroup,
1074 ResearchDefinition, 1075 ResearchElementDefinition, 1076 ResearchStudy, 1077 ResearchSubject,
1078 RiskAssessment, 1079 RiskEvidenceSynthesis, 1080 Schedule, 1081 SearchParameter, 1082 Slot,
1083 SpecimenDefinition, 1084 StructureDefinition, 1085 StructureMap, 1086 Substance,
1087 SubstanceNucleicAcid, 1088 SubstancePolymer, 1089 SubstanceProtein,
1090 SubstanceReferenceInformation, 1091 SubstanceSourceMaterial, 1092 SubstanceSpecification,
1093 SupplyDelivery, 1094 SupplyRequest, 1095 TerminologyCapabilities, 1096 TestReport,
1097 TestScript, 1098 VerificationResult, 1099 VisionPrescription
"""


def _row(numbered: str) -> ResourceType:
    number, name = numbered.split()
    return ResourceType(name=name, number=TypeNumber(int(number)), foreign=True)


FOREIGN: Final = tuple(_row(numbered) for numbered in _NUMBERED.split(","))
