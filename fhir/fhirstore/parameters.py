"""The search parameters of each type: what they read, and where the store answers them.

http://hl7.org/fhir/R4/searchparameter-registry.html

The registry says which parameters a type has and what they read; the table of types says which facts of a
record stand in columns and index rows. A parameter that reads exactly one of these facts is answered by it, and
every other one by looking into the records that are left: no further value of a person stands in the clear.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count
from types import MappingProxyType
from typing import Final, NewType

from fhirstore.registry import COMMON, PARAMETERS
from fhirstore.registry.definition import Component, Definition, Kind
from fhirstore.types import TYPES, Path, ResourceType

__all__ = [
    "Component",
    "Kind",
    "ParameterNumber",
    "SearchParameter",
    "Source",
    "parameters_of",
]

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
    # Nowhere in the clear: the record is opened and looked into.
    ELEMENTS = auto()


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One parameter of one type.

    `number` tells it from all others; where it stands in index rows it is never given to another one.
    `paths` are the elements that the parameter reads, written as `fhirstore.registry.definition` says;
    `fhirstore.registry.reading` walks them. `targets` are the types that a reference may lead to, none for
    any.
    """

    type: ResourceType
    name: str
    number: ParameterNumber
    kind: Kind
    source: Source
    paths: tuple[Path, ...] = ()
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


_PER_TYPE: Final = 64
"""How many ordinals fit between two types' numbers."""

_ORDINALS: Final = MappingProxyType(
    {
        "_id": 1,
        "_lastUpdated": 2,
        "identifier": 3,
        "patient": 4,
        "code": 6,
        "vaccine-code": 7,
        "type": 20,
    }
)
"""Those of the parameters that have index rows; the others take theirs by their place."""
_FIRST_BY_PLACE: Final = 21

_COLUMNS: Final = MappingProxyType(
    {"_id": Source.ID, "_lastUpdated": Source.LAST_UPDATED, "identifier": Source.IDENTIFIERS}
)

# The service writes these itself, and what it does not write down is not searched.
_ANSWERED_BY_THE_LOG: Final = MappingProxyType(
    {"AuditEvent": frozenset({"_id", "_lastUpdated", "agent", "date", "outcome", "patient"})}
)


def parameters_of(type_name: str) -> Mapping[str, SearchParameter]:
    """Return the parameters of a type by their name; none for a type that the store does not hold."""
    return _BY_TYPE.get(type_name, MappingProxyType({}))


def _of(row: ResourceType) -> Iterator[SearchParameter]:
    known = _ANSWERED_BY_THE_LOG.get(row.name)
    own = sorted(PARAMETERS.get(row.name, ()), key=lambda each: each.name)
    places = count(_FIRST_BY_PLACE)
    for each in (*COMMON, *own):
        if known is not None and each.name not in known:
            continue
        ordinal = _ORDINALS[each.name] if each.name in _ORDINALS else next(places)
        yield SearchParameter(
            type=row,
            name=each.name,
            number=ParameterNumber(row.number * _PER_TYPE + ordinal),
            kind=each.kind,
            source=_COLUMNS.get(each.name) or _source(row, each),
            paths=each.paths,
            targets=each.targets,
            components=each.components,
        )


def _source(row: ResourceType, parameter: Definition) -> Source:
    read = set(parameter.paths)
    if parameter.kind is Kind.REFERENCE and _is_owner(row, parameter):
        return Source.PATIENT
    if parameter.kind is Kind.DATE and read == set(row.times):
        return Source.TIME
    if parameter.kind is Kind.TOKEN:
        if parameter.paths == (row.status,):
            return Source.STATUS
        if read == set(row.categories):
            return Source.CATEGORIES
        if row.codes and read >= set(row.codes) and not read & set(row.component_codes):
            return Source.CODE_ROWS
    return Source.ELEMENTS


def _is_owner(row: ResourceType, parameter: Definition) -> bool:
    if row.follows or not row.writable:
        # It lies with the patient of what it is about: a Provenance of a reading is that patient's, as is what
        # the service writes down of a look at it.
        return parameter.name == "patient"
    if not row.patients:
        return False
    # The owner is the patient at the first of the type's elements. Where an element may stand more than once
    # (a participant, a link), the others at it are searched for as well, and do not own the record.
    first = row.patients[0]
    to_patients = not parameter.targets or "Patient" in parameter.targets
    return to_patients and parameter.paths == (first,) and len(first) == 1


_BY_TYPE: Final[Mapping[str, Mapping[str, SearchParameter]]] = MappingProxyType(
    {
        name: MappingProxyType({parameter.name: parameter for parameter in _of(row)})
        for name, row in TYPES.items()
    }
)
