"""The resource types that the store holds, one row each.

http://hl7.org/fhir/R4/resourcelist.html
http://hl7.org/fhir/R4/compartmentdefinition-patient.html

A row says in which elements a type keeps the facts that search and consent read. A further type is a
further row: no code asks for a type by name.

`patients` lists the elements of the patient compartment, and those beside it whose declared targets
include Patient and that say who took part; the first is the one whose patient owns the record. What a
Consent or an AuditEvent merely talks about (an actor granted, a query) is not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NewType

from fhirstore.errors import UnknownType

TypeNumber = NewType("TypeNumber", int)
Path = tuple[str, ...]
"""Element names from the resource's root; lists are walked through."""

PROPOSABLE: Final = "Consent"
"""The type that may be put to a person whom nobody knows here."""

ATC: Final = "http://www.whocc.no/atc"
CVX: Final = "http://hl7.org/fhir/sid/cvx"
ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
LOINC: Final = "http://loinc.org"
MDC: Final = "urn:iso:std:iso:11073:10101"
SNOMED_CT: Final = "http://snomed.info/sct"
YJ: Final = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
HOT9: Final = "http://medis.or.jp/CodeSystem/master-HOT9"
ALLERGY_CATEGORY: Final = "http://hl7.org/fhir/allergy-intolerance-category"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"

