"""Counts of records by type and category, in the words of the records themselves.

http://hl7.org/fhir/R4/valueset-observation-category.html

Rows hold keys of categories, which say nothing. What they stand for is read from one record of each kind.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhirstore.elements import values_at
from fhirstore.facts import extract
from fhirstore.parse import Tree
from fhirstore.types import TYPES
from passport.disclosure.supposing import examples
from passport.disclosure.weighing import Weighed, Whose

Seen = Callable[[int], bool]
"""Whether records are counted, by the bits of who sees them."""


@dataclass(frozen=True, slots=True)
class Category:
    """A category that records state, or that their profile implies."""

    system: str
    code: str
    display: str | None

    def as_json(self) -> dict[str, Any]:
        """The JSON of it."""
        told = {"system": self.system, "code": self.code}
        return told if self.display is None else {**told, "display": self.display}


@dataclass(frozen=True, slots=True)
class Counted:
    """Groups of records that can be counted in several ways, and what their categories are called."""

    groups: Sequence[Weighed]
    names: Mapping[int, Category]

    def total(self, seen: Seen) -> int:
        """How many records are counted."""
        return sum(group.total for group in self.groups if seen(group.seen))

    def by_type(self, ways: Mapping[str, Seen]) -> list[dict[str, Any]]:
        """The counts of each way by type and category; what is nothing in all of them is left out."""
        types = sorted({group.type_name for group in self.groups})
        told = []
        for type_name in types:
            groups = [group for group in self.groups if group.type_name == type_name]
            counts = _counts(groups, ways)
            if any(counts.values()):
                told.append({"type": type_name, **counts, "categories": self._categories(groups, ways)})
        return told

    def _categories(self, groups: Sequence[Weighed], ways: Mapping[str, Seen]) -> list[dict[str, Any]]:
        """A record of two categories counts in both."""
        called = {self.names[key] for group in groups for key in group.categories if key in self.names}
        told = []
        for category in sorted(called, key=lambda one: (one.system, one.code)):
            mine = [group for group in groups if category in self._called(group.categories)]
            counts = _counts(mine, ways)
            if any(counts.values()):
                told.append({**category.as_json(), **counts})
        return told

    def _called(self, keys: Iterable[int]) -> set[Category]:
        return {self.names[key] for key in keys if key in self.names}


def _counts(groups: Iterable[Weighed], ways: Mapping[str, Seen]) -> dict[str, int]:
    listed = list(groups)
    return {way: sum(group.total for group in listed if seen(group.seen)) for way, seen in ways.items()}


async def counted(whose: Whose, groups: Sequence[Weighed]) -> Counted:
    """The groups with the names of their categories; one statement, and one record opened for each set of them."""
    wanted = {group.categories: group.example for group in groups if group.categories}
    trees = await examples(whose, set(wanted.values()))
    names: dict[int, Category] = {}
    for tree in trees.values():
        names |= _named(whose, tree)
    return Counted(groups, names)


def _named(whose: Whose, tree: Tree) -> dict[int, Category]:
    """What the keys of a record's categories stand for."""
    keys, settings = whose.desk.runtime.keys, whose.desk.runtime.settings
    facts = extract(tree, zone=settings.zone, base_urls=(settings.fhir_url,))
    displays = dict(_displays(tree))
    found: dict[int, Category] = {}
    for key_of, categories in (
        (keys.category, facts.categories),
        (keys.implied_category, facts.implied_categories),
    ):
        for system, code in categories:
            found[key_of(system, code)] = Category(system, code, displays.get((system, code)))
    return found


def _displays(tree: Tree) -> Iterable[tuple[tuple[str, str], str]]:
    for concept in values_at(tree, TYPES[tree["resourceType"]].categories):
        for coding in concept.get("coding", ()) if isinstance(concept, dict) else ():
            if isinstance(coding.get("display"), str):
                yield (str(coding.get("system", "")), str(coding.get("code", ""))), coding["display"]
