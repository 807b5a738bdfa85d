"""What is asked for or offered, as attributes of a provision: nothing is read otherwise than it is meant."""

from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.element import Element
from consent.model import Coding, Confidentiality, Effect
from consent.provision import read_provision
from consent.systems import RESOURCE_TYPES
from fhirstore.types import TYPES
from passport.members import check_members
from passport.outcomes import Invalid
from passport.sharing.categories import CATEGORIES, classes_of, named
from passport.sharing.terms import attributes, permit, until_of, with_attributes

TOKYO: Final = ZoneInfo("Asia/Tokyo")
NOW: Final = datetime(2026, 11, 22, 3, tzinfo=UTC)


@given(st.lists(st.sampled_from([*CATEGORIES, *sorted(TYPES)]), max_size=6))
def test_categories_are_named_as_they_were_given_or_by_what_they_hold(names: list[str]) -> None:
    classes = {Coding(**one) for one in classes_of(names)}
    told = list(named(classes))
    again = {Coding(**one) for one in classes_of(told)}
    assert again == classes
    assert set(told) <= {*CATEGORIES, *TYPES}


@given(st.sets(st.sampled_from(sorted(CATEGORIES))))
def test_categories_alone_come_back_as_themselves(names: set[str]) -> None:
    assert set(named({Coding(**one) for one in classes_of(sorted(names))})) == names


def test_every_category_is_of_types_that_are_held_and_none_shares_consents() -> None:
    types = {
        coding.code
        for category in CATEGORIES.values()
        for coding in category.classes
        if coding.system == RESOURCE_TYPES
    }
    assert types <= set(TYPES)
    assert not types & {"Consent", "AuditEvent", "Provenance", "RelatedPerson", "CareTeam", "Group"}


@pytest.mark.parametrize("names", [None, "medicines", ["medicine"], [1], [["medicines"]], ["medicines"] * 41])
def test_another_category_is_refused(names: object) -> None:
    with pytest.raises(Invalid):
        classes_of(names)


def test_what_is_not_said_is_left_as_it_was_and_an_empty_list_takes_it_away() -> None:
    before = {**permit("Organization/h", "TREAT"), "class": classes_of(["person"]), "code": [{"coding": []}]}
    assert with_attributes(before, attributes({}, TOKYO)) == before
    kept = with_attributes(before, attributes({"categories": []}, TOKYO))
    assert "class" not in kept
    assert kept["code"] == before["code"]


def test_what_is_made_of_terms_is_a_provision_that_can_be_enforced() -> None:
    tree: dict[str, Any] = {
        "categories": ["medicines", "vital-signs", "Goal"],
        "codes": ["http://loinc.org|85354-9"],
        "data_period": {"start": "2025", "end": None},
        "confidentiality": "N",
    }
    provision = with_attributes(permit("PractitionerRole/r", "TREAT"), attributes(tree, TOKYO))
    issues: list[Any] = []
    read = read_provision(Element(provision, "Consent.provision", issues), Effect.PERMIT, TOKYO)
    assert issues == []
    assert read.actors == {"PractitionerRole/r"}
    assert read.codes == {Coding("http://loinc.org", "85354-9")}
    assert read.data_period is not None
    assert read.data_period.end is None
    assert read.confidentiality == {Confidentiality.N}


@pytest.mark.parametrize(
    "tree",
    [
        {"codes": "http://loinc.org|85354-9"},
        {"codes": ["85354-9"]},
        {"codes": ["http://loinc.org|"]},
        {"codes": ["|85354-9"]},
        {"codes": ["http://loinc.org|85354 9"]},
        {"codes": ["x|" + "y" * 300]},
        {"codes": [1]},
        {"data_period": {}},
        {"data_period": {"start": "2026-01-01", "end": "2025-01-01"}},
        {"data_period": {"begin": "2026-01-01"}},
        {"data_period": "2026"},
        {"data_period": {"start": 2026}},
        {"confidentiality": "X"},
        {"confidentiality": ["N"]},
    ],
)
def test_unfit_terms_are_refused(tree: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        attributes(tree, TOKYO)


@pytest.mark.parametrize("until", ["2026-11-21", "soon", 2027, "2026-11-22T03:00:00Z"])
def test_an_end_that_is_over_is_refused(until: object) -> None:
    with pytest.raises(Invalid):
        until_of({"until": until}, NOW, TOKYO)


def test_an_end_that_is_to_come_is_kept_as_it_was_written() -> None:
    assert until_of({"until": "2026-11-22"}, NOW, TOKYO) == "2026-11-22"
    assert until_of({}, NOW, TOKYO) is None


def test_a_member_that_nobody_reads_is_refused_by_its_name() -> None:
    with pytest.raises(Invalid) as refused:
        check_members({"purpose": "TREAT", "labels": ["R"]}, {"purpose"})
    assert refused.value.expression == ("labels",)
