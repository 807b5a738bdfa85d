"""Part of a resource in its place: what `_summary` and `_elements` leave of it.

http://hl7.org/fhir/R4/search.html#summary
http://hl7.org/fhir/R4/search.html#elements

A body is parsed only where a part of it was asked for, and numbers stay as they were written. Beside what was
asked for stay what the specification makes mandatory, and what changes the meaning of the rest: modifier
extensions and implicit rules. Whatever stays keeps its own extensions.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, cast

from fhirstore.parse import Limits, Tree, parse, serialise
from fhirstore.search.test import BadValue, SearchError
from fhirstore.validate.schema import RESOURCE, shape

Summary = Literal["true", "text", "data"]
Keeps = Callable[[str], bool]

SUBSETTED: Final[Mapping[str, str]] = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
"""The tag that tells a reader not to take this for the whole."""

MOST_ELEMENTS: Final = 200
_SUMMARIES: Final = ("true", "text", "data")
_ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_INSIDE: Final = frozenset({"id", "extension", "modifierExtension"})
_STORED_DEPTH: Final = 256  # what is stored was measured on its way in


@dataclass(frozen=True, slots=True)
class Subset:
    """What part is wanted: one of the summaries, or elements at the root by name."""

    summary: Summary | None = None
    elements: frozenset[str] = frozenset()


class ConflictingSubsets(SearchError):
    """Two parameters ask for different parts."""

    def __init__(self) -> None:
        super().__init__("_elements", "got `_elements` beside `_summary`, expected one of them")


class UnknownElement(SearchError):
    """No type in question has such an element at its root."""

    def __init__(self, name: str, types: Sequence[str], known: Iterable[str]) -> None:
        whose = f"{types[0]} has" if len(types) == 1 else "one of the types has"
        listed = ", ".join(sorted(known))
        super().__init__(
            "_elements", f"got element `{name[:64]}`, expected one that {whose} at its root: {listed}"
        )


def parse_subset(summary: str | None, elements: str | None, types: Iterable[str]) -> Subset | None:
    """Read the values of `_summary` and `_elements`; None where all of each resource is wanted.

    Args:
        summary: `true`, `text`, `data` or `false`; `count` is a search's own affair, and refused here.
        elements: names at the root, between commas; a choice by its name with or without its type.
        types: the resource types that the answer may hold.

    Raises:
        BadValue: a value that is none of these.
        UnknownElement: a name that none of the types has.
        ConflictingSubsets: both ask for a part.
    """
    if summary not in (None, "false", *_SUMMARIES):
        raise BadValue("_summary", "`true`, `text`, `data` or `false`")
    wanted = None if summary == "false" else cast(Summary | None, summary)
    if elements is None:
        return None if wanted is None else Subset(wanted)
    if wanted is not None:
        raise ConflictingSubsets
    names = [name.strip().removesuffix("[x]") for name in elements.split(",")]
    if len(names) > MOST_ELEMENTS or not all(names):
        raise BadValue("_elements", f"up to {MOST_ELEMENTS} names of elements")
    listed = tuple(types)
    known = frozenset[str]().union(*(_names(type_name) for type_name in listed))
    for name in names:
        if name not in known:
            raise UnknownElement(name, listed, known)
    return Subset(elements=frozenset(names))


def subset(body: bytes, wanted: Subset) -> bytes:
    """Return the JSON of the wanted part of a resource, tagged as a part."""
    tree = parse(body, Limits(size_bytes=len(body), depth=_STORED_DEPTH))
    return serialise(subset_of(tree, wanted))


def subset_of(tree: Tree, wanted: Subset) -> Tree:
    """Return the wanted part of a resource's tree, tagged as a part; the tree stays as it is."""
    keeps = _keeps(str(tree["resourceType"]), wanted)
    # The underscore of what stands beside a primitive is no part of its element's name.
    kept = {name: value for name, value in tree.items() if keeps(name.removeprefix("_"))}
    if wanted.summary == "true":
        kept = _summarised(kept, str(tree["resourceType"]), root=True)
    return _tagged(kept)


def _keeps(type_name: str, wanted: Subset) -> Keeps:
    if wanted.summary == "data":
        return lambda name: name != "text"
    if wanted.summary == "true":
        return lambda _: True
    named = frozenset({"text"}) if wanted.summary == "text" else _spelled(type_name, wanted.elements)
    kept = _ALWAYS | _mandatory(type_name) | named
    return lambda name: name in kept


def _summarised(node: Mapping[str, Any], type_name: str, *, root: bool = False) -> Tree:
    kept = _summary_names(type_name) | (_ALWAYS if root else _INSIDE)
    elements = shape(type_name).elements
    return {
        name: _part(value, elements[name].type if name in elements else "")
        for name, value in node.items()
        if name.removeprefix("_") in kept
    }


def _part(value: Any, type_name: str) -> Any:
    if type_name in ("", RESOURCE, "Extension", "Meta"):
        return value
    if isinstance(value, list):
        return [_part(each, type_name) for each in value]
    return _summarised(value, type_name) if isinstance(value, dict) else value


def _tagged(tree: Tree) -> Tree:
    meta = tree.get("meta") or {}
    tags = [tag for tag in meta.get("tag", ()) if tag.get("code") != SUBSETTED["code"]]
    tagged = {**meta, "tag": [*tags, dict(SUBSETTED)]}
    head: Tree = {name: tree[name] for name in ("resourceType", "id") if name in tree}
    rest = {name: value for name, value in tree.items() if name not in head}
    return {**head, "meta": tagged, **{name: value for name, value in rest.items() if name != "meta"}}


@cache
def _names(type_name: str) -> frozenset[str]:
    known = shape(type_name)
    return frozenset({"resourceType", *known.elements, *known.choices})


@cache
def _mandatory(type_name: str) -> frozenset[str]:
    """What must be there, every type of a mandatory choice included."""
    known = shape(type_name)
    required = {element.name for element in known.required}
    chosen = {
        element.name
        for element in known.elements.values()
        if element.choice is not None and known.choices[element.choice]
    }
    return frozenset(required | chosen)


@cache
def _summary_names(type_name: str) -> frozenset[str]:
    # Imported on first use, as the schema's models are.
    from fhir.resources.R4B import get_fhir_model_class

    marked = get_fhir_model_class(type_name).summary_elements_sequence()
    return frozenset(marked) | _mandatory(type_name)


def _spelled(type_name: str, names: frozenset[str]) -> frozenset[str]:
    """The names, and those of the types of each choice that is among them."""
    elements = shape(type_name).elements.values()
    return names | {element.name for element in elements if element.choice in names}
