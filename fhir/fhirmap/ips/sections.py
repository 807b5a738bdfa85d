"""The sections of a summary, one row each: what belongs into it, and how it is shown.

http://hl7.org/fhir/uv/ips/STU2/StructureDefinition-Composition-uv-ips.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fhirmap.ips import wording
from fhirmap.jsonformat import Json

Others = Mapping[str, Json]
Row = Callable[[Json, Others], tuple[str, ...]]

PATIENT: Final = "Patient"
OBSERVATION: Final = "Observation"
MEDICINES: Final = (
    "MedicationStatement", "MedicationRequest", "MedicationDispense", "MedicationAdministration",
)  # fmt: skip

STILL_TAKEN: Final = frozenset({"active", "on-hold", "intended", "in-progress", "preparation"})
"""Statuses of a medicine that is taken however long ago it began."""

NOT_SHOWN: Final = frozenset(
    {
        "inactive", "resolved", "remission", "entered-in-error", "cancelled", "draft", "registered",
        "declined", "not-done", "not-taken", "stopped",
    }
)  # fmt: skip
"""Statuses, of any of these types, of what is over, never was, or was an error."""

_NEVER_SO: Final = frozenset({"entered-in-error", "refuted"})


@dataclass(frozen=True, slots=True)
class Section:
    """One section: `code` and `display` are of LOINC, `columns` are shown in its narrative."""

    title: str
    code: str
    display: str
    types: tuple[str, ...]
    columns: tuple[str, ...]
    row: Row


def _allergy(record: Json, _: Others) -> tuple[str, ...]:
    reactions = [each for shown in record.get("reaction", ()) for each in shown.get("manifestation", ())]
    when = wording.time(record, "onsetDateTime", "onsetPeriod", "onsetString", "recordedDate")
    return (
        wording.concept(record.get("code")),
        wording.concepts(reactions),
        record.get("criticality", ""),
        when,
    )


def _medicine(record: Json, others: Others) -> tuple[str, ...]:
    when = wording.time(record, "effectiveDateTime", "effectivePeriod", "whenHandedOver", "authoredOn")
    return wording.medicine(record, others), wording.dosage(record), when, str(record.get("status", ""))


def _problem(record: Json, _: Others) -> tuple[str, ...]:
    when = wording.time(record, "onsetDateTime", "onsetPeriod", "onsetString", "recordedDate")
    return wording.concept(record.get("code")), when, wording.concept(record.get("clinicalStatus"))


def _immunization(record: Json, _: Others) -> tuple[str, ...]:
    when = wording.time(record, "occurrenceDateTime", "occurrenceString")
    return wording.concept(record.get("vaccineCode")), when, str(record.get("lotNumber", ""))


def _vital(record: Json, _: Others) -> tuple[str, ...]:
    when = wording.time(record, "effectiveDateTime", "effectivePeriod", "effectiveInstant")
    return wording.concept(record.get("code")), wording.value(record), when


SECTIONS: Final = (
    Section(
        "アレルギー・不耐性 / Allergies and intolerances",
        "48765-2",
        "Allergies and adverse reactions Document",
        ("AllergyIntolerance",),
        ("原因 / Substance", "反応 / Reaction", "重篤度 / Criticality", "時期 / Since"),
        _allergy,
    ),
    Section(
        "薬 / Medication summary",
        "10160-0",
        "History of Medication use Narrative",
        MEDICINES,
        ("薬 / Medicine", "用法 / Dosage", "時期 / When", "状態 / Status"),
        _medicine,
    ),
    Section(
        "病名・問題 / Problems",
        "11450-4",
        "Problem list - Reported",
        ("Condition",),
        ("病名 / Problem", "時期 / Since", "状態 / Status"),
        _problem,
    ),
    Section(
        "予防接種 / Immunizations",
        "11369-6",
        "History of Immunization Narrative",
        ("Immunization",),
        ("ワクチン / Vaccine", "接種日 / Date", "ロット / Lot"),
        _immunization,
    ),
    Section(
        "バイタルサイン / Vital signs",
        "8716-3",
        "Vital signs",
        (OBSERVATION,),
        ("項目 / Measurement", "値 / Value", "時期 / When"),
        _vital,
    ),
)
"""In the order in which a reader in an emergency looks for them."""

TYPES: Final = (PATIENT, *(type_name for section in SECTIONS for type_name in section.types))


def belongs(record: Json) -> bool:
    """Whether a record of a section's type is so, and still matters."""
    words = (
        record.get("status"),
        _code(record.get("clinicalStatus")),
        _code(record.get("verificationStatus")),
    )
    return not any(word in NOT_SHOWN | _NEVER_SO for word in words)


def _code(element: Any) -> str | None:
    coding = (element or {}).get("coding") or [{}]
    found = coding[0].get("code")
    return found if isinstance(found, str) else None
