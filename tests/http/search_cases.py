"""Search parameters by example: for each a record that it finds, one that it does not, and the values that tell.

http://hl7.org/fhir/R4/searchparameter-registry.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fhirstore.types import TYPES
from tests import resources as made
from tests.hospital import records_of
from tests.town import BASE_URL
from tests.unit.consent.words import Json, concept

CONDITION_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY_CLINICAL: Final = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"


@dataclass(frozen=True)
class Searched:
    """A parameter with a record that it tells from others: values that find the one and not the other."""

    type: str
    name: str
    wanted: Json
    other: Json
    finding: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}-{self.name}"


def of(patient: str, type_name: str, **elements: Any) -> Json:
    """A record of this type."""
    build: dict[str, Callable[[str], Json]] = {
        "AllergyIntolerance": made.allergy,
        "Bundle": lambda p: made.bundle(made.pressure(f"{BASE_URL}/fhir/{p}")),
        "CareTeam": made.care_team,
        "Condition": made.condition,
        "Device": made.device,
        "Encounter": made.encounter,
        "Group": made.group,
        "Immunization": made.immunization,
        "MedicationDispense": made.dispense,
        "MedicationRequest": made.prescription,
        "MedicationStatement": made.statement,
        "Observation": made.pressure,
        "RelatedPerson": made.related_person,
    }
    tree = build[type_name](patient) if type_name in build else records_of(patient)[type_name]
    if "effectivePeriod" in elements:
        del tree["effectiveDateTime"]
    return {**tree, **elements}


OF_ANY_SYSTEM: Final = (
    *("Composition", "Device", "DiagnosticReport", "DocumentReference", "FamilyMemberHistory", "List"),
    *("Procedure", "ServiceRequest", "Specimen", "Task"),
)

P = "Patient/{}"
"""Stands for the resident; each test puts the real one there."""


def codes(type_name: str, element: str, name: str = "code") -> Searched:
    system, code, other = {
        "AllergyIntolerance": ("http://snomed.info/sct", "91936005", "294505008"),
        "Condition": ("http://hl7.org/fhir/sid/icd-10", "I10", "E11"),
        "Observation": ("http://loinc.org", "85354-9", "29463-7"),
        "Immunization": ("http://hl7.org/fhir/sid/cvx", "207", "212"),
        "Group": ("http://example.test/groups", "a", "b"),
        **dict.fromkeys(OF_ANY_SYSTEM, ("http://example.test/codes", "a", "b")),
    }.get(type_name, (*made.CANDESARTAN, "N06AX11"))
    return Searched(
        type_name,
        name,
        of(P, type_name, **{element: concept((system, code))}),
        of(P, type_name, **{element: concept((system, other))}),
        (code, f"{system}|{code}", f"zzz,{code}", f"http://example.test/x|y,{system}|{code}"),
        ("zzz", f"http://example.test/x|{code}", f"|{code}", code + "%", "%"),
    )


def main_code(
    type_name: str, element: str, name: str, nest: Callable[[Json], Any] = lambda code: code
) -> Searched:
    """As `codes`, where the element is no plain one."""
    case = codes(type_name, element, name)
    trees = [{**tree, element: nest(tree[element])} for tree in (case.wanted, case.other)]
    return Searched(type_name, name, trees[0], trees[1], case.finding, case.missing)


def status(type_name: str, wanted: str, other: str, system: str, name: str = "status") -> Searched:
    def stated(code: str) -> Json:
        element = TYPES[type_name].status[0]
        return {element: concept((system, code)) if element == "clinicalStatus" else code}

    return Searched(
        type_name,
        name,
        of(P, type_name, **stated(wanted)),
        of(P, type_name, **stated(other)),
        (wanted, f"{system}|{wanted}", f"zzz,{wanted}"),
        ("zzz", f"http://example.test/x|{wanted}", wanted.upper()),
    )


def state(type_name: str, wanted: str, other: str, name: str = "status") -> Searched:
    """As `status`, in the system that the type has for it."""
    return status(type_name, wanted, other, TYPES[type_name].status_system, name)


def category(type_name: str, wanted: object, other: object, *finding: str) -> Searched:
    return Searched(
        type_name,
        "category",
        of(P, type_name, category=wanted),
        of(P, type_name, category=other),
        finding,
        ("zzz", "http://example.test/x|zzz"),
    )


def dated(type_name: str, name: str, element: str, wanted: object, other: object) -> Searched:
    """`wanted` lies on 1 June 2026 (Tokyo), `other` on 1 June 2027."""
    path = element.split(".")
    trees = []
    for value in (wanted, other):
        inner = value
        for step in reversed(path[1:]):
            inner = {step: inner}
        nested = [inner] if path[0] == "dosageInstruction" else inner
        trees.append(of(P, type_name, **{path[0]: nested}))
    return Searched(
        type_name,
        name,
        trees[0],
        trees[1],
        (
            "2026-06-01",
            "2026-06",
            "2026",
            "eq2026-06-01",
            "lt2027",
            "le2026-06-01",
            "eb2026-06-02",
            "ne2027-06-01",
        ),
        ("2026-06-02", "2025", "gt2027-06-01", "sa2027-06-01", "eb2026-06-01", "ne2026"),
    )


def at(moment: str) -> dict[str, str]:
    return {"start": f"{moment}T09:00:00+09:00", "end": f"{moment}T10:00:00+09:00"}


def event(day: str) -> list[str]:
    return [f"{day}T09:00:00+09:00"]


DAYS: Final = ("2026-06-01", "2027-06-01")
PERIODS: Final = (at(DAYS[0]), at(DAYS[1]))
EVENTS: Final = (event(DAYS[0]), event(DAYS[1]))

SEARCHED: Final = (
    codes("Observation", "code"),
    codes("Condition", "code"),
    codes("AllergyIntolerance", "code"),
    codes("MedicationRequest", "medicationCodeableConcept"),
    codes("MedicationDispense", "medicationCodeableConcept"),
    codes("MedicationStatement", "medicationCodeableConcept"),
    codes("Immunization", "vaccineCode", "vaccine-code"),
    codes("Group", "code"),
    status("Observation", "final", "amended", "http://hl7.org/fhir/observation-status"),
    status(
        "MedicationRequest", "active", "stopped", "http://hl7.org/fhir/CodeSystem/medicationrequest-status"
    ),
    status(
        "MedicationDispense",
        "completed",
        "cancelled",
        "http://terminology.hl7.org/CodeSystem/medicationdispense-status",
    ),
    status(
        "MedicationStatement",
        "active",
        "stopped",
        "http://hl7.org/fhir/CodeSystem/medication-statement-status",
    ),
    status("Immunization", "completed", "entered-in-error", "http://hl7.org/fhir/event-status"),
    status("Encounter", "finished", "planned", "http://hl7.org/fhir/encounter-status"),
    status("CareTeam", "active", "inactive", "http://hl7.org/fhir/care-team-status"),
    status("Device", "active", "inactive", "http://hl7.org/fhir/device-status"),
    status("Condition", "active", "remission", CONDITION_CLINICAL, "clinical-status"),
    status("AllergyIntolerance", "active", "inactive", ALLERGY_CLINICAL, "clinical-status"),
    category(
        "Observation",
        [concept((made.OBSERVATION_CATEGORY, "laboratory"))],
        [concept((made.OBSERVATION_CATEGORY, "survey"))],
        "laboratory",
        f"{made.OBSERVATION_CATEGORY}|laboratory",
    ),
    category("AllergyIntolerance", ["food"], ["medication"], "food"),
    category(
        "Condition",
        [concept(("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item"))],
        [concept(("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis"))],
        "problem-list-item",
    ),
    category(
        "MedicationRequest",
        [concept(("http://example.test/c", "a"))],
        [concept(("http://example.test/c", "b"))],
        "a",
    ),
    category(
        "MedicationStatement",
        concept(("http://example.test/c", "a")),
        concept(("http://example.test/c", "b")),
        "a",
    ),
    category(
        "CareTeam", [concept(("http://example.test/c", "a"))], [concept(("http://example.test/c", "b"))], "a"
    ),
    dated("Observation", "date", "effectiveDateTime", *DAYS),
    dated("Encounter", "date", "period", *PERIODS),
    dated("CareTeam", "date", "period", *PERIODS),
    dated("Immunization", "date", "occurrenceDateTime", *DAYS),
    dated("MedicationRequest", "authoredon", "authoredOn", *DAYS),
    dated("MedicationRequest", "date", "dosageInstruction.timing.event", *EVENTS),
    dated("MedicationDispense", "whenhandedover", "whenHandedOver", *DAYS),
    dated("MedicationStatement", "effective", "effectivePeriod", *PERIODS),
    dated("Condition", "onset-date", "onsetDateTime", *DAYS),
    dated("Condition", "recorded-date", "recordedDate", *DAYS),
    dated("AllergyIntolerance", "date", "recordedDate", *DAYS),
    codes("DiagnosticReport", "code"),
    codes("Procedure", "code"),
    codes("ServiceRequest", "code"),
    codes("List", "code"),
    codes("Task", "code"),
    codes("MedicationAdministration", "medicationCodeableConcept"),
    codes("Composition", "type", "type"),
    codes("Device", "type", "type"),
    codes("DocumentReference", "type", "type"),
    codes("Specimen", "type", "type"),
    main_code("FamilyMemberHistory", "condition", "code", lambda code: [{"code": code}]),
    state("Appointment", "booked", "arrived"),
    state("CarePlan", "active", "revoked"),
    state("Communication", "completed", "stopped"),
    state("CommunicationRequest", "active", "revoked"),
    state("Composition", "final", "amended"),
    state("Coverage", "active", "cancelled"),
    state("DiagnosticReport", "final", "amended"),
    state("DocumentReference", "current", "superseded"),
    state("EpisodeOfCare", "active", "finished"),
    state("FamilyMemberHistory", "completed", "partial"),
    state("Goal", "active", "cancelled", "lifecycle-status"),
    state("List", "current", "retired"),
    state("MedicationAdministration", "completed", "stopped"),
    state("Procedure", "completed", "stopped"),
    state("QuestionnaireResponse", "completed", "amended"),
    state("ServiceRequest", "active", "revoked"),
    state("Specimen", "available", "unavailable"),
    state("Subscription", "requested", "off"),
    state("Task", "requested", "accepted"),
    *(
        category(
            name, [concept(("http://example.test/c", "a"))], [concept(("http://example.test/c", "b"))], "a"
        )
        for name in (
            *("CarePlan", "Communication", "CommunicationRequest", "Composition", "DiagnosticReport"),
            *("DocumentReference", "Goal", "ServiceRequest"),
        )
    ),
    category(
        "Procedure", concept(("http://example.test/c", "a")), concept(("http://example.test/c", "b")), "a"
    ),
    dated("CarePlan", "date", "period", *PERIODS),
    dated("DiagnosticReport", "date", "effectiveDateTime", *DAYS),
    dated("EpisodeOfCare", "date", "period", *PERIODS),
    dated("FamilyMemberHistory", "date", "date", *DAYS),
    dated("Goal", "start-date", "startDate", *DAYS),
    dated("List", "date", "date", *DAYS),
    dated("MedicationAdministration", "effective-time", "effectiveDateTime", *DAYS),
    dated("Procedure", "date", "performedDateTime", *DAYS),
    dated("QuestionnaireResponse", "authored", "authored", *DAYS),
    dated("Specimen", "collected", "collection.collectedDateTime", *DAYS),
    dated("Bundle", "timestamp", "timestamp", "2026-06-01T09:00:00+09:00", "2027-06-01T09:00:00+09:00"),
)


def placed(tree: Any, patient: str) -> Any:
    """The tree about this resident."""
    if isinstance(tree, dict):
        return {name: placed(value, patient) for name, value in tree.items()}
    if isinstance(tree, list):
        return [placed(value, patient) for value in tree]
    return tree.replace(P, patient) if isinstance(tree, str) else tree
