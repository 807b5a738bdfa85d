"""Reading the facts of one resource where it stands, as the table of types says.

http://hl7.org/fhir/R4/consent.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from fhirstore.criteria import patients_named
from fhirstore.elements import Code, codes_in, inside, reference_elements, values_at
from fhirstore.facts.record import CONFIDENTIALITIES, CONFIDENTIALITY_SYSTEM, Facts
from fhirstore.parts import NESTED, Placed
from fhirstore.times import Interval, interval_at
from fhirstore.types import TYPES, Path, ResourceType, part_type

MERGED: Final = frozenset({"replaces", "replaced-by"})
"""Types of Patient.link between the registrations of one person; others lead to another Patient."""

VITAL_SIGNS: Final = Code("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")

# http://hl7.org/fhir/R4/observation-vitalsigns.html and its derived profiles, and JP Core's.
VITAL_SIGNS_PROFILES: Final = frozenset(
    {
        *(
            f"http://hl7.org/fhir/StructureDefinition/{name}"
            for name in (
                "vitalsigns",
                "vitalspanel",
                "bmi",
                "bodyheight",
                "bodytemp",
                "bodyweight",
                "bp",
                "headcircum",
                "heartrate",
                "oxygensat",
                "resprate",
            )
        ),
        "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_VitalSigns",
    }
)

_SECURITY: Final[tuple[Path, ...]] = (("meta", "security"),)
_PROFILE: Final[tuple[Path, ...]] = (("meta", "profile"),)
_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}")
_MEDICATION: Final = re.compile(r"Medication/[A-Za-z0-9\-.]{1,64}")


def read(at: Placed, zone: ZoneInfo, medication_codes: Mapping[str, Sequence[Code]]) -> Facts:
    """Read a resource where it stands; its parts keep only what they say themselves."""
    tree, row = at.tree, _row(at)
    main_codes = _main_codes(at, row, medication_codes)
    confidentiality, sensitivities = labels_of(values_at(tree, _SECURITY))
    references, mentioned = inside(tree, NESTED)
    return Facts(
        type=row,
        reference=at.reference,
        patients=patients_of(at, row),
        main_codes=main_codes,
        concepts=tuple(codes_in([element]) for element in values_at(tree, row.codes)),
        codes=tuple(dict.fromkeys(main_codes + codes_in(values_at(tree, row.component_codes)))),
        mentioned=mentioned,
        categories=codes_in(values_at(tree, row.categories), row.category_system),
        implied_categories=_implied_categories(tree, row),
        time=_time(tree, row, zone),
        confidentiality=confidentiality,
        sensitivities=sensitivities,
        authors=at.references.literals(values_at(tree, row.authors)),
        references=at.references.literals(references),
        follows=at.references.literals(values_at(tree, row.follows)),
        status=_status(tree, row),
        loose=row.bound and not _anchored(at, row),
        parts=tuple(read(part, zone, medication_codes) for part in at.parts()),
    )


def _row(at: Placed) -> ResourceType:
    return part_type(str(at.tree.get("resourceType", "")))


def patients_of(at: Placed, row: ResourceType) -> tuple[str, ...]:
    """Return the patients whom a resource names, each once."""
    # Which elements of a foreign type say who took part is not known: all of them may.
    tree = _as_one_person(at.tree) if row.is_patient else at.tree
    elements = reference_elements(tree, NESTED) if row.foreign else values_at(tree, row.patients)
    named = [*at.references.literals(elements), *_sought(at, row)]
    if row.is_patient and at.reference is not None:
        named = [at.reference, *named]
    return tuple(dict.fromkeys(name for name in named if _PATIENT.fullmatch(name)))


def _as_one_person(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Patient without its links to other registrations of the same person, which name nobody else."""
    links = tree.get("link")
    if not isinstance(links, list):
        return tree
    return {**tree, "link": [link for link in links if not _is_merged(link)]}


def _is_merged(link: Any) -> bool:
    return isinstance(link, dict) and any(link.get("type") == kind for kind in MERGED)


def _sought(at: Placed, row: ResourceType) -> Iterator[str]:
    for criteria in values_at(at.tree, row.criteria):
        for name in patients_named(criteria) if isinstance(criteria, str) else ():
            yield at.references.literal(name) or name


def _anchored(at: Placed, row: ResourceType) -> bool:
    """Whether what it is bound to is said: by itself any record, inside of a whole something in that."""
    elements = values_at(at.tree, row.follows)
    if at.whole:
        return bool(at.references.literals(elements))
    return any(at.neighbour(element) is not None for element in elements)


def _main_codes(
    at: Placed, row: ResourceType, medication_codes: Mapping[str, Sequence[Code]]
) -> tuple[Code, ...]:
    codes = codes_in(values_at(at.tree, row.codes))
    if not row.medication:
        return codes
    for element in values_at(at.tree, (row.medication,)):
        near = at.neighbour(element)
        if near is not None:
            codes += codes_in(values_at(near, TYPES["Medication"].codes))
        for literal in at.references.literals([element]):
            codes += tuple(medication_codes.get(literal, ()))
    return tuple(dict.fromkeys(codes))


def medications_in(at: Placed) -> Iterator[str]:
    """Yield the Medications of the store that a resource or its parts refer to."""
    row = _row(at)
    for element in values_at(at.tree, (row.medication,)) if row.medication else ():
        if at.neighbour(element) is None:
            yield from (name for name in at.references.literals([element]) if _MEDICATION.fullmatch(name))
    for part in at.parts():
        yield from medications_in(part)


def _implied_categories(tree: Mapping[str, Any], row: ResourceType) -> tuple[Code, ...]:
    # Only what has categories can have one implied.
    profiles = values_at(tree, _PROFILE) if row.categories else ()
    claimed = {profile.partition("|")[0] for profile in profiles if isinstance(profile, str)}
    return (VITAL_SIGNS,) if claimed & VITAL_SIGNS_PROFILES else ()


def _time(tree: Mapping[str, Any], row: ResourceType, zone: ZoneInfo) -> Interval | None:
    return next((interval_at(value, zone) for value in values_at(tree, row.times)), None)


def labels_of(security: Sequence[Any]) -> tuple[str | None, tuple[Code, ...]]:
    """Return what the elements of `meta.security` say: the confidentiality, if it is one, and the sensitivities."""
    labels = codes_in(security)
    levels = [label.code for label in labels if label.system == CONFIDENTIALITY_SYSTEM]
    sensitivities = tuple(label for label in labels if label.system != CONFIDENTIALITY_SYSTEM)
    if not levels or any(level not in CONFIDENTIALITIES for level in levels):
        return None, sensitivities
    return max(levels, key=CONFIDENTIALITIES.index), sensitivities


def _status(tree: Mapping[str, Any], row: ResourceType) -> str | None:
    if not row.status:
        return None
    codes = codes_in(values_at(tree, (row.status,)), row.status_system)
    return next((code.code for code in codes if code.system == row.status_system), None)
