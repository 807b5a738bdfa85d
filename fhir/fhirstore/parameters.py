"""The search parameters of each type: what they read, and where the store answers them.

http://hl7.org/fhir/R4/searchparameter-registry.html

A parameter of a type is a row; a further one is a further row. Most are answered by the columns of a
record; rows of an index table are written only for `Source.TOKEN_ROWS` and `Source.DATE_ROWS`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, NewType

from fhirstore.registry.definition import Component, Kind
from fhirstore.types import TYPES, Path, ResourceType

__all__ = ["Component", "Kind", "ParameterNumber", "SearchParameter", "Source", "parameters_of"]

ParameterNumber = NewType("ParameterNumber", int)


class Source(Enum):
    """Where a parameter is answered: a column of the record, or an index table."""

    ID = auto()
    LAST_UPDATED = auto()
    # identifier_index
    IDENTIFIERS = auto()
    # The patient who owns the record.
    PATIENT = auto()
    # The columns starts and ends.
    TIME = auto()
    STATUS = auto()
    CATEGORIES = auto()
    # resource_token, one row per coding of the main code, with the record's start.
    CODE_ROWS = auto()
    # resource_token, without a start.
    TOKEN_ROWS = auto()
    # resource_date
    DATE_ROWS = auto()
    # Nowhere in the clear: the record is opened and looked into.
    ELEMENTS = auto()


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One parameter of one type.

    `number` stands in index rows and is never given to another parameter. `paths` are the elements that
    the parameter reads, written as `fhirstore.registry.definition` says; `fhirstore.registry.reading` walks
    them. `targets` are the types that a reference may lead to, none for any.
    """

    type: ResourceType
    name: str
    number: ParameterNumber
    kind: Kind
    source: Source
    paths: tuple[Path, ...] = ()
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """A parameter as the table below writes it; types stand beside the elements that it reads there."""

    name: str
    ordinal: int
    kind: Kind
    source: Source
    elements: Mapping[str, str]


_PER_TYPE: Final = 64
"""How many ordinals fit between two types' numbers."""

_ID: Final = _Row("_id", 1, Kind.TOKEN, Source.ID, dict.fromkeys(TYPES, ""))
_LAST_UPDATED: Final = _Row("_lastUpdated", 2, Kind.DATE, Source.LAST_UPDATED, dict.fromkeys(TYPES, ""))

_ROWS: Final = (
    _ID,
    _LAST_UPDATED,
    _Row(
        "identifier",
        3,
        Kind.TOKEN,
        Source.IDENTIFIERS,
        {name: "identifier" for name in TYPES if name not in ("AuditEvent", "Provenance")},
    ),
    _Row(
        "patient",
        4,
        Kind.REFERENCE,
        Source.PATIENT,
        {
            "AllergyIntolerance": "patient",
            "AuditEvent": "entity.what agent.who",
            "CareTeam": "subject",
            "Condition": "subject",
            "Consent": "patient",
            "Device": "patient",
            "Encounter": "subject",
            "Immunization": "patient",
            "MedicationDispense": "subject",
            "MedicationRequest": "subject",
            "MedicationStatement": "subject",
            "Observation": "subject",
            "Provenance": "target",
            "RelatedPerson": "patient",
        },
    ),
    _Row(
        "subject",
        5,
        Kind.REFERENCE,
        Source.PATIENT,
        {
            "CareTeam": "subject",
            "Condition": "subject",
            "Encounter": "subject",
            "MedicationDispense": "subject",
            "MedicationRequest": "subject",
            "MedicationStatement": "subject",
            "Observation": "subject",
        },
    ),
    _Row(
        "code",
        6,
        Kind.TOKEN,
        Source.CODE_ROWS,
        {
            "AllergyIntolerance": "",
            "Condition": "",
            "Medication": "",
            "MedicationDispense": "",
            "MedicationRequest": "",
            "MedicationStatement": "",
            "Observation": "",
        },
    ),
    _Row("code", 6, Kind.TOKEN, Source.TOKEN_ROWS, {"Group": "code"}),
    _Row("vaccine-code", 7, Kind.TOKEN, Source.CODE_ROWS, {"Immunization": ""}),
    _Row(
        "category",
        8,
        Kind.TOKEN,
        Source.CATEGORIES,
        {
            "AllergyIntolerance": "",
            "CareTeam": "",
            "Condition": "",
            "Consent": "",
            "MedicationRequest": "",
            "MedicationStatement": "",
            "Observation": "",
        },
    ),
    _Row(
        "status",
        9,
        Kind.TOKEN,
        Source.STATUS,
        {
            "CareTeam": "",
            "Consent": "",
            "Device": "",
            "Encounter": "",
            "Immunization": "",
            "Location": "",
            "Medication": "",
            "MedicationDispense": "",
            "MedicationRequest": "",
            "MedicationStatement": "",
            "Observation": "",
        },
    ),
    _Row("clinical-status", 10, Kind.TOKEN, Source.STATUS, {"AllergyIntolerance": "", "Condition": ""}),
    _Row(
        "date",
        11,
        Kind.DATE,
        Source.TIME,
        {
            "AuditEvent": "",
            "CareTeam": "",
            "Consent": "",
            "Encounter": "",
            "Immunization": "",
            "Observation": "",
            "PractitionerRole": "",
        },
    ),
    _Row(
        "date",
        11,
        Kind.DATE,
        Source.DATE_ROWS,
        {"AllergyIntolerance": "recordedDate", "MedicationRequest": "dosageInstruction.timing.event"},
    ),
    _Row("authoredon", 12, Kind.DATE, Source.TIME, {"MedicationRequest": ""}),
    _Row("whenhandedover", 13, Kind.DATE, Source.TIME, {"MedicationDispense": ""}),
    _Row("effective", 14, Kind.DATE, Source.TIME, {"MedicationStatement": ""}),
    _Row("onset-date", 15, Kind.DATE, Source.TIME, {"Condition": ""}),
    _Row("recorded-date", 16, Kind.DATE, Source.DATE_ROWS, {"Condition": "recordedDate"}),
    _Row("recorded", 17, Kind.DATE, Source.DATE_ROWS, {"Provenance": "recorded"}),
    _Row("when", 18, Kind.DATE, Source.TIME, {"Provenance": ""}),
    _Row("timestamp", 19, Kind.DATE, Source.DATE_ROWS, {"Bundle": "timestamp"}),
)


def parameters_of(type_name: str) -> Mapping[str, SearchParameter]:
    """Return the parameters of a type by their name; none for a type that the store does not hold."""
    return _BY_TYPE.get(type_name, MappingProxyType({}))


def _of(name: str) -> Iterator[SearchParameter]:
    row_type = TYPES[name]
    for row in _ROWS:
        if name in row.elements:
            yield SearchParameter(
                type=row_type,
                name=row.name,
                number=ParameterNumber(row_type.number * _PER_TYPE + row.ordinal),
                kind=row.kind,
                source=row.source,
                paths=tuple(tuple(path.split(".")) for path in row.elements[name].split()),
            )


_BY_TYPE: Final[Mapping[str, Mapping[str, SearchParameter]]] = MappingProxyType(
    {name: MappingProxyType({parameter.name: parameter for parameter in _of(name)}) for name in TYPES}
)
