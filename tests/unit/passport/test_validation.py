from typing import Any

import pytest

from fhirstore.validate.profiles.jp_core import BASE
from passport.outcomes import Invalid
from passport.validation import ALL_OK, Question, asked, findings
from tests.unit.fhirstore.examples import patient


def parameters(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(listed)}


RESOURCE = {"name": "resource", "resource": patient()}


def test_body_is_the_resource_or_a_parameters_that_holds_it() -> None:
    assert asked(patient(), []) == asked(parameters(RESOURCE), []) == Question(patient())


def test_profile_and_mode_come_from_the_address_and_from_the_body() -> None:
    body = parameters(RESOURCE, {"name": "profile", "valueUri": "b"}, {"name": "mode", "valueCode": "create"})
    assert asked(body, [("profile", "a")]) == Question(patient(), ("a", "b"), "create")


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (patient(), [("mode", "replace")]),
        (patient(), [("mode", "create"), ("mode", "update")]),
        (patient(), [("usageContext", "x")]),
        (parameters(RESOURCE, RESOURCE), []),
        (parameters({"name": "profile"}), []),
        (parameters({"name": "mode", "valueCode": 5}), []),
        (parameters({"name": "other", "valueString": "x"}), []),
        ({"resourceType": "Parameters", "parameter": {}}, []),
        ({"resourceType": "Parameters", "parameter": [None]}, []),
    ],
)
def test_question_that_the_operation_does_not_have_is_refused(
    body: dict[str, Any], params: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid):
        asked(body, params)


def test_nothing_wrong_is_said_in_words() -> None:
    assert findings("Patient", Question(patient())) == [ALL_OK]


def test_unknown_profile_is_never_answered_with_success_alone() -> None:
    (found,) = findings("Patient", Question(patient(), ("http://x.example/p",)))
    assert found.severity == "error"
    (found,) = findings("Patient", Question(patient(meta={"profile": ["http://x.example/p"]})))
    assert found.severity == "warning"


def test_claimed_and_asked_profiles_are_both_checked() -> None:
    tree = patient(identifier=None, meta={"profile": ["http://x.example/p"]})
    found = findings("Patient", Question(tree, (f"{BASE}JP_Patient",)))
    assert [problem.severity for problem in found] == ["warning", "error"]


def test_what_r4_finds_wrong_comes_first_and_alone() -> None:
    found = findings("Patient", Question(patient(gender="x", identifier=None), (f"{BASE}JP_Patient",)))
    assert [problem.expression for problem in found] == ["Patient.gender"]


def test_resource_of_another_type_is_told() -> None:
    (found,) = findings("Observation", Question(patient()))
    assert (found.severity, found.code) == ("error", "invalid")


def test_update_needs_the_id_and_the_one_at_the_address() -> None:
    assert findings("Patient", Question(patient(id=None), mode="update"))[0].expression == "Patient.id"
    assert findings("Patient", Question(patient()), "taro")[0].expression == "Patient.id"
    assert findings("Patient", Question(patient(), mode="update"), "hanako") == [ALL_OK]


def test_deletion_has_no_content_to_check() -> None:
    assert findings("Patient", Question(None, mode="delete")) == [ALL_OK]
