"""The facts of a record: what search and consent know of it, read once when it is written.

http://hl7.org/fhir/R4/consent.html
http://hl7.org/fhir/R4/security-labels.html

Which element holds which fact is said by the table of types; this module only walks it.

- Patients are those that literal references name. `Patient/x`, its absolute URL here and either with a
  version are one and the same; a patient elsewhere, a `urn:`, a contained Patient or a logical identifier
  names nobody who could consent here.
- Contained resources and the entries of a Bundle are parts: records of their own, with their container's
  facts where they have none. The patients that they name are the container's too.
- Of a part whose type is not held nothing is known but that type, its labels and whom it refers to. What its
  own elements say may be what somebody denied, so it does not take its container's codes, categories, time
  and authors: they stay unknown.
- The category that a vitals profile implies is kept apart from those that the record states.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final
from zoneinfo import ZoneInfo

from fhirstore.criteria import patients_named
from fhirstore.elements import Code, References, codes_in, reference_elements, values_at
from fhirstore.keys import Key, KeyMaker
from fhirstore.parts import NESTED, Placed, placed
from fhirstore.times import Interval, interval_at
from fhirstore.types import TYPES, Path, ResourceType, TypeNumber, part_type, resource_type

CONFIDENTIALITY_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
CONFIDENTIALITIES: Final = ("U", "L", "M", "N", "R", "V")  # in rising order; columns hold the place
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


class Holder(Enum):
    """In whose part of the store a record belongs."""

    PATIENT = "the first patient that it names"
    DIRECTORY = "the directory, readable by every signed-in caller"
    NO_PATIENT = "nobody: a record of a patient's type that names no patient"


@dataclass(frozen=True, slots=True)
class Columns:
    """The facts as the typed columns of a row."""

    type: TypeNumber
    status: Key | None
    confidentiality: int | None
    labels: tuple[Key, ...]
    codes: tuple[Key, ...]
    code_systems: tuple[Key, ...]
    categories: tuple[Key, ...]
    starts: datetime | None
    ends: datetime | None
    authors: tuple[Key, ...]
    refs: tuple[Key, ...]
    follows: tuple[Key, ...]
    patients: tuple[Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one record says of itself, in plain values; an empty tuple is a fact that it lacks.

    `reference` is None for what has no identity in this store. `main_codes` are the codes without those
    of components. `confidentiality` is one of `CONFIDENTIALITIES`, the highest if there are several.
    `loose` tells that it, or something in it, is bound to another record and does not say to which.
    `parts` are flat: a container's own parts follow it.
    """

    type: ResourceType
    reference: str | None = None
    patients: tuple[str, ...] = ()
    main_codes: tuple[Code, ...] = ()
    codes: tuple[Code, ...] = ()
    categories: tuple[Code, ...] = ()
    implied_categories: tuple[Code, ...] = ()
    time: Interval | None = None
    confidentiality: str | None = None
    sensitivities: tuple[Code, ...] = ()
    authors: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    status: str | None = None
    loose: bool = False
    parts: tuple["Facts", ...] = ()

    @property
    def holder(self) -> Holder:
        """Return where the record belongs."""
        if self.type.directory:
            return Holder.DIRECTORY
        return Holder.PATIENT if self.patients else Holder.NO_PATIENT

    def columns(self, keys: KeyMaker) -> Columns:
        """Return the facts as keys; a category has a second key, by which its code alone finds it."""
        level = self.confidentiality
        return Columns(
            type=self.type.number,
            status=None if self.status is None else keys.token(self.status),
            confidentiality=None if level is None else CONFIDENTIALITIES.index(level),
            labels=tuple(keys.label(*label) for label in self.sensitivities),
            codes=tuple(keys.code(*code) for code in self.codes),
            code_systems=tuple({keys.system(code.system): None for code in self.codes if code.system}),
            categories=tuple(_category_keys(self, keys)),
            starts=None if self.time is None else self.time.start,
            ends=None if self.time is None else self.time.end,
            authors=tuple(map(keys.reference, self.authors)),
            refs=tuple(map(keys.reference, self.references)),
            follows=tuple(map(keys.reference, self.follows)),
            patients=tuple(map(keys.reference, self.patients)),
        )


def extract(
    tree: Mapping[str, Any],
    *,
    zone: ZoneInfo,
    medication_codes: Mapping[str, Sequence[Code]] | None = None,
    base_urls: Collection[str] = (),
) -> Facts:
    """Read the facts of a resource.

    Args:
        tree: a valid resource, with the id that it is stored under.
        zone: the passport's time zone, in which days begin and end.
        medication_codes: the codes of the Medications that `medications` names; of one that is missing
            the codes are not known.
        base_urls: this service's own base URLs, without a slash at the end.

    Raises:
        UnknownType: the resource is of a type that the store does not hold, or one inside it of none of R4's.
    """
    _held(tree)
    whole = _read(placed(tree, References(tuple(base_urls))), zone, medication_codes or {})
    if not whole.parts:
        return whole
    whole = replace(whole, patients=_all_patients(whole), loose=_any_loose(whole))
    return replace(whole, parts=tuple(_flat(whole.parts, whole)))


