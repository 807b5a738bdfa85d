"""Parameters that lead to other records: chains, and `_has`, which leads the other way.

http://hl7.org/fhir/R4/search.html#chaining
http://hl7.org/fhir/R4/search.html#has
"""

from collections.abc import Callable
from typing import Final

from fhirstore.parameters import Kind, SearchParameter, parameters_of
from fhirstore.search.criteria import Chain, Criteria, Reverse
from fhirstore.search.named import Types, known_parameters, leads_to, linkable, named, targets_of
from fhirstore.search.test import LeadsNowhere, SearchError, Unknown, UnknownParameter
from fhirstore.types import TYPES

MAX_DEPTH: Final = 4
"""Links from the record that is searched to the one that a condition is about."""

MAX_TARGETS: Final = 8
"""Types that one link may lead to; where there are more, the asker names one."""

HAS: Final = "_has:"

Read = Callable[[Types, str, str, str, int], Criteria]
"""Reads a parameter behind a link: the types that it is asked of, its name, its value, what it binds, how deep."""


def chain(read: Read, types: Types, name: str, value: str, bind: str, depth: int) -> Criteria:
    """What a parameter with a dot in its name asks.

    Raises:
        Unknown: a parameter or type in it is not known.
        SearchError: it leads too far, or to too many types.
    """
    head, _, rest = name.partition(".")
    parameters, wanted = named(types, head)
    if parameters[0].kind is not Kind.REFERENCE:
        raise UnknownParameter(name, types[0].name, known_parameters(types))
    leading: dict[tuple[str, ...], list[SearchParameter]] = {}
    for parameter in parameters:
        leading.setdefault(targets_of(parameter, wanted), []).append(parameter)
    links = []
    for at, (reached, alike) in enumerate(leading.items()):
        if not reached:
            raise LeadsNowhere(name, head)
        # Of one type there is one, and it binds what it always did.
        own = f"{bind}x{at}" if at else bind
        targets = _targets(read, head, reached, rest, value, own, _deeper(head, depth))
        if not targets:
            behind = known_parameters(tuple(TYPES[one] for one in reached))
            said = " or ".join(reached) if len(reached) <= MAX_TARGETS else "each type that it leads to"
            raise UnknownParameter(name, said, [f"{head}.{each}" for each in behind])
        links.append(Chain(tuple(alike), targets, own))
    return Criteria(types=types, links=tuple(links))


def reverse(read: Read, types: Types, name: str, value: str, bind: str, depth: int) -> Criteria:
    """What a parameter that begins with `_has:` asks.

    Raises:
        Unknown: a parameter or type in it is not known, or does not lead to every type that is searched.
        SearchError: it leads too far.
    """
    parts = name.split(":", 3)
    if len(parts) < 4 or not linkable(parts[1]):
        raise UnknownParameter(name, types[0].name, ["_has:Type:reference:parameter"])
    referring = TYPES[parts[1]]
    parameter = parameters_of(referring.name).get(parts[2])
    if parameter is None or not leads_to(parameter, types):
        leading = [each.name for each in parameters_of(referring.name).values() if leads_to(each, types)]
        raise UnknownParameter(
            name, types[0].name, [f"_has:{referring.name}:{each}:{parts[3][:64]}" for each in leading]
        )
    try:
        criteria = read((referring,), parts[3], value, f"{bind}_{referring.number}", _deeper(HAS, depth))
    except SearchError as error:
        if isinstance(error, UnknownParameter) and not set(".:") & set(parts[3]):
            before = name[: len(name) - len(parts[3])]
            known = [f"{before}{each}" for each in known_parameters((referring,))]
            raise UnknownParameter(name, types[0].name, known) from None
        # What is named is the parameter that came, and not a part of it.
        error.parameter = name
        raise
    return Criteria(types=types, links=(Reverse(parameter, criteria, bind),))


def _targets(
    read: Read, head: str, reached: tuple[str, ...], rest: str, value: str, bind: str, depth: int
) -> tuple[Criteria, ...]:
    """The searches behind a link, of the types that have the parameter."""
    found = []
    for name in reached:
        try:
            found.append(read((TYPES[name],), rest, value, f"{bind}_{TYPES[name].number}", depth))
        except Unknown:
            continue
    if len(found) > MAX_TARGETS:
        raise SearchError(
            head, f"got `{head[:64]}` leading to {len(found)} types, expected `{head[:64]}:Type`"
        )
    return tuple(found)


def _deeper(name: str, depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise SearchError(name, f"got more than {MAX_DEPTH} links, expected at most {MAX_DEPTH}")
    return depth + 1
