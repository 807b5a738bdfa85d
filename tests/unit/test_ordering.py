"""The tests are dealt to the processes with the longest first, and none is lost."""

from typing import Final

import pytest

from tests.ordering import LONGEST, order
from tests.unit.house.source import ROOT

_LIGHT: Final = [f"tests/unit/test_light.py::test_{number}" for number in range(40)]


def _collected() -> list[str]:
    return [
        *_LIGHT[:25],
        *(f"{module}::test_{number}" for module in LONGEST for number in "ab"),
        *_LIGHT[25:],
    ]


@pytest.mark.parametrize("module", LONGEST)
def test_what_is_named_is_there(module: str) -> None:
    assert (ROOT / module).is_file()


@pytest.mark.parametrize("processes", [1, 2, 3, 100])
@pytest.mark.parametrize("node_ids", [[], _LIGHT, _collected(), _collected()[20:40]])
def test_every_test_runs_once(node_ids: list[str], processes: int) -> None:
    assert sorted(order(node_ids, processes)) == list(range(len(node_ids)))


def test_each_process_begins_with_its_share_of_the_longest() -> None:
    dealt = [_collected()[place] for place in order(_collected(), 2)]
    first, second = dealt[: len(dealt) // 2], dealt[len(dealt) // 2 :]
    for part, modules in ((first, LONGEST[::2]), (second, LONGEST[1::2])):
        begins = [f"{module}::test_{number}" for module in modules for number in "ab"]
        assert part[: len(begins)] == begins
        assert not [node_id for node_id in part[len(begins) :] if node_id not in _LIGHT]


def test_the_others_keep_their_order() -> None:
    dealt = [_collected()[place] for place in order(_collected(), 2)]
    assert [node_id for node_id in dealt if node_id in _LIGHT] == _LIGHT
