from typing import Any

import pytest

from fhirstore.matching import UnfitModifier, matcher, named_targets, references, sort_value
from fhirstore.parameters import Kind
from fhirstore.search.test import BadValue
from tests.unit.fhirstore.matching.asking import BASE, CONTEXT, matches, parameter

SUBJECT = parameter(Kind.REFERENCE, "subject", targets=("Group", "Patient"))
PATIENT = parameter(Kind.REFERENCE, "subject", targets=("Patient",))
FOCUS = parameter(Kind.REFERENCE, "focus")
FORM = parameter(Kind.REFERENCE, "questionnaire", targets=("Questionnaire",))
FIRST = parameter(Kind.REFERENCE, "entry[0].resource", type_name="Bundle", targets=("Composition",))
ELSEWHERE = "http://other.example/fhir/Patient/23"


def on(reference: str) -> dict[str, Any]:
    return {"subject": {"reference": reference}, "focus": [{"reference": reference}]}


@pytest.mark.parametrize("text", ["23", "Patient/23", f"{BASE}/Patient/23", "Patient/23/_history/7"])
@pytest.mark.parametrize("reference", ["Patient/23", f"{BASE}/Patient/23", "Patient/23/_history/2"])
@pytest.mark.parametrize("asked", [SUBJECT, PATIENT, FOCUS])
def test_relative_and_absolute_are_one(asked: Any, reference: str, text: str) -> None:
    assert matches(asked, on(reference), text)


@pytest.mark.parametrize(
    "text", ["2", "Group/23", "patient/23x", ELSEWHERE, "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"]
)
def test_other_references_do_not_match(text: str) -> None:
    asked = text.replace("patient", "Patient")
    assert not matches(SUBJECT, on("Patient/23"), asked)


def test_reference_to_another_server_matches_as_a_whole() -> None:
    assert matches(SUBJECT, on(ELSEWHERE), ELSEWHERE)
    assert not matches(SUBJECT, on(ELSEWHERE), "23")
    assert not matches(FOCUS, on(ELSEWHERE), "23")


def test_contained_record_is_never_found() -> None:
    with pytest.raises(BadValue):
        matcher(SUBJECT, None, ["#p1"], CONTEXT)
    assert not matches(SUBJECT, on("#p1"), "p1")


def test_parameter_of_one_type_sees_references_to_it_alone() -> None:
    assert matches(SUBJECT, on("Group/23"), "23")
    assert not matches(PATIENT, on("Group/23"), "23")
    assert not matches(PATIENT, on("Group/23"), "Group/23")


def test_type_may_stand_as_modifier() -> None:
    assert matches(SUBJECT, on("Patient/23"), "23", modifier="Patient")
    assert matches(SUBJECT, on("Patient/23"), "Patient/23", modifier="Patient")
    assert matches(SUBJECT, on("Patient/23"), f"{BASE}/Patient/23", modifier="Patient")
    assert not matches(SUBJECT, on("Group/23"), "23", modifier="Patient")


@pytest.mark.parametrize("text", ["Group/23", ELSEWHERE])
def test_value_of_another_type_than_the_modifier_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        matcher(SUBJECT, "Patient", [text], CONTEXT)


@pytest.mark.parametrize("modifier", ["Device", "Nothing", "exact", "above"])
def test_modifier_that_is_no_target_is_refused(modifier: str) -> None:
    with pytest.raises(UnfitModifier, match=r"`:Group`, `:Patient`, `:identifier`"):
        matcher(SUBJECT, modifier, ["23"], CONTEXT)


@pytest.mark.parametrize("text", ["", "a b", "Patient/", "a/b/c", "/Patient/1"])
def test_value_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        matcher(SUBJECT, None, [text], CONTEXT)


