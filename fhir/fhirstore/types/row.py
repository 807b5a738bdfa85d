"""One row of the table of types: in which elements a resource type keeps the facts that are read of it.

http://hl7.org/fhir/R4/resourcelist.html
"""

from dataclasses import dataclass
from typing import Final, NewType

TypeNumber = NewType("TypeNumber", int)
Path = tuple[str, ...]
"""Element names from the resource's root; lists are walked through."""
REPEATED: Final = "*"
"""Ends a name that is followed into itself to any depth, as the sections of a Composition are."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource type; every path is read where it stands, an absent one gives nothing.

    `number` stands in columns and is never given to another type. `patients` are the elements of the
    patient compartment, and those beside it whose declared targets include Patient and that say who took
    part; the first is the one whose patient owns the record. `criteria` hold a search whose patients are
    the record's. `follows` name the records with whose patient this one lies; with `bound` it is nothing
    without them.

    `codes` hold the main code, `medication` the reference that may stand for it. `systems` are the code
    systems whose codes a search by code alone finds without an index row of its own. `category_system`
    and `status_system` are the systems that the specification fixes for those elements.

    `times` are the clinical times, not when something was recorded: an allergy of unknown onset is
    undated. The first that is present counts, so a type that has two of them is dated by the first. A
    type of which consents cannot name codes (an Encounter, a Group) states none.

    A `sandbox` type is held in a sandbox alone. A `foreign` one occurs only inside of other resources, and
    its elements are not read.
    """

    name: str
    number: TypeNumber
    directory: bool = False
    writable: bool = True
    sandbox: bool = False
    foreign: bool = False
    patients: tuple[Path, ...] = ()
    criteria: tuple[Path, ...] = ()
    codes: tuple[Path, ...] = ()
    component_codes: tuple[Path, ...] = ()
    systems: tuple[str, ...] = ()
    medication: Path = ()
    categories: tuple[Path, ...] = ()
    category_system: str = ""
    times: tuple[Path, ...] = ()
    authors: tuple[Path, ...] = ()
    follows: tuple[Path, ...] = ()
    bound: bool = False
    status: Path = ()
    status_system: str = ""
    is_patient: bool = False

    @property
    def holding(self) -> str:
        """Return the element that says whose a record is, for a message: `Type.element`."""
        named = next(iter((*self.follows, *self.patients, *self.criteria)), ())
        return ".".join((self.name, *named))


def paths(*dotted: str) -> tuple[Path, ...]:
    """Return paths that are written with dots."""
    return tuple(tuple(path.split(".")) for path in dotted)