_MEDICINE_SYSTEMS: Final = (YJ, ATC, HOT9)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type; every path is read where it stands, an absent one gives nothing.

    `number` stands in columns and is never given to another type. `codes` hold the main code, `medication`
    the reference that may stand for it. `systems` are the code systems whose codes a search by code alone
    finds without an index row of its own. `category_system` and `status_system` are the systems that the
    specification fixes for those elements.

    `times` are the clinical times, not when something was recorded: an allergy of unknown onset is
    undated. A type of which consents cannot name codes (an Encounter, a Group) states none.
    """

    name: str
    number: TypeNumber
    directory: bool = False
    writable: bool = True
    patients: tuple[Path, ...] = ()
    codes: tuple[Path, ...] = ()
    component_codes: tuple[Path, ...] = ()
    systems: tuple[str, ...] = ()
    medication: Path = ()
    categories: tuple[Path, ...] = ()
    category_system: str = ""
    times: tuple[Path, ...] = ()
    authors: tuple[Path, ...] = ()
    follows: tuple[Path, ...] = ()
    status: Path = ()
    status_system: str = ""
    is_patient: bool = False


def _paths(*dotted: str) -> tuple[Path, ...]:
    return tuple(tuple(path.split(".")) for path in dotted)


_ROWS: Final = (
    ResourceType(
        name="Patient",
        number=TypeNumber(1),
        is_patient=True,
        patients=_paths("link.other"),
    ),
    ResourceType(name="Practitioner", number=TypeNumber(2), directory=True),
    ResourceType(
        name="PractitionerRole",
        number=TypeNumber(3),
        directory=True,
        times=_paths("period"),
    ),
    ResourceType(name="Organization", number=TypeNumber(4), directory=True),
    ResourceType(
        name="Location",
        number=TypeNumber(5),
        directory=True,
        status=("status",),
        status_system="http://hl7.org/fhir/location-status",
    ),
    ResourceType(
        name="CareTeam",
        number=TypeNumber(6),
        patients=_paths("subject", "participant.member"),
        categories=_paths("category"),
        times=_paths("period"),
        status=("status",),
        status_system="http://hl7.org/fhir/care-team-status",
    ),
    ResourceType(
        name="Group",
        number=TypeNumber(7),
        patients=_paths("member.entity"),
    ),
    ResourceType(
        name="RelatedPerson",
        number=TypeNumber(8),
        patients=_paths("patient"),
        times=_paths("period"),
    ),
    ResourceType(
        name="Device",
        number=TypeNumber(9),
        patients=_paths("patient"),
        codes=_paths("type"),
        systems=(MDC, SNOMED_CT),
        status=("status",),
        status_system="http://hl7.org/fhir/device-status",
    ),
    ResourceType(
        name="Observation",
        number=TypeNumber(10),
        patients=_paths("subject", "performer", "focus"),
        codes=_paths("code"),
        component_codes=_paths("component.code"),
        systems=(LOINC, MDC),
        categories=_paths("category"),
        times=_paths("effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant"),
        authors=_paths("performer", "device"),
        status=("status",),
        status_system="http://hl7.org/fhir/observation-status",
    ),
    ResourceType(
        name="MedicationRequest",
        number=TypeNumber(11),
        patients=_paths("subject", "requester", "performer", "reportedReference"),
        codes=_paths("medicationCodeableConcept"),
        systems=_MEDICINE_SYSTEMS,
        medication=("medicationReference",),
        categories=_paths("category"),
        times=_paths("authoredOn"),
        authors=_paths("performer", "requester", "recorder", "reportedReference"),
        status=("status",),
        status_system="http://hl7.org/fhir/CodeSystem/medicationrequest-status",
    ),
    ResourceType(
        name="MedicationDispense",
        number=TypeNumber(12),
        patients=_paths("subject", "performer.actor", "receiver"),
        codes=_paths("medicationCodeableConcept"),
        systems=_MEDICINE_SYSTEMS,
        medication=("medicationReference",),
        categories=_paths("category"),
        times=_paths("whenHandedOver"),
        authors=_paths("performer.actor"),
        status=("status",),
        status_system="http://terminology.hl7.org/CodeSystem/medicationdispense-status",
    ),
    ResourceType(
        name="MedicationStatement",
        number=TypeNumber(13),
        patients=_paths("subject", "informationSource"),
        codes=_paths("medicationCodeableConcept"),
        systems=_MEDICINE_SYSTEMS,
        medication=("medicationReference",),
        categories=_paths("category"),
        times=_paths("effectiveDateTime", "effectivePeriod"),
        authors=_paths("informationSource"),
        status=("status",),
        status_system="http://hl7.org/fhir/CodeSystem/medication-statement-status",
    ),
    ResourceType(
        name="Medication",
        number=TypeNumber(14),
        directory=True,
        codes=_paths("code"),
        systems=_MEDICINE_SYSTEMS,
        status=("status",),
        status_system="http://hl7.org/fhir/CodeSystem/medication-status",
    ),
    ResourceType(
        name="Immunization",
        number=TypeNumber(15),
        patients=_paths("patient"),
        codes=_paths("vaccineCode"),
        systems=(CVX, YJ, ATC),
        times=_paths("occurrenceDateTime"),
        authors=_paths("performer.actor"),
        status=("status",),
        status_system="http://hl7.org/fhir/event-status",
    ),
    ResourceType(
        name="AllergyIntolerance",
        number=TypeNumber(16),
        patients=_paths("patient", "recorder", "asserter"),
        codes=_paths("code"),
        systems=(ICD_10, SNOMED_CT),
        categories=_paths("category"),
        category_system=ALLERGY_CATEGORY,
        times=_paths("onsetDateTime", "onsetPeriod"),
        authors=_paths("recorder", "asserter"),
        status=("clinicalStatus",),
        status_system=ALLERGY_CLINICAL,
    ),
    ResourceType(
        name="Condition",
        number=TypeNumber(17),
        patients=_paths("subject", "recorder", "asserter"),
        codes=_paths("code"),
        systems=(ICD_10, SNOMED_CT),
        categories=_paths("category"),
        times=_paths("onsetDateTime", "onsetPeriod"),
        authors=_paths("recorder", "asserter"),
        status=("clinicalStatus",),
        status_system=CONDITION_CLINICAL,
    ),
    ResourceType(
        name="Encounter",
        number=TypeNumber(18),
        patients=_paths("subject"),
        times=_paths("period"),
        status=("status",),
        status_system="http://hl7.org/fhir/encounter-status",
    ),
    ResourceType(
        name="Consent",
        number=TypeNumber(19),
        patients=_paths("patient"),
        categories=_paths("category"),
        times=_paths("dateTime"),
        authors=_paths("performer"),
        status=("status",),
        status_system="http://hl7.org/fhir/consent-state-codes",
    ),
    ResourceType(
        name="Provenance",
        number=TypeNumber(20),
        patients=_paths("target", "agent.who", "agent.onBehalfOf"),
        times=_paths("occurredPeriod", "occurredDateTime"),
        authors=_paths("agent.who"),
        follows=_paths("target"),
    ),
    ResourceType(
        name="AuditEvent",
        number=TypeNumber(21),
        writable=False,
        patients=_paths("entity.what", "agent.who"),
        times=_paths("recorded"),
        authors=_paths("source.observer"),
    ),
    ResourceType(name="Bundle", number=TypeNumber(22)),
)

TYPES: Final[Mapping[str, ResourceType]] = MappingProxyType({row.name: row for row in _ROWS})
TYPES_BY_NUMBER: Final[Mapping[TypeNumber, ResourceType]] = MappingProxyType(
    {row.number: row for row in _ROWS}
)


def resource_type(name: str) -> ResourceType:
    """Return the row of a resource type.

    Raises:
        UnknownType: when the store does not hold this type.
    """
    try:
        return TYPES[name]
    except KeyError:
        raise UnknownType(name) from None
