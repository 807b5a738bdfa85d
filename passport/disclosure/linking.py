"""Chained parameters and `_has`: searches behind a search, inside the same permitted set.

http://hl7.org/fhir/R4/search.html#chaining
http://hl7.org/fhir/R4/search.html#has

What a link leads to is found as the caller alone would find it: a record that is denied leads nowhere, exactly
as if it did not exist. Each link costs one statement more, whatever it finds.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fhirstore.keys import KeyMaker
from fhirstore.matching import Context, references
from fhirstore.parameters import SearchParameter, Source
from fhirstore.search.criteria import Chain, Criteria, Reverse, links_of, together
from fhirstore.search.whose import about_owner, among, lies_with, of_patients, refers
from passport.disclosure.finding import Finder, Searched
from passport.disclosure.kin import with_kin, with_registrations
from passport.disclosure.sifting import all_of


def linked_types(criteria: Criteria) -> frozenset[str]:
    """The types of all records that decide whether a record is found."""
    behind = links_of(criteria)
    chained = (target for link in behind if isinstance(link, Chain) for target in link.targets)
    referring = (link.referring for link in behind if isinstance(link, Reverse))
    return frozenset(name for one in (*chained, *referring) for name in one.names)


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
    if any(type_.is_patient for target in link.targets for type_ in target.types):
        found = await with_registrations(finder.desk, found)
    return together([_leading(finder, parameter, link, found) for parameter in link.parameters])


def _leading(finder: Finder, parameter: SearchParameter, link: Chain, found: Collection[int]) -> Criteria:
    """Records of the parameter's type that refer by it to one of these."""
    asked, keys = Criteria(types=(parameter.type,)), sorted(found)
    to_patients = all(type_.is_patient for target in link.targets for type_ in target.types)
    if parameter.source is Source.PATIENT and to_patients:
        return replace(asked, tests=(of_patients(asked.owned, link.bind, keys),))
    leads = _leads_to(parameter, found, finder.desk.runtime.keys, finder.context)
    return replace(asked, tests=(refers(link.bind, keys),), sifts=(leads,))


async def _found(finder: Finder, target: Criteria) -> set[int]:
    """The record keys of what a search behind a link finds."""
    criteria = finder.settled(await resolved(finder, target))
    return {row.record_key for row in await _rows(finder, criteria)}


async def _rows(finder: Finder, criteria: Criteria) -> Sequence[Any]:
    """The rows of what a search behind a link finds, whose records are then looked at."""
    if criteria.sifts:
        rows: Sequence[Any] = [record.row for record in await all_of(finder, criteria, trees=False)]
    else:
        rows = await finder.keys(criteria)
    finder.look_at(rows)
    return rows


async def _reversed(finder: Finder, criteria: Criteria, link: Reverse) -> Criteria:
    """The condition that what the link's search finds refers to the record."""
    referring = finder.settled(await resolved(finder, link.referring))
    if link.parameter.source is Source.PATIENT and all(type_.is_patient for type_ in criteria.types):
        of_owners = Criteria(types=referring.types, tests=(about_owner(referring.owned),))
        owners = await with_kin(finder.desk, await _owners(finder, referring.beside(of_owners)))
        return Criteria(types=criteria.types, tests=(lies_with(link.bind, sorted(owners)),))
    keys, own = finder.desk.runtime.keys, tuple(f"{name}/" for name in criteria.names)
    records = await all_of(finder, referring, trees=True)
    finder.look_at(record.row for record in records)
    named: set[int] = {
        keys.reference(target)
        for record in records
        for target in references(link.parameter, record.tree, finder.context)
        if target.startswith(own)
    }
    if any(type_.is_patient for type_ in criteria.types):
        named = await with_registrations(finder.desk, named)
    return Criteria(types=criteria.types, tests=(among(link.bind, sorted(named)),))


async def _owners(finder: Finder, criteria: Criteria) -> set[int]:
    """The patients with whom lies what a search finds."""
    return {row.patient_key for row in await _rows(finder, criteria)}


def _leads_to(
    parameter: SearchParameter, wanted: Collection[int], keys: KeyMaker, context: Context
) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a record's reference at this parameter is to one of these: SQL only knows that some reference is."""

    def matches(tree: Mapping[str, Any]) -> bool:
        return any(keys.reference(target) in wanted for target in references(parameter, tree, context))

    return matches
