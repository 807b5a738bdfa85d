"""What the name and the value of a search parameter say, before anything is asked: the parameter, the alternatives.

http://hl7.org/fhir/R4/search.html#parameters
http://hl7.org/fhir/R4/http.html#vsearch

Several types are searched at once by what all of them have: a parameter of one name and of one kind of value. Of
each type it reads what that type keeps under the name.
"""

import re
from typing import Final

from fhirstore.parameters import Kind, SearchParameter, Source, parameters_of
from fhirstore.search.test import BadValue, NotCommon, SearchError, UnknownModifier, UnknownParameter
from fhirstore.types import TYPES, ResourceType

MAX_VALUES: Final = 200
"""Alternatives of one parameter, and parameters of one search; more is refused before it costs anything."""

PATIENT: Final = "Patient"

_COMMA: Final = re.compile(r"(?<!\\)((?:\\\\)*),")

Types = tuple[ResourceType, ...]
Parameters = tuple[SearchParameter, ...]


def named(types: Types, name: str) -> tuple[Parameters, str | None]:
    """The parameter of each type that a name means, and the modifier behind its colon.

    Raises:
        UnknownParameter: the type has none of this name.
        NotCommon: not all types have one of this name, or of one kind.
        UnknownModifier: there is a colon and nothing behind it.
    """
    bare, colon, modifier = name.partition(":")
    found = common(types, bare)
    if colon and not modifier:
        raise UnknownModifier(bare, modifier)
    return found, modifier or None


def common(types: Types, name: str) -> Parameters:
    """The parameter of each type that a name without modifier means.

    Raises:
        UnknownParameter: the type has none of this name.
        NotCommon: not all types have one of this name, or of one kind.
    """
    of_types = [parameters_of(type_.name).get(name) for type_ in types]
    found = tuple(parameter for parameter in of_types if parameter is not None)
    if len(found) == len(types) and len({parameter.kind for parameter in found}) == 1:
        return found
    if len(types) == 1:
        raise UnknownParameter(name, types[0].name, known_parameters(types))
    lacking = next((row.name for row, one in zip(types, of_types, strict=True) if one is None), None)
    raise NotCommon(name, lacking, known_parameters(types))


def known_parameters(types: Types) -> list[str]:
    """The names that a refusal offers: those that every type has, of one kind of value."""
    first, *others = (parameters_of(type_.name) for type_ in types)
    return [
        name
        for name, parameter in first.items()
        if all(name in other and other[name].kind is parameter.kind for other in others)
    ]


def alternatives(name: str, value: str) -> list[str]:
    r"""The values between commas; `\,` is no separator.

    Raises:
        SearchError: too many values, or an empty one.
    """
    # The separators are found first, so that an escaped comma stays in its value.
    values = _COMMA.sub("\\1\0", value).split("\0")
    if len(values) > MAX_VALUES:
        raise SearchError(name, f"got {len(values)} values of `{name}`, expected at most {MAX_VALUES}")
    if "\0" in value or not all(values):
        raise BadValue(name, "a value")
    return values


def linkable(type_name: str) -> bool:
    """Whether records of the type can be reached by a link: the audit log is asked by itself."""
    return type_name in TYPES and TYPES[type_name].writable


def stated_targets(parameter: SearchParameter) -> tuple[str, ...]:
    """The types that a reference leads to; none where it may be any."""
    return parameter.targets or ((PATIENT,) if parameter.source is Source.PATIENT else ())


def targets_of(parameter: SearchParameter, wanted: str | None) -> tuple[str, ...]:
    """The types behind a link: the one that was named, else all that the parameter may lead to.

    Raises:
        UnknownModifier: it leads to no type of the name.
    """
    known = tuple(name for name in stated_targets(parameter) or TYPES if linkable(name))
    if wanted is None:
        return known
    if wanted not in known:
        raise UnknownModifier(parameter.name, wanted)
    return (wanted,)


def leads_to(parameter: SearchParameter, types: Types) -> bool:
    """Whether a reference parameter may lead to records of all of these types."""
    reached = stated_targets(parameter)
    return parameter.kind is Kind.REFERENCE and (not reached or all(row.name in reached for row in types))
