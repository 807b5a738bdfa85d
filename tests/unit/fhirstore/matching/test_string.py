from typing import Any

import pytest

from fhirstore.matching import UnfitModifier, matcher, sort_value
from fhirstore.parameters import Kind
from fhirstore.search.test import BadValue
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

NAME = parameter(Kind.STRING, "name", type_name="Patient")
GIVEN = parameter(Kind.STRING, "name.given", type_name="Patient")
FAMILY = parameter(Kind.STRING, "name.family", type_name="Patient")
ADDRESS = parameter(Kind.STRING, "address", type_name="Patient")

TANAKA = {
    "name": [
        {
            "use": "official",
            "text": "田中 花子",
            "family": "田中",
            "given": ["花子"],
            "period": {"start": "2000"},
        },
        {"family": "タナカ", "given": ["ハナコ"]},
        {"family": "Tanaka", "given": ["Hanako"], "prefix": ["Dr."], "suffix": ["PhD"]},
    ]
}
HOME = {
    "address": {
        "use": "home",
        "text": "東京都千代田区丸の内1-1-1",
        "line": ["丸の内1-1-1", "ビル 3F"],
        "city": "千代田区",
        "state": "東京都",
        "district": "Chiyoda",
        "postalCode": "100-0005",
        "country": "JP",
    }
}


def given(name: str) -> dict[str, Any]:
    return {"name": [{"given": [name]}]}


@pytest.mark.parametrize(
    ("modifier", "sought", "names"),
    [
        (None, "eve", {"Eve", "Evelyn", "eve", "EVE"}),
        ("contains", "eve", {"Eve", "Evelyn", "Severine", "eve", "EVE"}),
        ("exact", "Eve", {"Eve"}),
    ],
)
def test_examples_of_the_specification(modifier: str | None, sought: str, names: set[str]) -> None:
    everyone = ("Eve", "Evelyn", "Severine", "eve", "EVE", "Steve1", "Adam")
    found = {name for name in everyone if matches(GIVEN, given(name), sought, modifier=modifier)}
    assert found - {"Steve1"} == names


@pytest.mark.parametrize(
    "text", ["田中", "花子", "ﾀﾅｶ", "たなか", "はなこ", "tana", "HANAKO", "dr", "phd", "田中　花子"]
)
def test_name_is_found_by_each_of_its_texts(text: str) -> None:
    assert matches(NAME, TANAKA, text)


@pytest.mark.parametrize("text", ["official", "2000", "中", "nako"])
def test_name_is_not_found_by_what_is_no_text_or_no_beginning(text: str) -> None:
    assert not matches(NAME, TANAKA, text)


@pytest.mark.parametrize("text", ["東京", "丸の内", "ビル", "ﾋﾞﾙ", "千代田", "chiyoda", "1000005", "jp"])
def test_address_is_found_by_each_of_its_texts(text: str) -> None:
    assert matches(ADDRESS, HOME, text)


def test_address_is_not_found_by_its_use() -> None:
    assert not matches(ADDRESS, HOME, "home")


@pytest.mark.parametrize("asked", [NAME, FAMILY])
def test_family_name_of_several_words_is_found_by_each(asked: Any) -> None:
    tree = {"name": [{"family": "Carreño Quiñones"}]}
    assert matches(asked, tree, "carreno")
    assert matches(asked, tree, "Quinones")
    assert not matches(asked, tree, "nones")


def test_comma_of_a_value_is_escaped() -> None:
    assert matches(GIVEN, given("a,b"), r"a\,b", modifier="exact")


@pytest.mark.parametrize("modifier", [None, "contains"])
@pytest.mark.parametrize("text", ["", " ", "-", "'", "・"])
def test_value_of_which_nothing_is_left_is_refused(modifier: str | None, text: str) -> None:
    with pytest.raises(BadValue):
        matcher(GIVEN, modifier, [text], CONTEXT)


def test_pattern_characters_are_characters() -> None:
    assert not matches(GIVEN, given("aaaa"), "a+", modifier="contains")
    assert not matches(GIVEN, given("aaaa"), "(a|a)*$", modifier="contains")


def test_other_modifiers_are_refused() -> None:
    with pytest.raises(UnfitModifier, match="expected one of `:exact`, `:contains`, `:missing` or none"):
        matcher(GIVEN, "below", ["a"], CONTEXT)


def test_names_are_sorted_by_family_then_given() -> None:
    assert (
        sort_value(NAME, {"name": [{"family": "Ｚ", "given": ["Ａ", "b"]}]}, CONTEXT, descending=False)
        == "z a b"
    )
    assert sort_value(NAME, {"name": [{"text": "Taro"}]}, CONTEXT, descending=False) == "taro"
    assert sort_value(NAME, TANAKA, CONTEXT, descending=False) == "tanaka hanako"
    assert sort_value(NAME, {}, CONTEXT, descending=True) is None
