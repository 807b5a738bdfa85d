"""What comes along with the matches: records that they refer to, and records that refer to them.

http://hl7.org/fhir/R4/search.html#include

One statement for all instructions of a round; a round goes on from what the one before added. What is not
permitted does not come along, as if it were not there; no record comes twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fhirstore.elements import References, reference_elements
from fhirstore.matching import references
from fhirstore.search import statement
from fhirstore.search.include import Include
from fhirstore.types import TYPES, TYPES_BY_NUMBER
from passport.disclosure.finding import Finder
from passport.disclosure.recorded import kept
from passport.disclosure.sifting import Opened, opened
from passport.identity.scopes import granting
from passport.sql import fetch

MOST_INCLUDED: Final = 1_000
"""Records that come along with one page; past it the answer says that there are more."""

MOST_ROUNDS: Final = 8

_INSIDE: Final = ("contained", "entry")
"""Elements with records of their own: what those refer to is not what the record refers to."""


@dataclass(slots=True)
class Included:
    """What came along so far; `cut` tells that there is more which did not."""

    records: list[Opened] = field(default_factory=list)
    cut: bool = False


async def included(finder: Finder, instructions: Sequence[Include], matches: Sequence[Opened]) -> Included:
    """What the instructions add to a page."""
    found = Included()
    known = {record.key for record in matches}
    origins, active = list(matches), list(instructions)
    for rounds_left in range(MOST_ROUNDS, -1, -1):
        if not origins or not active:
            return found
        # A last look tells whether more would come; nothing of it does.
        limit = MOST_INCLUDED - len(found.records) if rounds_left else 0
        added, found.cut = await _round(finder, active, origins, known, limit)
        found.records += added
        finder.desk.by.update(*(_granting(finder, record.type_name) for record in added))
        if found.cut:
            return found
        known |= {record.key for record in added}
        origins, active = added, [one for one in instructions if one.iterate]
    return found


async def _round(
    finder: Finder, active: Sequence[Include], origins: Sequence[Opened], known: set[int], limit: int
) -> tuple[list[Opened], bool]:
    """What is added, and whether there is more of it than the limit."""
    maker = finder.desk.runtime.keys
    targets: set[int] = {
        maker.reference(target)
        for one in active
        if not one.reverse
        for record in origins
        for target in _targets(finder, one, record)
    }
    targets -= known
    backward = [one for one in active if one.reverse]
    # Every row may be one that is known already.
    most = len(known) + limit + 1
    rows = await _linked(finder, targets, backward, origins, most)
    records = await opened(finder, rows, None, (), trees=True)
    names = {record.reference for record in origins}
    added = [
        record
        for record in records
        if record.key not in known
        and (record.key in targets or any(_refers(finder, one, record, names) for one in backward))
    ]
    return added[:limit], len(added) > limit or len(rows) == most


async def _linked(
    finder: Finder, targets: set[int], backward: Sequence[Include], origins: Sequence[Opened], limit: int
) -> Sequence[Any]:
    readable = [int(row.number) for row in TYPES.values() if _readable(finder, row.name)]
    referring = {
        int(number) for one in backward for number in ([one.source.number] if one.source else TYPES_BY_NUMBER)
    }
    decision, reach = finder.decision.by("r"), finder.reach("Consent")
    shape = {"referred": True, "referring": bool(backward)}
    prepared = kept(
        finder.desk.runtime,
        ("linked", bool(backward), decision.structure),
        lambda: statement.linked(decision.clause, reach, **shape),
    )
    params = {
        **decision.params,
        "reachable": finder.reachable,
        "targets": sorted(targets),
        "origins": [record.key for record in origins],
        "referring_types": sorted(referring),
        "readable_types": readable,
        "limit": limit,
    }
    return await fetch(finder.desk.connection, prepared, params)


def _targets(finder: Finder, one: Include, record: Opened) -> Iterable[str]:
    """What a record refers to, as far as the instruction follows it."""
    if one.source is not None and one.source.name != record.type_name:
        return []
    named = _referred(finder, one, record)
    return [target for target in named if one.target is None or target.startswith(f"{one.target}/")]


def _refers(finder: Finder, one: Include, record: Opened, names: set[str]) -> bool:
    """Whether a record refers to one of these in the way that the instruction follows."""
    return not names.isdisjoint(_targets(finder, one, record))


def _referred(finder: Finder, one: Include, record: Opened) -> Iterable[str]:
    if one.parameter is not None:
        return references(one.parameter, record.tree, finder.context)
    return References(finder.context.base_urls).literals(reference_elements(record.tree, _INSIDE))


def _readable(finder: Finder, type_name: str) -> bool:
    return bool(_granting(finder, type_name))


def _granting(finder: Finder, type_name: str) -> frozenset[str]:
    return granting(finder.desk.subject.scopes, "r", type_name)
