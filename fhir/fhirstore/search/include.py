"""What is shown beside the matches: records that they refer to, and records that refer to them.

http://hl7.org/fhir/R4/search.html#include
"""

from dataclasses import dataclass
from typing import Final

from fhirstore.parameters import Kind, SearchParameter, parameters_of
from fhirstore.search.named import Types, linkable, stated_targets
from fhirstore.search.test import SearchError, UnknownModifier
from fhirstore.types import TYPES, ResourceType

INCLUDE: Final = "_include"
REVINCLUDE: Final = "_revinclude"
ITERATE: Final = "iterate"
EVERY: Final = "*"


@dataclass(frozen=True, slots=True)
class Include:
    """One instruction: what references of which records are followed, and from which end.

    `source` is the type that refers, None for any; `parameter` is None where every reference of it counts;
    `target` is the only type that is referred to. With `reverse` the records that refer are added, else those
    that are referred to. With `iterate` it goes on from what was added.
    """

    source: ResourceType | None
    parameter: SearchParameter | None
    target: str | None
    reverse: bool
    iterate: bool


class UnknownInclude(UnknownModifier):
    """No reference parameter is meant."""

    def __init__(self, name: str, types: Types, value: str, *, iterate: bool) -> None:
        SearchError.__init__(
            self, name, f"got `{value[:64]}` in `{name}`, {_expected(name, types, value, iterate=iterate)}"
        )


def _expected(name: str, types: Types, value: str, *, iterate: bool) -> str:
    """What `name` takes, as near to the value as there is something that it takes."""
    source, forward, searched = value.partition(":")[0], name == INCLUDE, {each.name for each in types}
    if forward and (not linkable(source) or (not iterate and source not in searched)):
        source = types[0].name
    elif not linkable(source):
        return "expected `*`, `Type:reference` or `Type:reference:Type`, with a type that is held here"
    known = sorted(
        one.name
        for one in parameters_of(source).values()
        if _refers(one)
        and (forward or iterate or not (reached := stated_targets(one)) or searched.issubset(reached))
    )
    if not known:
        return f"expected `*`, or a type that has references to what is searched, which `{source}` has not"
    further = f"; what came along is followed with `{INCLUDE}:{ITERATE}`" if forward and not iterate else ""
    whither = "" if forward or iterate else " that leads to what is searched"
    return (
        f"expected `*`, `{source}:reference` or `{source}:reference:Type`, with a reference{whither}, "
        f"one of {', '.join(known)}{further}"
    )


def _refers(parameter: SearchParameter) -> bool:
    return parameter.kind is Kind.REFERENCE and bool(parameter.paths)


def includes(name: str) -> bool:
    """Whether a parameter of this name says what is shown beside the matches."""
    return name.partition(":")[0] in (INCLUDE, REVINCLUDE)


def read_include(types: Types, name: str, value: str) -> Include:
    """Return what one `_include` or `_revinclude` asks for.

    Raises:
        UnknownModifier: another modifier than `:iterate`.
        UnknownInclude: the value names no reference of a type that is searched or included.
    """
    bare, colon, modifier = name.partition(":")
    if colon and modifier != ITERATE:
        raise UnknownModifier(bare, modifier, f"`:{ITERATE}` or none")
    reverse, iterate = bare == REVINCLUDE, bool(colon)
    if value == EVERY:
        return Include(None, None, None, reverse, iterate)
    source, parameter, target = _parts(types, bare, value, iterate=iterate)
    names = {type_.name for type_ in types}
    # The end of it that matches stand at; one that goes on from what came along may stand anywhere.
    matched = {target} if reverse and target else names if reverse else {source.name}
    if reverse and parameter and parameter.targets:
        matched = matched & set(parameter.targets)
    if not iterate and not matched & names:
        raise UnknownInclude(bare, types, value, iterate=iterate)
    return Include(source, parameter, target, reverse, iterate)


def _parts(
    types: Types, name: str, value: str, *, iterate: bool
) -> tuple[ResourceType, SearchParameter | None, str | None]:
    parts = value.split(":")
    if not 2 <= len(parts) <= 3 or not linkable(parts[0]):
        raise UnknownInclude(name, types, value, iterate=iterate)
    source, target = TYPES[parts[0]], parts[2] if len(parts) == 3 else None
    parameter = None if parts[1] == EVERY else parameters_of(source.name).get(parts[1])
    known = parts[1] == EVERY or (parameter is not None and _refers(parameter))
    targets = stated_targets(parameter) if parameter else ()
    if not known or (target is not None and not (linkable(target) and target in (targets or (target,)))):
        raise UnknownInclude(name, types, value, iterate=iterate)
    return source, parameter, target
