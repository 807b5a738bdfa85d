"""Required bindings of clinical records.

http://hl7.org/fhir/R4/clinicalsummary-module.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.validate.bindings.value_sets import EVENT_STATUS, OBSERVATION_STATUS, REQUEST_STATUS, codes

CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("AllergyIntolerance", "category"): codes("food medication environment biologic"),
        ("AllergyIntolerance", "criticality"): codes("low high unable-to-assess"),
        ("AllergyIntolerance", "type"): codes("allergy intolerance"),
        ("AllergyIntoleranceReaction", "severity"): codes("mild moderate severe"),
        ("CarePlan", "intent"): codes("proposal plan order option"),
        ("CarePlan", "status"): REQUEST_STATUS,
        ("CarePlanActivityDetail", "kind"): codes(
            """
            Appointment CommunicationRequest DeviceRequest MedicationRequest NutritionOrder Task ServiceRequest
            VisionPrescription
            """
        ),
        ("CarePlanActivityDetail", "status"): codes(
            """
            not-started scheduled in-progress on-hold completed cancelled stopped unknown entered-in-error
            """
        ),
        ("CareTeam", "status"): codes("proposed active suspended inactive entered-in-error"),
        ("DetectedIssue", "status"): OBSERVATION_STATUS,
        ("DeviceUseStatement", "status"): codes("active completed entered-in-error intended stopped on-hold"),
        ("DiagnosticReport", "status"): codes(
            """
            registered partial preliminary final amended corrected appended cancelled entered-in-error unknown
            """
        ),
        ("FamilyMemberHistory", "status"): codes("partial completed entered-in-error health-unknown"),
        ("Goal", "lifecycleStatus"): codes(
            """
            proposed planned accepted active on-hold completed cancelled entered-in-error rejected
            """
        ),
        ("Observation", "status"): OBSERVATION_STATUS,
        ("RiskAssessment", "status"): OBSERVATION_STATUS,
        ("SupplyRequest", "status"): codes(
            "draft active suspended cancelled completed entered-in-error unknown"
        ),
        ("Procedure", "status"): EVENT_STATUS,
        ("Specimen", "status"): codes("available unavailable unsatisfactory entered-in-error"),
    }
)
