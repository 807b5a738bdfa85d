"""What a type consists of, read from the models of fhir.resources.

http://hl7.org/fhir/R4/datatypes.html

fhir.resources publishes R4B (4.3.0) and not R4 (4.0.1), which is what the wire speaks. Between the two, the
types that this store holds and every data type that they use differ in three elements, all of Extension, and
in whom three references may name; `_R4_DIFFERENCES` says how. A test compares the rest with the R4 classes of an
independent library.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin
from uuid import UUID

from fhirstore.types import PART_TYPES

RESOURCE: Final = "Resource"
"""The type of elements that hold any resource."""

_PRIMITIVE_EXTENSION: Final = "FHIRPrimitiveExtension"
_OWN_FIELDS: Final = frozenset({"fhir_comments"})
_AND_MORE: Final = frozenset({"+", "etc.", "formats"})
"""What stands among the codes of a list that is not all of its value set."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    `type` is a data type (`Quantity`), a backbone type as fhir.resources names it
    (`ObservationComponent`), a primitive (`dateTime`) or `Resource`. `targets` are the resource types that
    a Reference may name, none for any. `choice` is the name of the group of which one may be present. `codes` are
    those that the models list of a code, none where they leave some out or where there are too many to list.
    """

    name: str
    type: str
    many: bool = False
    required: bool = False
    choice: str | None = None
    targets: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()

    @property
    def primitive(self) -> bool:
        """Return whether the element has a value instead of children."""
        return self.type[0].islower()


@dataclass(frozen=True, slots=True)
class Shape:
    """The elements of one type; `choices` are its groups, each with whether one of it must be present."""

    type: str
    elements: Mapping[str, Element]
    choices: Mapping[str, bool]
    required: tuple[Element, ...]


def _extension(elements: dict[str, Element]) -> None:
    del elements["valueCodeableReference"], elements["valueRatioRange"]
    elements["valueMeta"] = Element("valueMeta", "Meta", choice="value")


def _naming(name: str, *targets: str) -> Callable[[dict[str, Element]], None]:
    """Return the change that lets a reference name these types alone."""

    def change(elements: dict[str, Element]) -> None:
        elements[name] = replace(elements[name], targets=frozenset(targets))

    return change


_R4_DIFFERENCES: Final = MappingProxyType(
    {
        "Extension": _extension,
        "DiagnosticReport": _naming("subject", "Patient", "Group", "Device", "Location"),
        "GroupMember": _naming(
            "entity",
            "Patient", "Practitioner", "PractitionerRole", "Device", "Medication", "Substance", "Group",
        ),
        "Observation": _naming("subject", "Patient", "Group", "Device", "Location"),
    }
)  # fmt: skip

_NEVER_INSIDE: Final = frozenset(
    {
        "ActivityDefinition",
        "Evidence",
        "EvidenceVariable",
        "Parameters",
        "PlanDefinition",
        "StructureDefinition",
    }
)
"""Parameters hold resources of which no facts would be read; of the others R4B says something else than R4."""


@cache
def shape(type_name: str) -> Shape:
    """Return the shape of a resource type, a data type or a backbone type of R4."""
    # Imported on first use: the models of all types take longer to load than the rest of the service.
    from fhir.resources.R4B import get_fhir_model_class

    fields = get_fhir_model_class(type_name).model_fields
    elements = {element.name: element for element in _elements(fields)}
    choices = {
        str(extra["one_of_many"]): bool(extra["one_of_many_required"])
        for extra in map(_extra, fields.values())
        if "one_of_many" in extra
    }
    if type_name in _R4_DIFFERENCES:
        _R4_DIFFERENCES[type_name](elements)
    required = tuple(element for element in elements.values() if element.required)
    return Shape(type_name, MappingProxyType(elements), MappingProxyType(choices), required)


@cache
def may_be_inside(type_name: str) -> bool:
    """Return whether a part of a record may be of a type: any of R4 of which it is known what it consists of."""
    from fhir.resources.R4B import get_fhir_model_class

    if type_name not in PART_TYPES or type_name in _NEVER_INSIDE:
        return False
    try:
        return bool(get_fhir_model_class(type_name))
    except ValueError:
        # R4B gave up some of R4's types.
        return False


def _elements(fields: Mapping[str, Any]) -> Iterator[Element]:
    for field_name, field in fields.items():
        types = [*_types(field.annotation), *(_primitive(each) for each in field.metadata)]
        name = next(filter(None, types), None)
        if name is None or name == _PRIMITIVE_EXTENSION or field_name in _OWN_FIELDS:
            continue
        extra = _extra(field)
        yield Element(
            name=field.alias or field_name,
            type=name,
            many=_many(field.annotation),
            required=field.is_required() or bool(extra.get("element_required")),
            choice=extra.get("one_of_many"),
            targets=_targets(extra) if name == "Reference" else frozenset(),
            codes=_codes(extra) if name == "code" else frozenset(),
        )


def _extra(field: Any) -> Mapping[str, Any]:
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) else {}


def _targets(extra: Mapping[str, Any]) -> frozenset[str]:
    targets = frozenset(extra.get("enum_reference_types", ()))
    return frozenset() if RESOURCE in targets else targets


def _codes(extra: Mapping[str, Any]) -> frozenset[str]:
    codes = frozenset(extra.get("enum_values", ()))
    return codes if codes.isdisjoint(_AND_MORE) else frozenset()


def _many(annotation: Any) -> bool:
    if get_origin(annotation) is list:
        return True
    return get_origin(annotation) in (Union, UnionType) and any(map(_many, get_args(annotation)))


def _types(annotation: Any) -> Iterator[str | None]:
    """Yield the FHIR types that an annotation mentions."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from (_primitive(each) for each in get_args(annotation)[1:])
        yield from _types(get_args(annotation)[0])
    elif origin is not None:
        for argument in get_args(annotation):
            yield from _types(argument)
    elif annotation is bool:
        yield "boolean"
    elif annotation is UUID:
        yield "uuid"
    elif hasattr(annotation, "get_model_klass"):
        yield annotation.__name__.removesuffix("Type")


def _primitive(metadata: object) -> str | None:
    return getattr(metadata, "__visit_name__", None)
