"""How a row of the registry is written: a search parameter's name, type, elements, targets and components.

http://hl7.org/fhir/R4/searchparameter.html

Elements are dotted names from the resource's root, several in one text; a choice element is written with its
type (`valueQuantity`). Three more steps are understood by `fhirstore.registry.reading`:

- `telecom[system=phone]` takes the elements of which a child has this value;
- `entry[0]` takes the first of a list;
- `?deceasedBoolean|deceasedDateTime` is true or false: whether one of them is there and is not false.

`.` alone is the resource itself. A parameter that reads the element of its own name (`based-on`, `basedOn`)
need not say so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from fhirstore.types import Path

# The sets of types that many references may lead to.
PEOPLE: Final = "Patient Practitioner PractitionerRole RelatedPerson"
PARTIES: Final = f"Organization {PEOPLE}"
MEMBERS: Final = f"CareTeam {PARTIES}"
ACTORS: Final = f"Device {PARTIES}"
SENDERS: Final = f"HealthcareService {ACTORS}"
PERFORMERS: Final = f"CareTeam {SENDERS}"
RECIPIENTS: Final = f"Group {PERFORMERS}"
SUBJECTS: Final = "Device Group Location Patient"
DEFINITIONS: Final = "ActivityDefinition Measure OperationDefinition PlanDefinition Questionnaire"


class Kind(Enum):
    """The type of a search parameter, which decides what its values look like."""

    NUMBER = auto()
    DATE = auto()
    STRING = auto()
    TOKEN = auto()
    REFERENCE = auto()
    COMPOSITE = auto()
    QUANTITY = auto()
    URI = auto()

    @property
    def code(self) -> str:
        """What the specification calls it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Component:
    """One side of a composite; its paths begin at each element that the composite's paths lead to."""

    kind: Kind
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """A search parameter as the specification defines it for one type.

    `targets` are the types that a reference parameter may lead to, none for any.
    """

    name: str
    kind: Kind
    paths: tuple[Path, ...]
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


Table = Mapping[str, tuple[Definition, ...]]
"""The definitions of each type."""


def date(name: str, elements: str = "") -> Definition:
    """A parameter of dates, moments, periods and timings."""
    return Definition(name, Kind.DATE, _paths(name, elements))


def string(name: str, elements: str = "") -> Definition:
    """A parameter of texts, names and addresses."""
    return Definition(name, Kind.STRING, _paths(name, elements))


def token(name: str, elements: str = "") -> Definition:
    """A parameter of codes, identifiers, contact points and booleans."""
    return Definition(name, Kind.TOKEN, _paths(name, elements))


def quantity(name: str, elements: str = "") -> Definition:
    """A parameter of amounts with a unit."""
    return Definition(name, Kind.QUANTITY, _paths(name, elements))


def uri(name: str, elements: str = "") -> Definition:
    """A parameter of URIs."""
    return Definition(name, Kind.URI, _paths(name, elements))


def reference(name: str, elements: str = "", targets: str = "") -> Definition:
    """A parameter of references to these types, or to any."""
    return Definition(name, Kind.REFERENCE, _paths(name, elements), tuple(targets.split()))


def composite(name: str, elements: str, *components: Component) -> Definition:
    """A parameter of pairs that stand in one element."""
    return Definition(name, Kind.COMPOSITE, _paths(name, elements), components=components)


def component(kind: Kind, elements: str) -> Component:
    """A side of a composite."""
    return Component(kind, _paths("", elements))


def _paths(name: str, elements: str) -> tuple[Path, ...]:
    return tuple(_path(element) for element in (elements or _own_element(name)).split())


def _path(element: str) -> Path:
    return () if element == "." else tuple(element.split("."))


def _own_element(name: str) -> str:
    first, *others = name.split("-")
    return first + "".join(map(str.capitalize, others))
