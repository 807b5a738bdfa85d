"""What people share, in their words: each category is classes of a provision.

http://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.class
http://terminology.hl7.org/CodeSystem/observation-category
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consent.model import Coding
from consent.systems import RESOURCE_TYPES
from fhirstore.types import TYPES
from passport.outcomes import Invalid

OBSERVATION_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
LISTED_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of records, and what people call it."""

    ja: str
    en: str
    classes: tuple[Coding, ...]


def _types(*names: str) -> tuple[Coding, ...]:
    return tuple(Coding(RESOURCE_TYPES, name) for name in names)


CATEGORIES: Final[Mapping[str, Category]] = {
    "person": Category(
        "氏名・生年月日・連絡先", "personal details (name, birth date, contact)", _types("Patient")
    ),
    "vital-signs": Category(
        "血圧や体重などの測定値",
        "vital signs (blood pressure, weight and others)",
        (Coding(OBSERVATION_CATEGORY, "vital-signs"),),
    ),
    "laboratory": Category(
        "検査結果",
        "laboratory results",
        (Coding(OBSERVATION_CATEGORY, "laboratory"), *_types("DiagnosticReport")),
    ),
    "medicines": Category(
        "お薬",
        "medicines",
        _types("MedicationRequest", "MedicationDispense", "MedicationStatement", "MedicationAdministration"),
    ),
    "allergies": Category("アレルギー", "allergies", _types("AllergyIntolerance")),
    "conditions": Category("病名", "diagnoses", _types("Condition")),
    "procedures": Category("手術や処置", "procedures", _types("Procedure")),
    "immunizations": Category("予防接種", "vaccinations", _types("Immunization")),
    "visits": Category("受診の記録", "visits", _types("Encounter")),
    "documents": Category("文書", "documents", _types("DocumentReference", "Composition")),
}
"""Categories by name. A single type of FHIR is one as well, by its own name."""


def classes_of(names: object) -> list[dict[str, str]]:
    """The classes of these categories and types, as `Consent.provision.class`.

    Raises:
        Invalid: it is no list of known names.
    """
    if not isinstance(names, Sequence) or isinstance(names, str) or len(names) > LISTED_MAX:
        raise _unknown()
    listed = dict.fromkeys(coding for name in names for coding in _classes(name))
    return [coding._asdict() for coding in listed]


def _classes(name: object) -> tuple[Coding, ...]:
    if isinstance(name, str) and name in CATEGORIES:
        return CATEGORIES[name].classes
    if isinstance(name, str) and name in TYPES:
        return _types(name)
    raise _unknown()


def _unknown() -> Invalid:
    expected = f"a list of {', '.join(CATEGORIES)}, or of resource types"
    return Invalid(f"got another category, expected {expected}", ("categories",))


def named(classes: Collection[Coding]) -> Iterator[str]:
    """The categories that these classes are, and each class beside them: a type's name, or `system|code`."""
    left = set(classes)
    for name, category in CATEGORIES.items():
        if left.issuperset(category.classes):
            left -= set(category.classes)
            yield name
    for coding in sorted(left):
        yield coding.code if coding.system == RESOURCE_TYPES else f"{coding.system}|{coding.code}"
