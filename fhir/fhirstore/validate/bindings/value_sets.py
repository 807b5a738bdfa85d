"""The value sets that several elements are bound to.

http://hl7.org/fhir/R4/terminologies-valuesets.html
"""

from typing import Final


def codes(text: str) -> frozenset[str]:
    """Return the codes that a text lists between its spaces."""
    return frozenset(text.split())


COMPARATOR: Final = codes("< <= >= >")
COMPOSITION_STATUS: Final = codes("preliminary final amended entered-in-error")
DAYS: Final = codes("mon tue wed thu fri sat sun")
DOCUMENT_RELATIONSHIP: Final = codes("replaces transforms signs appends")
ENCOUNTER_STATUS: Final = codes(
    """
    planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown
    """
)
EPISODE_STATUS: Final = codes("planned waitlist active onhold finished cancelled entered-in-error")
EVENT_STATUS: Final = codes(
    """
    preparation in-progress not-done on-hold stopped completed entered-in-error unknown
    """
)
FILTER_OPERATOR: Final = codes("= is-a descendent-of is-not-a regex in not-in generalizes exists")
GENDER: Final = codes("male female other unknown")
LIST_MODE: Final = codes("working snapshot changes")
OBSERVATION_STATUS: Final = codes(
    """
    registered preliminary final amended corrected cancelled entered-in-error unknown
    """
)
PUBLICATION_STATUS: Final = codes("draft active retired unknown")
REQUEST_INTENT: Final = codes(
    """
    proposal plan directive order original-order reflex-order filler-order instance-order option
    """
)
REQUEST_PRIORITY: Final = codes("routine urgent asap stat")
REQUEST_STATUS: Final = codes("draft active on-hold revoked completed entered-in-error unknown")
RESOURCE_TYPES: Final = codes(
    """
    Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse
    AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan
    CareTeam CatalogEntry ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression
    CodeSystem Communication CommunicationRequest CompartmentDefinition Composition ConceptMap Condition
    Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue
    Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport
    DocumentManifest DocumentReference DomainResource EffectEvidenceSynthesis Encounter Endpoint
    EnrollmentRequest EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable
    ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group
    GuidanceResponse HealthcareService ImagingStudy Immunization ImmunizationEvaluation
    ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library Linkage List Location
    Measure MeasureReport Media Medication MedicationAdministration MedicationDispense
    MedicationKnowledge MedicationRequest MedicationStatement MedicinalProduct
    MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication
    MedicinalProductIngredient MedicinalProductInteraction MedicinalProductManufactured
    MedicinalProductPackaged MedicinalProductPharmaceutical MedicinalProductUndesirableEffect
    MessageDefinition MessageHeader MolecularSequence NamingSystem NutritionOrder Observation
    ObservationDefinition OperationDefinition OperationOutcome Organization OrganizationAffiliation
    Parameters Patient PaymentNotice PaymentReconciliation Person PlanDefinition Practitioner
    PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson RequestGroup
    ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject Resource RiskAssessment
    RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition
    StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer
    SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
    SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet
    VerificationResult VisionPrescription
    """
)
UNITS_OF_TIME: Final = codes("s min h d wk mo a")
ALL_TYPES: Final = RESOURCE_TYPES | codes(
    """
    Address Age Annotation Attachment BackboneElement CodeableConcept Coding ContactDetail ContactPoint
    Contributor Count DataRequirement Distance Dosage Duration Element ElementDefinition Expression
    Extension HumanName Identifier MarketingStatus Meta Money MoneyQuantity Narrative
    ParameterDefinition Period Population ProdCharacteristic ProductShelfLife Quantity Range Ratio
    Reference RelatedArtifact SampledData Signature SimpleQuantity SubstanceAmount Timing
    TriggerDefinition UsageContext base64Binary boolean canonical code date dateTime decimal id instant
    integer markdown oid positiveInt string time unsignedInt uri url uuid xhtml Type Any
    """
)
