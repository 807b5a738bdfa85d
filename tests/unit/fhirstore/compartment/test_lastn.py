"""The newest of each group of Observations that have no coding.

http://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from datetime import UTC, datetime

import pytest

from fhirstore.compartment.lastn import Texted, last


def at(day: int) -> datetime:
    return datetime(2026, 10, day, tzinfo=UTC)


def keys(found: list[Texted]) -> list[int]:
    return sorted(one.record_key for one in found)


@pytest.mark.parametrize(("most", "expected"), [(1, [3]), (2, [2, 3]), (3, [1, 2, 3]), (9, [1, 2, 3])])
def test_the_newest_of_a_group_are_kept(most: int, expected: list[int]) -> None:
    assert keys(last([Texted(day, 7, at(day)) for day in (2, 3, 1)], most)) == expected


def test_each_group_has_its_own_newest() -> None:
    found = [Texted(1, 7, at(1)), Texted(2, 8, at(2)), Texted(3, 7, at(3))]
    assert keys(last(found, 1)) == [2, 3]


def test_those_of_the_time_of_the_last_come_along() -> None:
    found = [Texted(1, 7, at(1)), Texted(2, 7, at(2)), Texted(3, 7, at(2)), Texted(4, 7, at(3))]
    assert keys(last(found, 2)) == [2, 3, 4]


def test_of_nothing_there_is_nothing() -> None:
    assert last([], 3) == []
