"""Chained parameters and `_has`: searches behind a search, inside the same permitted set.

http://hl7.org/fhir/R4/search.html#chaining
http://hl7.org/fhir/R4/search.html#has

What a link leads to is found as the caller alone would find it: a record that is denied leads nowhere, exactly
as if it did not exist. Each link costs one statement more, whatever it finds.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from fhirstore.keys import KeyMaker
from fhirstore.matching import Context, references
from fhirstore.parameters import SearchParameter, Source
from fhirstore.search.criteria import (
    Chain,
    Criteria,
    Reverse,
    about_owner,
    among,
    lies_with,
    links_of,
    of_patients,
    refers,
)
from passport.disclosure.finding import Finder, Searched
from passport.disclosure.sifting import all_of


def linked_types(criteria: Criteria) -> frozenset[str]:
    """The types of all records that decide whether a record is found."""
    behind = links_of(criteria)
    chained = (target for link in behind if isinstance(link, Chain) for target in link.targets)
    referring = (link.referring for link in behind if isinstance(link, Reverse))
    return frozenset(one.type.name for one in (*chained, *referring))


async def resolved(finder: Finder, criteria: Searched) -> Searched:
    """The search with each link replaced by what it leads to.

    Raises:
        TooCostly: a link leads to too many records.
    """
    for link in criteria.links:
        condition = await (
            _chained(finder, link) if isinstance(link, Chain) else _reversed(finder, criteria, link)
        )
        criteria = replace(
            criteria, tests=criteria.tests + condition.tests, sifts=criteria.sifts + condition.sifts
        )
    return replace(criteria, links=())


async def _chained(finder: Finder, link: Chain) -> Criteria:
    """The condition that the record refers to what the link's searches find."""
    found: set[int] = set()
    for target in link.targets:
        found |= await _found(finder, target)
    type_, keys = link.parameter.type, sorted(found)
    if link.parameter.source is Source.PATIENT and all(target.type.is_patient for target in link.targets):
        return Criteria(type=type_, tests=(of_patients(type_, link.bind, keys),))
    leads = _leads_to(link.parameter, found, finder.desk.runtime.keys, finder.context)
    return Criteria(type=type_, tests=(refers(link.bind, keys),), sifts=(leads,))


async def _found(finder: Finder, target: Criteria) -> set[int]:
    """The record keys of what a search behind a link finds."""
    criteria = finder.settled(await resolved(finder, target))
    if criteria.sifts:
        return {record.key for record in await all_of(finder, criteria, trees=False)}
    return {row.record_key for row in await finder.keys(criteria)}


async def _reversed(finder: Finder, criteria: Criteria, link: Reverse) -> Criteria:
    """The condition that what the link's search finds refers to the record."""
    referring = finder.settled(await resolved(finder, link.referring))
    if link.parameter.source is Source.PATIENT and criteria.type.is_patient:
        of_owners = Criteria(type=referring.type, tests=(about_owner(referring.type),))
        owners = await _owners(finder, referring.beside(of_owners))
        return Criteria(type=criteria.type, tests=(lies_with(link.bind, sorted(owners)),))
    keys, own = finder.desk.runtime.keys, f"{criteria.type.name}/"
    named = {
        keys.reference(target)
        for record in await all_of(finder, referring, trees=True)
        for target in references(link.parameter, record.tree, finder.context)
        if target.startswith(own)
    }
    return Criteria(type=criteria.type, tests=(among(link.bind, sorted(named)),))


async def _owners(finder: Finder, criteria: Criteria) -> set[int]:
    """The patients with whom lies what a search finds."""
    if criteria.sifts:
        return {record.row.patient_key for record in await all_of(finder, criteria, trees=False)}
    return {row.patient_key for row in await finder.keys(criteria)}


def _leads_to(
    parameter: SearchParameter, wanted: Collection[int], keys: KeyMaker, context: Context
) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a record's reference at this parameter is to one of these: SQL only knows that some reference is."""

    def matches(tree: Mapping[str, Any]) -> bool:
        return any(keys.reference(target) in wanted for target in references(parameter, tree, context))

    return matches