def test_logical_reference_is_found_by_its_identifier() -> None:
    mrn = "http://acme.example/mrn"
    tree = {"subject": {"type": "Patient", "identifier": {"system": mrn, "value": "123456"}}}
    assert matches(SUBJECT, tree, f"{mrn}|123456", modifier="identifier")
    assert matches(SUBJECT, tree, "123456", modifier="identifier")
    assert not matches(SUBJECT, tree, "|123456", modifier="identifier")
    group = {"subject": tree["subject"] | {"type": "Group"}}
    assert not matches(PATIENT, group, "123456", modifier="identifier")


@pytest.mark.parametrize(
    ("text", "modifier", "found"),
    [
        ("http://acme.example/form", None, [True, True, True, True]),
        ("http://acme.example/form|1.0", None, [False, True, False, False]),
        ("http://acme.example/form", "below", [True, True, True, True]),
        ("http://acme.example/form|1", "below", [False, True, True, False]),
        (r"http://acme.example/form\|1.1", "below", [False, False, True, False]),
        ("http://acme.example/for", None, [False] * 4),
    ],
)
def test_canonical_url_is_found_by_its_versions(text: str, modifier: str | None, found: list[bool]) -> None:
    forms = [f"http://acme.example/form{version}" for version in ("", "|1.0", "|1.1", "|2.0")]
    assert [matches(FORM, {"questionnaire": form}, text, modifier=modifier) for form in forms] == found


@pytest.mark.parametrize(("asked", "modifier"), [(SUBJECT, "below"), (FORM, "identifier"), (FORM, "above")])
def test_versions_are_of_canonical_urls_and_identifiers_of_references(asked: Any, modifier: str) -> None:
    with pytest.raises(UnfitModifier):
        matcher(asked, modifier, ["42"], CONTEXT)


def test_versions_are_those_of_a_url() -> None:
    with pytest.raises(BadValue):
        matcher(FORM, "below", ["42"], CONTEXT)


def test_record_inside_another_is_found_by_its_own_id() -> None:
    document = {"entry": [{"resource": {"resourceType": "Composition", "id": "c"}}, {"resource": {}}]}
    assert matches(FIRST, document, "c")
    assert matches(FIRST, document, "Composition/c")
    assert references(FIRST, document, CONTEXT) == ("Composition/c",)


def test_references_are_those_to_records_here() -> None:
    tree = {
        "focus": [
            {"reference": "Patient/1/_history/2"},
            {"reference": f"{BASE}/Patient/1"},
            {"reference": ELSEWHERE},
            {"reference": "#a"},
            {"display": "x"},
            {"reference": "Group/2"},
        ]
    }
    assert references(FOCUS, tree, CONTEXT) == ("Patient/1", "Group/2")
    only_groups = parameter(Kind.REFERENCE, "focus", targets=("Group",))
    assert references(only_groups, tree, CONTEXT) == ("Group/2",)


@pytest.mark.parametrize(
    ("asked", "text", "modifier", "expected"),
    [
        (SUBJECT, "23", None, ("Group/23", "Patient/23")),
        (SUBJECT, "23", "Patient", ("Patient/23",)),
        (SUBJECT, f"{BASE}/Patient/23", None, ("Patient/23",)),
        (SUBJECT, ELSEWHERE, None, (ELSEWHERE,)),
        (FOCUS, "Patient/23", None, ("Patient/23",)),
        (FOCUS, "23", None, ()),
        (SUBJECT, "x", "identifier", ()),
        (SUBJECT, "true", "missing", ()),
        (FORM, "Questionnaire/1", None, ()),
        (FIRST, "c", None, ()),
    ],
)
def test_named_targets_are_every_reference_that_can_match(
    asked: Any, text: str, modifier: str | None, expected: tuple[str, ...]
) -> None:
    assert named_targets(asked, [text], CONTEXT, modifier) == expected


def test_sorted_by_reference() -> None:
    tree = {"focus": [{"reference": "Patient/2"}, {"reference": f"{BASE}/Patient/1"}]}
    assert sort_value(FOCUS, tree, CONTEXT, descending=False) == "Patient/1"
    assert sort_value(FOCUS, tree, CONTEXT, descending=True) == "Patient/2"
