"""Searches of several types at once: which types they are of.

http://hl7.org/fhir/R4/http.html#vsearch
http://hl7.org/fhir/R4/search.html#searchcontexts

`_type` lists the types, and whatever else is asked must be common to all of them. Without it every type is searched,
by what every type has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fhirstore.search.named import Types
from fhirstore.search.test import SearchError, UnknownModifier
from fhirstore.types import ResourceType, types_of

TYPE: Final = "_type"

Held = Mapping[str, ResourceType]
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Across:
    """The types of a search; `listed` is what `_type` says, None without it, and `pairs` are the other parameters."""

    types: Types
    listed: str | None
    pairs: Pairs


def held_together(*, sandbox: bool) -> Held:
    """Return what is searched at the base: all but the audit log, which has a search of its own."""
    return {name: row for name, row in types_of(sandbox=sandbox).items() if row.writable}


def in_compartments() -> Held:
    """Return what is searched in the compartment of a patient."""
    return {name: row for name, row in held_together(sandbox=False).items() if not row.directory}


def read_types(pairs: Pairs, known: Held) -> Across:
    """Return the types that a search is of: those that `_type` lists, else all that are known.

    Raises:
        SearchError: `_type` is given twice, has a modifier, or lists something else than known types.
    """
    for name, _ in pairs:
        bare, colon, modifier = name.partition(":")
        if bare == TYPE and colon:
            raise UnknownModifier(TYPE, modifier)
    values = [value for name, value in pairs if name == TYPE]
    if len(values) > 1:
        raise SearchError(
            TYPE, f"got `{TYPE}` {len(values)} times, expected it once, with types between commas"
        )
    if not values:
        return Across(tuple(known.values()), None, pairs)
    names = dict.fromkeys(values[0].split(","))
    for name in names:
        if name not in known:
            raise SearchError(
                TYPE,
                f"got `{name[:64]}` in `{TYPE}`, expected types between commas, each one of {', '.join(known)}",
            )
    rest = [(name, value) for name, value in pairs if name != TYPE]
    return Across(tuple(known[name] for name in names), values[0], rest)
