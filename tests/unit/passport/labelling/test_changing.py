"""What `$meta-add` and `$meta-delete` make of a record."""

from typing import Any

import pytest

from fhirstore.elements import Code
from passport.labelling.changing import MetaChange, read_change
from passport.outcomes import Invalid
from tests.unit.consent.words import Json, coding

ONE, TWO = coding("urn:t", "one"), coding("urn:t", "two")


def asked(meta: Any, *, adds: bool = True) -> MetaChange:
    tree = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
    return read_change(tree, adds=adds)


def test_what_is_there_is_not_added_twice_and_keeps_its_words() -> None:
    worded = {**ONE, "display": "one"}
    tree: Json = {"id": "1", "meta": {"tag": [worded], "source": "urn:s"}}
    changed = asked({"tag": [ONE, TWO], "profile": ["urn:p"]})(tree)
    assert changed == {"id": "1", "meta": {"source": "urn:s", "tag": [worded, TWO], "profile": ["urn:p"]}}
    assert tree == {"id": "1", "meta": {"tag": [worded], "source": "urn:s"}}


def test_what_is_taken_away_is_found_by_system_and_code_and_leaves_no_empty_list() -> None:
    tree: Json = {"meta": {"tag": [{**ONE, "version": "1"}], "security": [ONE, TWO], "profile": ["urn:p"]}}
    meta = {
        "tag": [{**ONE, "display": "eins"}],
        "security": [TWO, coding("urn:t", "three")],
        "profile": ["urn:q"],
    }
    assert asked(meta, adds=False)(tree) == {"meta": {"security": [ONE], "profile": ["urn:p"]}}


def test_a_record_without_meta_gets_one() -> None:
    assert asked({"security": [ONE]})({"id": "1"}) == {"id": "1", "meta": {"security": [ONE]}}


def test_which_labels_are_taken_away() -> None:
    both = {"security": [ONE], "tag": [TWO]}
    assert asked(both, adds=False).taken == {Code("urn:t", "one")}
    assert asked(both).taken == frozenset()
    assert asked({"security": [ONE]}).labels_only
    assert not asked(both).labels_only


@pytest.mark.parametrize(
    "tree", [{}, {"resourceType": "Parameters", "parameter": [1]}, {"resourceType": "Meta"}]
)
def test_what_is_no_parameters_is_refused(tree: Json) -> None:
    with pytest.raises(Invalid):
        read_change(tree, adds=True)
