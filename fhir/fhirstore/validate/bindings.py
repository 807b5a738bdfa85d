"""The value sets that elements are bound to, where the binding is required.

http://hl7.org/fhir/R4/terminologies.html#required

Keyed by the type that has the element and its name, so that `Identifier.use` is checked wherever an
Identifier stands. fhir.resources checks none of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"


@dataclass(frozen=True, slots=True)
class Concepts:
    """The codes of one system that a CodeableConcept or Coding is bound to.

    Where the binding is `required` one of its codings must be among them; else codes of this system must
    be, and codes of other systems may stand beside or instead of them.
    """

    system: str
    codes: frozenset[str]
    required: bool = True


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GENDER: Final = _codes("male female other unknown")
_DAYS: Final = _codes("mon tue wed thu fri sat sun")
_COMPARATOR: Final = _codes("< <= >= >")
_UNITS_OF_TIME: Final = _codes("s min h d wk mo a")
_ENCOUNTER_STATUS: Final = _codes(
    "planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown"
)

CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("Address", "use"): _codes("home work temp old billing"),
        ("Address", "type"): _codes("postal physical both"),
        ("Age", "comparator"): _COMPARATOR,
        ("AllergyIntolerance", "type"): _codes("allergy intolerance"),
        ("AllergyIntolerance", "category"): _codes("food medication environment biologic"),
        ("AllergyIntolerance", "criticality"): _codes("low high unable-to-assess"),
        ("AllergyIntoleranceReaction", "severity"): _codes("mild moderate severe"),
        ("AuditEvent", "action"): _codes("C R U D E"),
        ("AuditEvent", "outcome"): _codes("0 4 8 12"),
        ("AuditEventAgentNetwork", "type"): _codes("1 2 3 4 5"),
        ("Bundle", "type"): _codes(
            """
            document message transaction transaction-response batch batch-response history searchset
            collection
            """
        ),
        ("BundleEntryRequest", "method"): _codes("GET HEAD POST PUT DELETE PATCH"),
        ("BundleEntrySearch", "mode"): _codes("match include outcome"),
        ("CareTeam", "status"): _codes("proposed active suspended inactive entered-in-error"),
        ("Consent", "status"): _codes("draft proposed active rejected inactive entered-in-error"),
        ("ConsentProvision", "type"): _codes("deny permit"),
        ("ConsentProvisionData", "meaning"): _codes("instance related dependents authoredby"),
        ("ContactPoint", "system"): _codes("phone fax email pager url sms other"),
        ("ContactPoint", "use"): _codes("home work temp old mobile"),
        ("Contributor", "type"): _codes("author editor reviewer endorser"),
        ("Count", "comparator"): _COMPARATOR,
        ("DataRequirementSort", "direction"): _codes("ascending descending"),
        ("Device", "status"): _codes("active inactive entered-in-error unknown"),
        ("DeviceDeviceName", "type"): _codes(
            "udi-label-name user-friendly-name patient-reported-name manufacturer-name model-name other"
        ),
        ("DeviceUdiCarrier", "entryType"): _codes("barcode rfid manual card self-reported unknown"),
        ("Distance", "comparator"): _COMPARATOR,
        ("Duration", "comparator"): _COMPARATOR,
        ("Encounter", "status"): _ENCOUNTER_STATUS,
        ("EncounterLocation", "status"): _codes("planned active reserved completed"),
        ("EncounterStatusHistory", "status"): _ENCOUNTER_STATUS,
        ("Group", "type"): _codes("person animal practitioner device medication substance"),
        ("HumanName", "use"): _codes("usual official temp nickname anonymous old maiden"),
        ("Identifier", "use"): _codes("usual official temp secondary old"),
        ("Immunization", "status"): _codes("completed entered-in-error not-done"),
        ("Location", "mode"): _codes("instance kind"),
        ("Location", "status"): _codes("active suspended inactive"),
        ("LocationHoursOfOperation", "daysOfWeek"): _DAYS,
        ("Medication", "status"): _codes("active inactive entered-in-error"),
        ("MedicationDispense", "status"): _codes(
            "preparation in-progress cancelled on-hold completed entered-in-error stopped declined unknown"
        ),
        ("MedicationRequest", "intent"): _codes(
            "proposal plan order original-order reflex-order filler-order instance-order option"
        ),
        ("MedicationRequest", "priority"): _codes("routine urgent asap stat"),
        ("MedicationRequest", "status"): _codes(
            "active on-hold cancelled completed entered-in-error stopped draft unknown"
        ),
        ("MedicationStatement", "status"): _codes(
            "active completed entered-in-error intended stopped on-hold unknown not-taken"
        ),
        ("Narrative", "status"): _codes("generated extensions additional empty"),
        ("Observation", "status"): _codes(
            "registered preliminary final amended corrected cancelled entered-in-error unknown"
        ),
        ("ParameterDefinition", "use"): _codes("in out"),
        ("Patient", "gender"): _GENDER,
        ("PatientContact", "gender"): _GENDER,
        ("PatientLink", "type"): _codes("replaced-by replaces refer seealso"),
        ("Practitioner", "gender"): _GENDER,
        ("PractitionerRoleAvailableTime", "daysOfWeek"): _DAYS,
        ("ProvenanceEntity", "role"): _codes("derivation revision quotation source removal"),
        ("Quantity", "comparator"): _COMPARATOR,
        ("RelatedArtifact", "type"): _codes(
            "documentation justification citation predecessor successor derived-from depends-on composed-of"
        ),
        ("RelatedPerson", "gender"): _GENDER,
        ("TimingRepeat", "dayOfWeek"): _DAYS,
        ("TimingRepeat", "durationUnit"): _UNITS_OF_TIME,
        ("TimingRepeat", "periodUnit"): _UNITS_OF_TIME,
        ("TimingRepeat", "when"): _codes(
            """
            MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS HS WAKE
            C CM CD CV AC ACM ACD ACV PC PCM PCD PCV
            """
        ),
        ("TriggerDefinition", "type"): _codes(
            """
            named-event periodic data-changed data-added data-modified data-removed data-accessed
            data-access-ended
            """
        ),
    }
)

CONCEPTS: Final[Mapping[tuple[str, str], Concepts]] = MappingProxyType(
    {
        ("AllergyIntolerance", "clinicalStatus"): Concepts(
            f"{_TERMINOLOGY}/allergyintolerance-clinical", _codes("active inactive resolved")
        ),
        ("AllergyIntolerance", "verificationStatus"): Concepts(
            f"{_TERMINOLOGY}/allergyintolerance-verification",
            _codes("unconfirmed confirmed refuted entered-in-error"),
        ),
        ("Condition", "clinicalStatus"): Concepts(
            f"{_TERMINOLOGY}/condition-clinical",
            _codes("active recurrence relapse inactive remission resolved"),
        ),
        ("Condition", "verificationStatus"): Concepts(
            f"{_TERMINOLOGY}/condition-ver-status",
            _codes("unconfirmed provisional differential confirmed refuted entered-in-error"),
        ),
        ("Consent", "scope"): Concepts(
            f"{_TERMINOLOGY}/consentscope", _codes("adr research patient-privacy treatment"), required=False
        ),
        ("Meta", "security"): Concepts(
            f"{_TERMINOLOGY}/v3-Confidentiality", _codes("U L M N R V"), required=False
        ),
    }
)
