"""FHIRPath Patch: a Parameters resource whose operations name their places by FHIRPath.

http://hl7.org/fhir/R4/fhirpatch.html
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fhirstore.parse import Tree
from fhirstore.patch.errors import PatchFails, UnreadablePatch
from fhirstore.patch.path import Path, Place, Spend, read_path
from fhirstore.validate.schema import Element, shape

MOST_OPERATIONS: Final = 1_000
MOST_LOOKED_AT: Final = 50_000
"""Elements that all operations of a patch may look at: each looks at all that its path comes by."""

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "add": ("path", "name", "value"),
    "insert": ("path", "index", "value"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}


@dataclass(frozen=True, slots=True)
class _Operation:
    """One operation; `value` is the part that holds the value, which gets its name where it is put."""

    type: str
    path: Path
    place: str
    name: str
    value: Mapping[str, Any]
    index: int
    source: int
    destination: int


def read_fhirpath_patch(document: Tree) -> Callable[[Tree], Tree]:
    """Read a patch document; returns what makes the patched copy of a resource.

    The returned function raises `PatchFails` where an operation does not fit.

    Raises:
        UnreadablePatch: the document is no FHIRPath Patch, or asks for more than paths.
    """
    listed = document.get("parameter")
    if document.get("resourceType") != "Parameters" or not isinstance(listed, list) or not listed:
        raise UnreadablePatch("got no operations, expected a Parameters with parameters named `operation`")
    if len(listed) > MOST_OPERATIONS:
        raise UnreadablePatch(f"got {len(listed)} operations, expected at most {MOST_OPERATIONS}")
    return partial(_applied, [_read(one, f"Parameters.parameter[{at}]") for at, one in enumerate(listed)])


def _read(one: Any, place: str) -> _Operation:
    parts = _parts(one, place) if isinstance(one, Mapping) and one.get("name") == "operation" else None
    if parts is None:
        raise UnreadablePatch("got a parameter that is no `operation`", place)
    type_ = str(parts.get("type", {}).get("valueCode"))
    if type_ not in _NEEDED:
        raise UnreadablePatch(f"got an unknown type, expected one of {', '.join(_NEEDED)}", place)
    missing = [name for name in _NEEDED[type_] if name not in parts]
    path = parts.get("path", {}).get("valueString")
    if missing or not isinstance(path, str):
        raise UnreadablePatch(f"got `{type_}` without {' and '.join(missing or ['path'])}", place)
    return _Operation(
        type=type_,
        path=read_path(path, place),
        place=place,
        name=str(parts.get("name", {}).get("valueString", "")),
        value=parts.get("value", {}),
        index=_whole(parts, "index", place),
        source=_whole(parts, "source", place),
        destination=_whole(parts, "destination", place),
    )


def _parts(one: Mapping[str, Any], place: str) -> dict[str, Mapping[str, Any]]:
    listed = one.get("part")
    if not isinstance(listed, list) or not all(isinstance(part, Mapping) for part in listed):
        raise UnreadablePatch("got an operation without parts", place)
    parts = {str(part.get("name")): part for part in listed}
    if len(parts) != len(listed):
        raise UnreadablePatch("got a part twice, expected each once", place)
    return parts


def _whole(parts: Mapping[str, Mapping[str, Any]], name: str, place: str) -> int:
    value = parts.get(name, {}).get("valueInteger", 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UnreadablePatch(f"got an unreadable `{name}`, expected a whole number from 0", place)
    return value


def _applied(operations: Sequence[_Operation], resource: Tree) -> Tree:
    root = {str(resource["resourceType"]): deepcopy(resource)}
    left = MOST_LOOKED_AT

    def spend(looked_at: int) -> None:
        nonlocal left
        left -= looked_at
        if left < 0:
            raise PatchFails(f"got paths to look at more than {MOST_LOOKED_AT} elements", one.place)

    for one in operations:
        _OPERATIONS[one.type](root, one, spend)
    return next(iter(root.values()))


def _only(root: dict[str, Tree], one: _Operation, spend: Spend) -> Place:
    found = one.path.places(root, spend)
    if len(found) != 1:
        raise PatchFails(f"got a path to {len(found)} elements, expected one", one.place)
    return found[0]


def _list(root: dict[str, Tree], one: _Operation, spend: Spend) -> tuple[list[Any], Place]:
    """The list whose items the path names, and where its first one stands."""
    found = one.path.places(root, spend)
    lists = {id(place.holder): place.holder for place in found if isinstance(place.holder, list)}
    if len(lists) != 1 or len(found) != len(next(iter(lists.values()))):
        raise PatchFails("got a path that names no single list", one.place)
    return found[0].holder, found[0]


def _add(root: dict[str, Tree], one: _Operation, spend: Spend) -> None:
    place = _only(root, one, spend)
    # What is added to a value stands beside it.
    element = _element("Element" if place.is_primitive else place.type, one)
    node = _beside(place) if place.is_primitive else place.value
    if element.many:
        node.setdefault(element.name, []).append(_value(one, element))
        if isinstance(beside := node.get(f"_{element.name}"), list):
            beside.append(None)
    elif element.name in node:
        raise PatchFails("got an element that is there already, expected `replace`", one.place)
    else:
        node[element.name] = _value(one, element)


def _beside(place: Place) -> Any:
    """The id and extensions of a value, made where there are none."""
    if isinstance(place.key, str):
        return place.holder.setdefault(f"_{place.key}", {})
    listed = place.around.setdefault(f"_{place.name}", [None] * len(place.holder))
    if listed[place.key] is None:
        listed[place.key] = {}
    return listed[place.key]


def _insert(root: dict[str, Tree], one: _Operation, spend: Spend) -> None:
    items, first = _list(root, one, spend)
    if one.index > len(items):
        raise PatchFails(f"got index {one.index}, expected at most {len(items)}", one.place)
    items.insert(one.index, _value(one, Element("", first.type)))
    if (beside := _listed_beside(first)) is not None:
        beside.insert(one.index, None)


def _listed_beside(item: Place) -> list[Any] | None:
    """The extensions of the values of a list, which stand in the same places; None where there are none."""
    listed = item.around.get(f"_{item.name}") if item.is_primitive else None
    return listed if isinstance(listed, list) else None


def _delete(root: dict[str, Tree], one: _Operation, spend: Spend) -> None:
    found = one.path.places(root, spend)
    if len(found) > 1:
        raise PatchFails(f"got a path to {len(found)} elements, expected one at most", one.place)
    for place in found:
        if place.holder is root:
            raise PatchFails("got a path to the whole resource, expected one of its elements", one.place)
        tree = root[one.path.type]
        if isinstance(place.key, str):
            # A value goes with its extensions.
            place.holder.pop(place.key, None)
            place.holder.pop(f"_{place.key}", None)
        else:
            beside = _listed_beside(place)
            del place.holder[place.key]
            if beside is not None:
                del beside[place.key]
                _without_nulls(tree, beside, spend)
        _without_empty(tree, place.holder, spend)


def _without_empty(tree: Any, emptied: Any, spend: Spend) -> None:
    """An element without content is none: its place goes as well."""
    if emptied or emptied is tree:
        return
    holders = _holders(tree)
    spend(len(holders))
    for holder, keeps_places in holders:
        pairs = list(holder.items() if isinstance(holder, dict) else enumerate(holder))
        for key, value in pairs:
            if value is emptied:
                if keeps_places:
                    holder[key] = None
                    _without_nulls(tree, holder, spend)
                else:
                    del holder[key]
                    _without_empty(tree, holder, spend)
                return


def _without_nulls(tree: Any, beside: list[Any], spend: Spend) -> None:
    """Where no value of a list has extensions any more, the list of them goes."""
    if not any(beside):
        beside.clear()
        _without_empty(tree, beside, spend)


def _holders(tree: Any) -> list[tuple[Any, bool]]:
    """All that holds something, and whether it holds what stands beside the values of a list, each in its place."""
    found = [(tree, False)]
    for holder, _ in found:
        pairs = holder.items() if isinstance(holder, dict) else (("", one) for one in holder)
        found += [
            (one, isinstance(one, list) and name[:1] == "_")
            for name, one in pairs
            if isinstance(one, dict | list)
        ]
    return found


def _replace(root: dict[str, Tree], one: _Operation, spend: Spend) -> None:
    place = _only(root, one, spend)
    if place.holder is root:
        raise PatchFails("got a path to the whole resource, expected one of its elements", one.place)
    element = _chosen(place, one)
    value = _value(one, element)
    if element.name and element.name != place.key:
        # Of a choice there is one: what was there goes with its extensions.
        del place.holder[place.key]
        place.holder.pop(f"_{place.key}", None)
        place.holder[element.name] = value
    else:
        place.holder[place.key] = value


def _chosen(place: Place, one: _Operation) -> Element:
    """The element that the new value makes: of a choice the one of its type, else the one that is there."""
    typed = next((name for name in one.value if name.startswith("value")), "").removeprefix("value")
    named = (element for element in place.choices if element.name == f"{element.choice}{typed}")
    return next(named, Element("", place.type))


def _move(root: dict[str, Tree], one: _Operation, spend: Spend) -> None:
    items, first = _list(root, one, spend)
    if max(one.source, one.destination) >= len(items):
        raise PatchFails(f"got an index beyond the {len(items)} that are there", one.place)
    for moved in (items, _listed_beside(first)):
        if moved is not None:
            moved.insert(one.destination, moved.pop(one.source))


def _element(type_name: str, one: _Operation) -> Element:
    elements = shape(type_name).elements
    typed = next((name for name in one.value if name.startswith("value")), "")
    element = elements.get(one.name) or elements.get(one.name + typed.removeprefix("value"))
    if element is None:
        raise PatchFails("got a name that this element does not have", one.place)
    return element


def _value(one: _Operation, element: Element) -> Any:
    """The value of a part: a `value[x]`, or for a type that has none its elements as parts."""
    return _valued(one.value, element, one.place)


def _valued(part: Mapping[str, Any], element: Element, place: str) -> Any:
    given = [name for name in part if name.startswith("value")]
    if len(given) == 1 and "part" not in part:
        return deepcopy(part[given[0]])
    listed = part.get("part")
    if given or not isinstance(listed, list) or element.primitive:
        raise PatchFails("got no value, expected one `value[x]` or the parts of one", place)
    built: dict[str, Any] = {}
    elements = shape(element.type).elements
    for each in listed:
        name = each.get("name") if isinstance(each, Mapping) else None
        typed = next((key for key in each if key.startswith("value")), "") if name else ""
        inner = elements.get(str(name)) or elements.get(str(name) + typed.removeprefix("value"))
        if inner is None:
            raise PatchFails("got a part whose name this element does not have", place)
        value = _valued(each, inner, place)
        if inner.many:
            built.setdefault(inner.name, []).append(value)
        else:
            built[inner.name] = value
    return built


_OPERATIONS: Final[Mapping[str, Callable[[dict[str, Tree], _Operation, Spend], None]]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}
