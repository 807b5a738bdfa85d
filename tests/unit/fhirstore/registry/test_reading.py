from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.elements import values_at
from fhirstore.registry import COMMON, PARAMETERS
from fhirstore.registry.reading import elements_at
from fhirstore.types import Path

NAMES = st.sampled_from(["a", "b", "system", "value"])
LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(["phone", "email", ""])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)
STEPS = NAMES | st.sampled_from(["a[system=phone]", "b[0]", "?a|b", "a[", "[]", "", "a[b=c][0]"])
PATHS = st.lists(STEPS, max_size=4).map(tuple)
PLAIN = st.lists(NAMES, min_size=1, max_size=4).map(tuple)
KNOWN = sorted({path for rows in PARAMETERS.values() for each in (*COMMON, *rows) for path in each.paths})

PATIENT = {
    "telecom": [
        {"system": "phone", "value": "03-0000-0000"},
        {"system": "email", "value": "mihon@city.example"},
        {"value": "no system"},
        "not a contact point",
    ],
    "name": [{"given": ["花子", None, "Hanako"]}, {"family": "見本"}],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("name.given", ["花子", "Hanako"]),
        ("name.family", ["見本"]),
        ("telecom[system=phone].value", ["03-0000-0000"]),
        ("telecom[system=email].value", ["mihon@city.example"]),
        ("telecom[system=fax]", []),
        ("telecom[value=no system]", [{"value": "no system"}]),
        ("name[0]", [{"given": ["花子", None, "Hanako"]}]),
        ("name[0].family", []),
        ("name.given.none", []),
        ("birthDate", []),
        ("birthDate[0]", []),
    ],
)
def test_elements_stand_at_a_path(path: str, found: list[Any]) -> None:
    assert elements_at(PATIENT, (tuple(path.split(".")),)) == found


@pytest.mark.parametrize(
    ("tree", "dead"),
    [
        ({}, False),
        ({"deceasedBoolean": False}, False),
        ({"deceasedBoolean": None}, False),
        ({"deceasedBoolean": True}, True),
        ({"deceasedDateTime": "2026-06-01"}, True),
    ],
)
def test_presence_is_true_or_false_and_never_missing(tree: dict[str, Any], dead: bool) -> None:
    assert elements_at(tree, (("?deceasedBoolean|deceasedDateTime",),)) == [dead]


def test_empty_path_is_the_tree_itself() -> None:
    assert elements_at({"a": 1}, ((),)) == [{"a": 1}]


def test_paths_are_read_in_their_order() -> None:
    assert elements_at({"a": 1, "b": [2, 3]}, (("b",), ("a",), ("b",))) == [2, 3, 1, 2, 3]


@given(TREES, st.lists(PATHS, max_size=3))
def test_nothing_that_is_read_raises(tree: object, paths: list[Path]) -> None:
    assert None not in elements_at(tree, paths)


@given(TREES, st.lists(st.sampled_from(KNOWN), max_size=5))
def test_no_path_of_the_registry_raises_on_another_tree(tree: object, paths: list[Path]) -> None:
    elements_at(tree, paths)


@given(st.dictionaries(NAMES, TREES, max_size=4), st.lists(PLAIN, max_size=3))
def test_plain_paths_are_read_as_the_facts_are(tree: dict[str, Any], paths: list[Path]) -> None:
    assert elements_at(tree, paths) == [value for value in values_at(tree, paths) if value is not None]


@given(TREES, PLAIN)
def test_order_of_reading_changes_nothing(tree: object, path: Path) -> None:
    ahead = elements_at(tree, (path[:1],))
    assert elements_at(tree, (path,)) == [
        value for node in ahead for value in elements_at(node, (path[1:],))
    ] or any(isinstance(node, list) for node in ahead)
