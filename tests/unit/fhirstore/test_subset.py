"""Subsets: what `_summary` and `_elements` leave of a resource.

http://hl7.org/fhir/R4/search.html#summary
"""

import json
from typing import Any

import pytest

from fhirstore.search.test import BadValue
from fhirstore.subset import (
    MOST_ELEMENTS,
    SUBSETTED,
    ConflictingSubsets,
    Subset,
    UnknownElement,
    parse_subset,
    subset,
)

OBSERVATION = b"""{"resourceType":"Observation","id":"a","meta":{"versionId":"3","tag":[{"code":"mine"}]},
"implicitRules":"http://example.test/rules","language":"ja",
"text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"},
"contained":[{"resourceType":"Device","id":"d"}],
"extension":[{"url":"http://example.test/e","valueBoolean":true}],
"modifierExtension":[{"url":"http://example.test/m","valueBoolean":true}],
"status":"final","_status":{"extension":[{"url":"http://example.test/s","valueString":"s"}]},
"category":[{"text":"vital"}],"code":{"text":"blood pressure"},"subject":{"reference":"Patient/p"},
"effectiveDateTime":"2026-10-01","valueQuantity":{"value":72.50,"unit":"kg"},"note":[{"text":"n"}],
"component":[{"id":"c1","code":{"text":"systolic"},"valueQuantity":{"value":1.20e2},
"interpretation":[{"text":"high"}],"referenceRange":[{"text":"r"}]}]}"""

PRESCRIPTION = b"""{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order",
"medicationCodeableConcept":{"text":"x"},"subject":{"reference":"Patient/p"},"dosageInstruction":[{"text":"d"}]}"""


def part(body: bytes, wanted: Subset) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(subset(body, wanted))
    return tree


def names(body: bytes, wanted: Subset) -> set[str]:
    return set(part(body, wanted)) - {"resourceType", "id", "meta"}


def test_a_summary_keeps_what_the_specification_marks_for_it() -> None:
    assert names(OBSERVATION, Subset("true")) == {
        "implicitRules", "modifierExtension", "status", "_status", "code", "subject", "effectiveDateTime",
        "valueQuantity", "component",
    }  # fmt: skip


def test_a_summary_goes_into_the_parts_of_a_resource() -> None:
    (component,) = part(OBSERVATION, Subset("true"))["component"]
    assert set(component) == {"id", "code", "valueQuantity"}


def test_a_summary_leaves_the_bytes_of_attachments_out() -> None:
    body = b"""{"resourceType":"DocumentReference","id":"d","status":"current",
    "content":[{"attachment":{"contentType":"text/plain","data":"AAAA","title":"t"}}]}"""
    assert part(body, Subset("true"))["content"] == [
        {"attachment": {"contentType": "text/plain", "title": "t"}}
    ]


def test_a_summary_keeps_the_extensions_of_what_it_keeps() -> None:
    kana = {"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}
    tree = {"resourceType": "Patient", "id": "p", "name": [{"text": "ミホン", "extension": [kana]}]}
    assert part(json.dumps(tree).encode(), Subset("true"))["name"] == tree["name"]


def test_a_text_summary_keeps_the_narrative_and_what_is_mandatory() -> None:
    expected = {"implicitRules", "modifierExtension", "text", "status", "_status", "code"}
    assert names(OBSERVATION, Subset("text")) == expected


def test_a_data_summary_leaves_only_the_narrative_out() -> None:
    whole = set(json.loads(OBSERVATION)) - {"resourceType", "id", "meta"}
    assert names(OBSERVATION, Subset("data")) == whole - {"text"}


def test_elements_keep_what_was_named_and_what_is_mandatory() -> None:
    kept = names(OBSERVATION, Subset(elements=frozenset({"note", "subject"})))
    assert kept == {"implicitRules", "modifierExtension", "status", "_status", "code", "note", "subject"}


def test_a_mandatory_choice_stays_in_the_type_that_it_has() -> None:
    kept = names(PRESCRIPTION, Subset(elements=frozenset({"dosageInstruction"})))
    assert kept == {"status", "intent", "medicationCodeableConcept", "subject", "dosageInstruction"}
    assert "medicationCodeableConcept" in part(PRESCRIPTION, Subset("text"))


@pytest.mark.parametrize("spelled", ["value", "valueQuantity", "value[x]"])
def test_a_choice_is_named_with_or_without_its_type(spelled: str) -> None:
    wanted = parse_subset(None, spelled, ["Observation"])
    assert wanted is not None
    assert "valueQuantity" in names(OBSERVATION, wanted)


@pytest.mark.parametrize(
    "wanted", [Subset("true"), Subset("text"), Subset("data"), Subset(elements=frozenset({"id"}))]
)
def test_a_part_is_tagged_once_beside_the_other_tags(wanted: Subset) -> None:
    once = subset(OBSERVATION, wanted)
    for body in (once, subset(once, wanted)):
        meta = json.loads(body)["meta"]
        assert meta == {"versionId": "3", "tag": [{"code": "mine"}, SUBSETTED]}


def test_a_resource_without_meta_is_tagged_as_well() -> None:
    assert part(PRESCRIPTION, Subset("true"))["meta"] == {"tag": [SUBSETTED]}


@pytest.mark.parametrize(
    "wanted", [Subset("true"), Subset("data"), Subset(elements=frozenset({"valueQuantity"}))]
)
def test_numbers_stay_as_they_were_written(wanted: Subset) -> None:
    assert b'"value":72.50' in subset(OBSERVATION, wanted)


def test_the_identity_of_a_part_comes_first() -> None:
    assert list(part(OBSERVATION, Subset("true")))[:3] == ["resourceType", "id", "meta"]


@pytest.mark.parametrize(
    ("summary", "elements", "expected"),
    [
        (None, None, None),
        ("false", None, None),
        ("true", None, Subset("true")),
        ("text", None, Subset("text")),
        (None, "code,status", Subset(elements=frozenset({"code", "status"}))),
        ("false", " code , status", Subset(elements=frozenset({"code", "status"}))),
        (None, "id,meta,resourceType", Subset(elements=frozenset({"id", "meta", "resourceType"}))),
    ],
)
def test_the_parameters_are_read(summary: str | None, elements: str | None, expected: Subset | None) -> None:
    assert parse_subset(summary, elements, ["Observation"]) == expected


@pytest.mark.parametrize("summary", ["", "count", "True", "all", "true,text"])
def test_an_unknown_summary_is_refused(summary: str) -> None:
    with pytest.raises(BadValue):
        parse_subset(summary, None, ["Observation"])


@pytest.mark.parametrize(
    "elements", ["", ",", "code,", "code,,status", ",".join(["id"] * (MOST_ELEMENTS + 1))]
)
def test_an_unreadable_list_of_elements_is_refused(elements: str) -> None:
    with pytest.raises(BadValue):
        parse_subset(None, elements, ["Observation"])


@pytest.mark.parametrize("element", ["name", "component.code", "Observation.code", "_status", "valueMoney"])
def test_an_element_that_the_type_has_not_at_its_root_is_refused(element: str) -> None:
    with pytest.raises(UnknownElement) as error:
        parse_subset(None, element, ["Observation"])
    assert error.value.parameter == "_elements"
    assert "Observation has at its root: " in str(error.value)
    assert " valueQuantity" in str(error.value)


def test_an_element_of_one_of_several_types_is_known() -> None:
    assert parse_subset(None, "name,code", ["Observation", "Patient"]) is not None


def test_both_parameters_at_once_are_refused() -> None:
    with pytest.raises(ConflictingSubsets):
        parse_subset("true", "code", ["Observation"])
