"""Shapes come back from the database as they went in, or not at all."""

import json
from typing import Any

import pytest

from consent.compile import compile_consent
from consent.errors import UnknownShape
from consent.shape import Shape, parse_shape
from consent.systems import ACT_CODE
from tests.unit.consent.enforcement import KEYS
from tests.unit.consent.words import C09, DR_A, DR_B, ORG_H, VITAL_SIGNS, Json, allow, consents, deny, permit

EVERYTHING = permit(
    DR_A,
    types=["Observation", "Condition"],
    classes=[VITAL_SIGNS],
    codes=[C09, ("http://loinc.org", "1-1"), ("http://loinc.org", "2-2")],
    labels=["N", "L"],
    data_period={"start": "2024", "end": "2025"},
    data=[("instance", "Observation/1"), ("dependents", "Encounter/1"), ("authoredby", DR_B)],
    but=[
        deny(labels=[(ACT_CODE, "HIV")], data_period={"end": "2020"}, but=[allow(types=["Patient"])]),
        deny(),
    ],
)


def shapes(*roots: Json) -> list[Shape]:
    return [grant.shape for one in consents(*roots) for grant in compile_consent(one, KEYS).grants]


@pytest.mark.parametrize("root", [EVERYTHING, deny(but=[EVERYTHING, permit(DR_B)])])
def test_a_shape_survives_the_database(root: Json) -> None:
    for shape in shapes(root):
        returned = parse_shape(json.loads(json.dumps(shape.content)))
        assert returned == shape
        assert returned.key == shape.key


def test_a_shape_says_nothing_of_whom_it_is_for() -> None:
    first, second, third = shapes(
        permit(DR_A, types=["Observation"]),
        permit(ORG_H, types=["Observation"], purposes=["HRESCH"], period={"start": "2026"}),
        permit(DR_A, types=["Condition"]),
    )
    assert first.key == second.key
    assert first.key != third.key


def test_the_order_of_values_makes_no_other_shape() -> None:
    one, other = shapes(permit(DR_A, codes=[C09, ("a", "b")]), permit(DR_A, codes=[("a", "b"), C09]))
    assert one == other


def test_the_stored_keys_never_change() -> None:
    assert [shape.key for shape in shapes(EVERYTHING, deny())] == [
        8_698_404_256_369_184_440,
        -3_557_882_408_177_273_332,
    ]


def test_keys_fit_a_bigint() -> None:
    for shape in shapes(EVERYTHING, permit(DR_A), deny()):
        assert -(2**63) <= shape.key < 2**63


def _node(**conditions: Any) -> Json:
    return {"version": 1, "heads": 1, "nodes": [{"deny": False, **conditions}]}


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"version": 2, "heads": 1, "nodes": [{"deny": True}]},
        {"version": 1, "heads": 3, "nodes": [{"deny": True}] * 3},
        {"version": 1, "heads": 2, "nodes": [{"deny": True}]},
        {"version": 1, "heads": 1, "nodes": []},
        {"version": 1, "heads": 1, "nodes": [{"deny": True}], "more": 1},
        {"version": 1, "heads": 1, "nodes": ["deny"]},
        {"version": 1, "heads": 1, "nodes": [{"deny": True}, {"deny": False}]},
        {"version": 1, "heads": 1, "nodes": [{}]},
        _node(weather="fine"),
        _node(types="Observation"),
        _node(types=[]),
        _node(types=[7]),
        _node(categories=["LAB"]),
        _node(categories=[1.5]),
        _node(confidentiality="N"),
        _node(codes=[["http://loinc.org", 1]]),
        _node(codes=[["http://loinc.org", "1", [2]]]),
        _node(period=["2024-01-01"]),
        _node(period=["2024-01-01", None]),
        _node(period=["soon", None]),
        _node(children=[0]),
        _node(children=[1]),
        {"version": 1, "heads": 1, "nodes": [{"deny": False, "children": [1, 1]}, {"deny": True}]},
        {
            "version": 1,
            "heads": 1,
            "nodes": [{"deny": False, "children": [2]}, {"deny": True, "children": [1]}, {"deny": True}],
        },
    ],
)
def test_content_that_is_not_understood_in_full_is_no_shape(content: object) -> None:
    with pytest.raises(UnknownShape):
        parse_shape(content)
