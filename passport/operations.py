"""The operations that the service carries out beside the interactions.

http://hl7.org/fhir/R4/operations.html

One table for the routes that carry them out and the statement that says so.
"""

from dataclasses import dataclass
from typing import Final, Literal

from fhirstore.types import TYPES

Level = Literal["system", "type", "instance"]


@dataclass(frozen=True, slots=True)
class OperationDefinition:
    """One operation.

    `name` is without the dollar sign, `levels` where it is asked for, `types` on which, none for every one, with
    `writes` every one that is written here.
    `definition` is its canonical address, `documentation` one sentence for a reader of the statement.
    """

    name: str
    levels: tuple[Level, ...]
    definition: str
    documentation: str
    types: tuple[str, ...] = ()
    writes: bool = False

    def is_on(self, type_name: str) -> bool:
        """Return whether it is asked for on a type or its records."""
        named = self.levels != ("system",) and type_name in (self.types or (type_name,))
        return named and (TYPES[type_name].writable or not self.writes)


OPERATIONS: Final[tuple[OperationDefinition, ...]] = (
    OperationDefinition(
        name="everything",
        levels=("instance",),
        types=("Patient",),
        definition="http://hl7.org/fhir/OperationDefinition/Patient-everything",
        documentation="All there is of a patient for this caller, in pages, with what of the directory it refers to.",
    ),
    OperationDefinition(
        name="lastn",
        levels=("type",),
        types=("Observation",),
        definition="http://hl7.org/fhir/OperationDefinition/Observation-lastn",
        documentation="The last Observations of each kind of one patient; those of equal time come along.",
    ),
    OperationDefinition(
        name="meta",
        levels=("system", "type", "instance"),
        definition="http://hl7.org/fhir/OperationDefinition/Resource-meta",
        documentation="The profiles, tags and labels of a record, or those in use among what this caller may see.",
    ),
    OperationDefinition(
        name="meta-add",
        levels=("instance",),
        definition="http://hl7.org/fhir/OperationDefinition/Resource-meta-add",
        documentation="Adds profiles, tags and security labels to a record, as its next version.",
        writes=True,
    ),
    OperationDefinition(
        name="meta-delete",
        levels=("instance",),
        definition="http://hl7.org/fhir/OperationDefinition/Resource-meta-delete",
        documentation="Takes profiles and tags away, and for its patient labels that the record's codes do not demand.",
        writes=True,
    ),
    OperationDefinition(
        name="summary",
        levels=("instance",),
        types=("Patient",),
        definition="http://hl7.org/fhir/uv/ips/OperationDefinition/summary",
        documentation="The International Patient Summary of what this caller may see of a patient.",
    ),
    OperationDefinition(
        name="validate",
        levels=("type", "instance"),
        definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
        documentation="Checks a resource against R4 and the profiles of JP Core and JP-CLINS that are known here.",
    ),
)
"""The operations, in the order in which the statement names them."""