def medications(tree: Mapping[str, Any], base_urls: Collection[str] = ()) -> tuple[str, ...]:
    """Return the `Medication/x` references whose codes `extract` wants to be given.

    Raises:
        UnknownType: as `extract`.
    """
    _held(tree)
    return tuple(dict.fromkeys(_medications(placed(tree, References(tuple(base_urls))))))


def about(tree: Mapping[str, Any], base_urls: Collection[str] = ()) -> str | None:
    """Return the record or patient that a resource names first, whoever has not validated it yet.

    Raises:
        UnknownType: the resource is of a type that the store does not hold.
    """
    row, at = _held(tree), placed(tree, References(tuple(base_urls)))
    return next(iter((*at.references.literals(values_at(tree, row.follows)), *_patients(at, row))), None)


def _held(tree: Mapping[str, Any]) -> ResourceType:
    # Whether this installation holds it was decided where it came in.
    return resource_type(str(tree.get("resourceType", "")), sandbox=True)


def _read(at: Placed, zone: ZoneInfo, medication_codes: Mapping[str, Sequence[Code]]) -> Facts:
    tree, row = at.tree, _row(at)
    main_codes = _main_codes(at, row, medication_codes)
    confidentiality, sensitivities = _labels(tree)
    return Facts(
        type=row,
        reference=at.reference,
        patients=_patients(at, row),
        main_codes=main_codes,
        codes=tuple(dict.fromkeys(main_codes + codes_in(values_at(tree, row.component_codes)))),
        categories=codes_in(values_at(tree, row.categories), row.category_system),
        implied_categories=_implied_categories(tree, row),
        time=_time(tree, row, zone),
        confidentiality=confidentiality,
        sensitivities=sensitivities,
        authors=at.references.literals(values_at(tree, row.authors)),
        references=at.references.literals(reference_elements(tree, NESTED)),
        follows=at.references.literals(values_at(tree, row.follows)),
        status=_status(tree, row),
        loose=row.bound and not _anchored(at, row),
        parts=tuple(_read(part, zone, medication_codes) for part in at.parts()),
    )


def _row(at: Placed) -> ResourceType:
    return part_type(str(at.tree.get("resourceType", "")))


def _patients(at: Placed, row: ResourceType) -> tuple[str, ...]:
    # Which elements of a foreign type say who took part is not known: all of them may.
    elements = reference_elements(at.tree, NESTED) if row.foreign else values_at(at.tree, row.patients)
    named = [*at.references.literals(elements), *_sought(at, row)]
    if row.is_patient and at.reference is not None:
        named = [at.reference, *named]
    return tuple(dict.fromkeys(name for name in named if _PATIENT.fullmatch(name)))


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


def _medications(at: Placed) -> Iterator[str]:
    row = _row(at)
    for element in values_at(at.tree, (row.medication,)) if row.medication else ():
        if at.neighbour(element) is None:
            yield from (name for name in at.references.literals([element]) if _MEDICATION.fullmatch(name))
    for part in at.parts():
        yield from _medications(part)


def _implied_categories(tree: Mapping[str, Any], row: ResourceType) -> tuple[Code, ...]:
    # Only what has categories can have one implied.
    profiles = values_at(tree, _PROFILE) if row.categories else ()
    claimed = {profile.partition("|")[0] for profile in profiles if isinstance(profile, str)}
    return (VITAL_SIGNS,) if claimed & VITAL_SIGNS_PROFILES else ()


def _time(tree: Mapping[str, Any], row: ResourceType, zone: ZoneInfo) -> Interval | None:
    return next((interval_at(value, zone) for value in values_at(tree, row.times)), None)


def _labels(tree: Mapping[str, Any]) -> tuple[str | None, tuple[Code, ...]]:
    labels = codes_in(values_at(tree, _SECURITY))
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


def _category_keys(facts: Facts, keys: KeyMaker) -> Iterator[Key]:
    for system, code in facts.categories:
        yield keys.category(system, code)
        yield keys.bare_category(code)
    for system, code in facts.implied_categories:
        yield keys.implied_category(system, code)


def _all_patients(facts: Facts) -> tuple[str, ...]:
    named = list(facts.patients)
    for part in facts.parts:
        named += _all_patients(part)
    return tuple(dict.fromkeys(named))


def _any_loose(facts: Facts) -> bool:
    return facts.loose or any(map(_any_loose, facts.parts))


def _flat(parts: Iterable[Facts], container: Facts) -> Iterator[Facts]:
    for part in parts:
        filled = _filled(replace(part, patients=_all_patients(part)), container)
        yield replace(filled, parts=())
        yield from _flat(part.parts, filled)


def _filled(part: Facts, container: Facts) -> Facts:
    labelled = part.confidentiality or part.sensitivities
    filled = replace(
        part,
        patients=part.patients or container.patients,
        confidentiality=(part if labelled else container).confidentiality,
        sensitivities=(part if labelled else container).sensitivities,
        references=part.references or container.references,
    )
    if part.type.foreign:
        return filled
    categorised = part.categories or part.implied_categories
    return replace(
        filled,
        main_codes=part.main_codes or container.main_codes,
        codes=part.codes or container.codes,
        categories=(part if categorised else container).categories,
        implied_categories=(part if categorised else container).implied_categories,
        time=part.time or container.time,
        authors=part.authors or container.authors,
    )
