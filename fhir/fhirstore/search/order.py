"""The order of records by their own elements, where the rows alone do not give it.

http://hl7.org/fhir/R4/search.html#sort

A record that has no such element comes last in both directions. Texts are compared by their beginning and
numbers to as many digits as a cursor has room for, so that a page is found again by what its cursor holds.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Context as Rounding
from decimal import Decimal
from typing import Any, Final

from fhirstore.matching import Context, sort_value
from fhirstore.search.cursor import SortValue
from fhirstore.search.sort import SortKey

COMPARED_CHARACTERS: Final = 32
KEY_BYTES: Final = 6 * COMPARED_CHARACTERS + 16
"""What one value takes in a cursor at most: each character written as `\\u0000`, quotes and brackets."""

_ROUNDING: Final = Rounding(prec=34)  # digits of IEEE 754 decimal128

Place = tuple[Sequence[SortValue], int]
"""Where a record stands: the values of its sort keys, and its record key."""


def values_of(
    order: Sequence[SortKey], row: Any, tree: Mapping[str, Any], context: Context
) -> list[SortValue]:
    """Return the value of each sort key of a record, from its row or from its tree."""
    elements = [key.of_elements(tree["resourceType"]) if key.parameters else None for key in order]
    return [
        getattr(row, f"sort_{at}")
        if parameter is None
        else _bounded(sort_value(parameter, tree, context, descending=order[at].descending))
        for at, parameter in enumerate(elements)
    ]


def room(order: Sequence[SortKey]) -> int:
    """Return how many bytes the values of elements take in a cursor, whatever they are."""
    return KEY_BYTES * sum(bool(key.parameters) for key in order)


def in_order(places: Sequence[Place], order: Sequence[SortKey]) -> list[int]:
    """Return the indexes of the places in their order; ties go the way of the last key."""
    indexes = sorted(range(len(places)), key=lambda one: places[one][1], reverse=_last(order))
    # From the last key to the first: a sort leaves equal ones as they were.
    for at, key in reversed(list(enumerate(order))):
        weights = [_weighed(values[at], key.descending) for values, _ in places]
        indexes.sort(key=weights.__getitem__, reverse=key.descending)
    return indexes


def follows(place: Place, cursor: Place, order: Sequence[SortKey]) -> bool:
    """Return whether a record stands after the place where a page ended."""
    for key, mine, theirs in zip(order, place[0], cursor[0], strict=True):
        one, other = _weighed(mine, key.descending), _weighed(theirs, key.descending)
        if one != other:
            return one < other if key.descending else one > other
    return place[1] < cursor[1] if _last(order) else place[1] > cursor[1]


def _last(order: Sequence[SortKey]) -> bool:
    return bool(order) and order[-1].descending


def _bounded(value: datetime | Decimal | str | None) -> SortValue:
    if isinstance(value, str):
        return value[:COMPARED_CHARACTERS]
    return _ROUNDING.plus(value) if isinstance(value, Decimal) else value


def _weighed(value: SortValue, descending: bool) -> tuple[int, Any]:
    """A value as it is compared: kinds apart, and nothing where it comes last."""
    if value is None:
        return (0 if descending else 4, 0)
    return (1 if isinstance(value, Decimal) else 2 if isinstance(value, datetime) else 3, value)
