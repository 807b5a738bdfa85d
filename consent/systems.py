"""Which types and code systems the evaluation treats apart.

http://hl7.org/fhir/R4/terminologies-systems.html, https://jpfhir.jp/fhir/core/ (names of Japanese systems)

Two names of one code system are two systems here: codes compare exactly, and a name that a record does not
carry is unknown for it, which never grants.
"""

from typing import Final

RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

_R4: Final = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse
AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan
CareTeam CatalogEntry ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression
CodeSystem Communication CommunicationRequest CompartmentDefinition Composition ConceptMap Condition
Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue
Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport
DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest
EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario
ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse
HealthcareService ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation
ImplementationGuide InsurancePlan Invoice Library Linkage List Location Measure MeasureReport Media
Medication MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest
MedicationStatement MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication
MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem
NutritionOrder Observation ObservationDefinition OperationDefinition OperationOutcome Organization
OrganizationAffiliation Parameters Patient PaymentNotice PaymentReconciliation Person PlanDefinition
Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson
RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject
RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen
SpecimenDefinition StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid
SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial
SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport
TestScript ValueSet VerificationResult VisionPrescription
"""
# Every resource type of R4 (http://hl7.org/fhir/R4/resourcelist.html): a class that is none of them would
# match nothing, and a deny that matches nothing must not pass for one.
TYPES: Final = frozenset(_R4.split())

ATC: Final = "http://www.whocc.no/atc"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
LOINC: Final = "http://loinc.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED: Final = "http://snomed.info/sct"

# 個別医薬品コード: its URI, and the object identifiers of the prescription specifications.
YJ: Final = frozenset(
    {
        "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
        "urn:oid:1.2.392.100495.20.1.73",
        "urn:oid:1.2.392.100495.20.2.73",
    }
)
HOT: Final = frozenset(
    {
        "http://medis.or.jp/CodeSystem/master-HOT7",
        "http://medis.or.jp/CodeSystem/master-HOT9",
        "http://medis.or.jp/CodeSystem/master-HOT13",
        "urn:oid:1.2.392.200119.4.402.1",
        "urn:oid:1.2.392.200119.4.403.1",
        "urn:oid:1.2.392.200119.4.403.2",
        "urn:oid:1.2.392.100495.20.1.74",
        "urn:oid:1.2.392.100495.20.2.74",
    }
)
# レセプト電算処理システム用コード (9 digits).
CLAIMS: Final = frozenset({"urn:oid:1.2.392.100495.20.1.71", "urn:oid:1.2.392.100495.20.2.71"})
# 薬価基準収載医薬品コード and 一般名処方マスタ, which medication records of the お薬手帳 carry as well.
PRICE_LIST: Final = frozenset({"urn:oid:1.2.392.100495.20.1.72", "urn:oid:1.2.392.100495.20.2.72"})
GENERIC_NAME: Final = frozenset(
    {
        "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationGeneralOrderCode",
        "urn:oid:1.2.392.100495.20.1.81",
        "urn:oid:1.2.392.100495.20.2.81",
    }
)
JLAC: Final = frozenset(
    {
        "http://medis.or.jp/CodeSystem/master-JLAC10-17digits",
        "urn:oid:1.2.392.200119.4.504",
        "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_CoreLabo_CS",
        "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC10/JP_CLINS_ObsLabResult_InfectionLabo_CS",
        "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC11/JP_CLINS_ObsLabResult_CoreLabo_CS",
        "http://jpfhir.jp/fhir/clins/CodeSystem/JLAC11/JP_CLINS_ObsLabResult_InfectionLabo_CS",
    }
)
# MEDIS 看護実践用語標準マスター, observations.
MEDIS_OBSERVATION: Final = frozenset(
    {"http://medis.or.jp/CodeSystem/master-nursingObservationKeyCode", "urn:oid:1.2.392.200119.4.804"}
)
# MEDIS ICD10対応標準病名マスター.
MEDIS_DISEASE: Final = frozenset(
    {
        "http://medis.or.jp/CodeSystem/master-disease-exCode",
        "http://medis.or.jp/CodeSystem/master-disease-keyNumber",
        "urn:oid:1.2.392.200119.4.101.6",
        "urn:oid:1.2.392.200119.4.101.2",
    }
)
# MEDIS 看護実践用語標準マスター, actions.
MEDIS_PROCEDURE: Final = frozenset(
    {"http://medis.or.jp/CodeSystem/master-nursingAction-16digits", "urn:oid:1.2.392.200119.4.704"}
)
ICD10: Final = frozenset(
    {
        "http://hl7.org/fhir/sid/icd-10",
        "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full",
        "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-3digits",
        "urn:oid:2.16.840.1.113883.6.3",
    }
)

_MEDICINE: Final = YJ | HOT | CLAIMS | PRICE_LIST | GENERIC_NAME | {ATC, RXNORM}
_FINDING: Final = JLAC | MEDIS_OBSERVATION | {LOINC, MDC}
_PROBLEM: Final = ICD10 | MEDIS_DISEASE | MEDIS_PROCEDURE | {SNOMED}

# 文書種別: LOINC's codes under a name of their own.
DOCUMENT_TYPE: Final = frozenset(
    {
        "http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes",
        "http://jpfhir.jp/fhir/Common/CodeSystem/doc-subtypecodes",
    }
)
# JLAC10 材料コード, and the specimen types of HL7 v2.
MATERIAL: Final = frozenset(
    {
        "http://jpfhir.jp/fhir/core/CodeSystem/JP_ObservationSampleMaterialCode_CS",
        "http://terminology.hl7.org/CodeSystem/v2-0487",
    }
)
TASK_CODE: Final = "http://hl7.org/fhir/CodeSystem/task-code"

# The systems that the main code of a type comes in. A system that is not among them is foreign to the type.
SYSTEMS: Final = {
    "Medication": _MEDICINE,
    "MedicationAdministration": _MEDICINE,
    "MedicationDispense": _MEDICINE,
    "MedicationRequest": _MEDICINE,
    "MedicationStatement": _MEDICINE,
    "Observation": _FINDING,
    "DiagnosticReport": _FINDING,
    "Condition": _PROBLEM,
    "Procedure": _PROBLEM,
    "AllergyIntolerance": _PROBLEM,
    "Immunization": YJ | {ATC, CVX},
    "Device": frozenset({MDC, SNOMED}),
    "DeviceMetric": frozenset({MDC, SNOMED}),
    "Specimen": MATERIAL | {SNOMED},
    "FamilyMemberHistory": _PROBLEM,
    "Goal": _PROBLEM | {LOINC},
    "ServiceRequest": _FINDING | _PROBLEM,
    "Task": frozenset({LOINC, SNOMED, TASK_CODE}),
    "List": frozenset({LOINC, SNOMED}),
    "Composition": DOCUMENT_TYPE | {LOINC},
    "DocumentReference": DOCUMENT_TYPE | {LOINC, SNOMED},
    "Questionnaire": frozenset({LOINC, SNOMED}),
}

_KNOWN: Final = frozenset().union(*SYSTEMS.values())


def _plain(system: str) -> str:
    return system.casefold().replace("https://", "http://").removesuffix("/")


_PLAIN: Final = {_plain(system): system for system in _KNOWN}


def nearly(system: str) -> str | None:
    """The code system that this was meant for, where it differs in letter case, `https` or a last slash alone."""
    return None if system in _KNOWN else _PLAIN.get(_plain(system))


# Types whose records have no main code: for them every system is foreign.
CODELESS: Final = frozenset(
    {
        "Appointment",
        "AuditEvent",
        "Binary",
        "Bundle",
        "CarePlan",
        "CareTeam",
        "CodeSystem",
        "Communication",
        "CommunicationRequest",
        "Consent",
        "Coverage",
        "Encounter",
        "EpisodeOfCare",
        "Group",
        "Location",
        "Organization",
        "Patient",
        "Person",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "QuestionnaireResponse",
        "RelatedPerson",
        "Subscription",
        "ValueSet",
    }
)

# The types whose elements are read. Inside of a document others occur: of those no fact is known but their
# labels, for each system of codes may be theirs, and their container's facts are not.
READ: Final = frozenset(SYSTEMS) | CODELESS

# Types that are permitted where all that they follow is, without a grant of their own. Each follows only what
# stands lower (whatever is not here stands lowest), so nothing goes round in a circle.
FOLLOWING: Final = {"Binary": 1, "Provenance": 2}

# A provision that names no class never covers these.
UNNAMED_EXCLUDED: Final = frozenset(
    {"AuditEvent", "CareTeam", "Consent", "Group", "Provenance", "RelatedPerson", "Subscription"}
)

# Readable by every signed-in caller; of device models the definition, not a person's device.
DIRECTORY: Final = frozenset(
    {
        "DeviceDefinition",
        "Location",
        "Medication",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Questionnaire",
    }
)

# The references that an actor may be, and those of them that a caller's chain of memberships leads to.
COLLECTIVES: Final = frozenset({"CareTeam", "Group"})
CHAINED: Final = COLLECTIVES | {"Organization", "Practitioner", "PractitionerRole"}
ACTORS: Final = CHAINED | {"Device", "Patient", "RelatedPerson"}
