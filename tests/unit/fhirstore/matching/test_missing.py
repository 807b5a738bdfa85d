from typing import Any

import pytest

from fhirstore.matching import matcher
from fhirstore.parameters import Component, Kind, SearchParameter
from fhirstore.search.test import BadValue
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

GENDER = parameter(Kind.TOKEN, "gender", type_name="Patient")
PATIENT = parameter(Kind.REFERENCE, "subject", targets=("Patient",))
COMPONENT = parameter(
    Kind.COMPOSITE,
    "component",
    components=(Component(Kind.TOKEN, (("code",),)), Component(Kind.QUANTITY, (("valueQuantity",),))),
)


@pytest.mark.parametrize(
    ("asked", "tree", "missing"),
    [
        (GENDER, {}, True),
        (GENDER, {"gender": "male"}, False),
        (GENDER, {"_gender": {"extension": []}}, True),
        (GENDER, {"gender": None}, True),
        (parameter(Kind.TOKEN, "code"), {"code": {"extension": [{"url": "x"}]}}, True),
        (parameter(Kind.TOKEN, "code"), {"code": {"text": "x"}}, False),
        (parameter(Kind.STRING, "name.given"), {"name": [{"given": [None]}]}, True),
        (PATIENT, {"subject": {"reference": "Patient/1"}}, False),
        (PATIENT, {"subject": {"reference": "Group/1"}}, True),
        (PATIENT, {"subject": {"display": "x"}}, False),
        (COMPONENT, {"component": [{"code": {}}, {"valueQuantity": {"value": 1}}]}, True),
        (COMPONENT, {"component": [{"code": {"text": "x"}, "valueQuantity": {"value": 1}}]}, False),
    ],
)
def test_record_without_value_is_missing_one(
    asked: SearchParameter, tree: dict[str, Any], missing: bool
) -> None:
    assert matches(asked, tree, "true", modifier="missing") is missing
    assert matches(asked, tree, "false", modifier="missing") is not missing


@pytest.mark.parametrize("values", [["yes"], [""], ["true", "false"], []])
def test_other_values_are_refused(values: list[str]) -> None:
    with pytest.raises(BadValue, match="`asked:missing`, expected `true` or `false`"):
        matcher(GENDER, "missing", values, CONTEXT)
