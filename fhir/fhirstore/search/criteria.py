"""What a search asks of a record: of its row, of its own elements, and of the records that it is linked to.

http://hl7.org/fhir/R4/search.html#chaining
http://hl7.org/fhir/R4/search.html#has

Conditions on the row are answered by SQL. Conditions on elements are answered by opening what SQL lets through.
A link is a search of its own, whose finds become a condition of the search that it stands in.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fhirstore.parameters import SearchParameter
from fhirstore.search.test import Test
from fhirstore.types import PROPOSABLE, ResourceType

Tree = Mapping[str, Any]
Matches = Callable[[Tree], bool]

Held = Literal["owner", "named", "lies"]
"""How a record belongs to the patient who is searched: it is about them, it names them, or it lies with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """A search of one type, or of several at once, without what shapes its result.

    `tests` are conditions on the row and `sifts` on the elements; all must hold. `patients` are those whose
    records are searched, None where none are named; `mentions` are patients whom a test or a sift names.
    """

    types: tuple[ResourceType, ...]
    tests: tuple[Test, ...] = ()
    sifts: tuple[Matches, ...] = ()
    links: tuple["Link", ...] = ()
    patients: tuple[str, ...] | None = None
    held: Held = "owner"
    mentions: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the types."""
        return tuple(type_.name for type_ in self.types)

    @property
    def proposable(self) -> bool:
        """Whether what is searched may have been put to somebody who has no passport."""
        return PROPOSABLE in self.names

    @property
    def owned(self) -> bool:
        """Whether a record of these types may lie with another patient than the one that it is about."""
        return any(type_.writable and not type_.follows for type_ in self.types)

    def beside(self, other: "Criteria") -> "Criteria":
        """Both at once; what patients the other names is left aside."""
        return replace(
            self,
            tests=self.tests + other.tests,
            sifts=self.sifts + other.sifts,
            links=self.links + other.links,
            mentions=self.mentions + other.mentions,
        )


@dataclass(frozen=True, slots=True)
class Chain:
    """The record's reference leads to what one of the searches finds; `bind` names their keys.

    `parameters` are the reference parameters of the types that are searched, of each its own.
    """

    parameters: tuple[SearchParameter, ...]
    targets: tuple[Criteria, ...]
    bind: str


@dataclass(frozen=True, slots=True)
class Reverse:
    """What the search finds refers to the record by `parameter`; `bind` names the keys of the record."""

    parameter: SearchParameter
    referring: Criteria
    bind: str


Link = Chain | Reverse


def links_of(criteria: Criteria) -> list[Link]:
    """Every link of a search, and of the searches behind them."""
    found: list[Link] = []
    for link in criteria.links:
        found.append(link)
        for further in link.targets if isinstance(link, Chain) else (link.referring,):
            found += links_of(further)
    return found


def mentioned(criteria: Criteria) -> tuple[str, ...]:
    """Every patient whom a search names by reference, here or behind its links."""
    found = [*(criteria.patients or ()), *criteria.mentions]
    for link in links_of(criteria):
        for further in link.targets if isinstance(link, Chain) else (link.referring,):
            found += further.mentions
    return tuple(dict.fromkeys(found))


def together(parts: Sequence[Criteria]) -> Criteria:
    """One search of the types of all parts, in which each part is asked of its own type alone.

    What all of them ask alike is asked once, so that an index can answer it. The parts name no patients.
    """
    first, *others = parts
    if not others:
        return first
    common = [
        test for test in first.tests if all(any(test.same(one) for one in other.tests) for other in others)
    ]
    own = [
        test.only_of(part.types[0].number)
        for part in parts
        for test in part.tests
        if not any(test.same(one) for one in common)
    ]
    return Criteria(
        types=tuple(part.types[0] for part in parts),
        tests=(*common, *own),
        sifts=(_by_type(parts),) if any(part.sifts for part in parts) else (),
        mentions=tuple(dict.fromkeys(patient for part in parts for patient in part.mentions)),
    )


def _by_type(parts: Collection[Criteria]) -> Matches:
    """What is asked of a record's elements, by its type."""
    sifts = {part.types[0].name: part.sifts for part in parts}

    def matches(tree: Tree) -> bool:
        return all(each(tree) for each in sifts[tree["resourceType"]])

    return matches
