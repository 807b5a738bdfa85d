"""The resource types that the store holds, one row each.

http://hl7.org/fhir/R4/resourcelist.html
http://hl7.org/fhir/R4/compartmentdefinition-patient.html

A row says in which elements a type keeps the facts that search and consent read. A further type is a
further row: no code asks for a type by name.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.errors import UnknownType
from fhirstore.types.care import CARE
from fhirstore.types.documents import DOCUMENTS
from fhirstore.types.findings import FINDINGS
from fhirstore.types.foreign import FOREIGN
from fhirstore.types.medicines import MEDICINES
from fhirstore.types.people import PEOPLE
from fhirstore.types.rights import RIGHTS
from fhirstore.types.row import REPEATED, Path, ResourceType, TypeNumber

PROPOSABLE: Final = "Consent"
"""The type that may be put to a person whom nobody knows here."""

_ROWS: Final = sorted(
    (*PEOPLE, *FINDINGS, *MEDICINES, *CARE, *DOCUMENTS, *RIGHTS), key=lambda row: row.number
)

TYPES: Final[Mapping[str, ResourceType]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every type that some installation holds; which of them this one does is `types_of`."""

TYPES_BY_NUMBER: Final[Mapping[TypeNumber, ResourceType]] = MappingProxyType(
    {row.number: row for row in _ROWS}
)
PART_TYPES: Final[Mapping[str, ResourceType]] = MappingProxyType(
    {row.name: row for row in (*_ROWS, *FOREIGN)}
)
"""Every type that may occur inside of a record; each has a number, so that consents can name it."""

TYPE_NUMBERS: Final[Mapping[str, int]] = MappingProxyType(
    {name: int(row.number) for name, row in PART_TYPES.items()}
)
"""The number under which rows of records and of parts hold each type."""

_EVERYWHERE: Final[Mapping[str, ResourceType]] = MappingProxyType(
    {row.name: row for row in _ROWS if not row.sandbox}
)


def types_of(*, sandbox: bool) -> Mapping[str, ResourceType]:
    """Return the types that an installation holds."""
    return TYPES if sandbox else _EVERYWHERE


def resource_type(name: str, *, sandbox: bool = False) -> ResourceType:
    """Return the row of a resource type that an installation holds.

    Raises:
        UnknownType: when it does not hold this type.
    """
    try:
        return types_of(sandbox=sandbox)[name]
    except KeyError:
        raise UnknownType(name) from None


def part_type(name: str) -> ResourceType:
    """Return the row of a type that occurs inside of a record.

    Raises:
        UnknownType: when R4 has no such type.
    """
    try:
        return PART_TYPES[name]
    except KeyError:
        raise UnknownType(name) from None


__all__ = [
    "PART_TYPES",
    "PROPOSABLE",
    "REPEATED",
    "TYPES",
    "TYPES_BY_NUMBER",
    "TYPE_NUMBERS",
    "Path",
    "ResourceType",
    "TypeNumber",
    "part_type",
    "resource_type",
    "types_of",
]
