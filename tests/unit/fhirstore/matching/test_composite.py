from decimal import Decimal
from typing import Any

import pytest

from fhirstore.elements import UCUM
from fhirstore.matching import UnfitModifier, matcher, sort_value
from fhirstore.parameters import Component, Kind
from fhirstore.search.test import BadValue
from tests.unit.fhirstore.matching.asking import CONTEXT, matches, parameter

LOINC = "http://loinc.org"
SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"
CODE = Component(Kind.TOKEN, (("code",),))
AMOUNT = Component(Kind.QUANTITY, (("valueQuantity",),))
COMPONENT = parameter(Kind.COMPOSITE, "component", components=(CODE, AMOUNT))
WHOLE = parameter(Kind.COMPOSITE, ".", components=(CODE, AMOUNT))


def measured(code: str, value: str, unit: str = "mm[Hg]") -> dict[str, Any]:
    return {
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "valueQuantity": {"value": Decimal(value), "system": UCUM, "code": unit},
    }


BLOOD_PRESSURE = {"component": [measured(SYSTOLIC, "120"), measured(DIASTOLIC, "80")]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{LOINC}|{SYSTOLIC}$lt60", False),
        (f"{LOINC}|{SYSTOLIC}$gt100", True),
        (f"{DIASTOLIC}$gt100", False),
        (f"{DIASTOLIC}$le80|{UCUM}|mm[Hg]", True),
        (f"{SYSTOLIC}$16.0|{UCUM}|kPa", True),
    ],
)
def test_parts_hold_together_in_one_element(text: str, expected: bool) -> None:
    assert matches(COMPONENT, BLOOD_PRESSURE, text) is expected


def test_record_itself_may_be_the_element() -> None:
    assert matches(WHOLE, measured("2823-3", "5.5", "mmol/L"), f"{LOINC}|2823-3$gt5.4|{UCUM}|mmol/L")
    assert not matches(WHOLE, BLOOD_PRESSURE, f"{SYSTOLIC}$gt100")


def test_one_of_several_values_is_enough() -> None:
    assert matches(COMPONENT, BLOOD_PRESSURE, f"{SYSTOLIC}$lt60", f"{DIASTOLIC}$lt90")


def test_dollar_inside_a_part_is_escaped() -> None:
    tree = {"component": [measured("a$b", "1")]}
    assert matches(COMPONENT, tree, r"a\$b$1")


@pytest.mark.parametrize("text", ["", SYSTOLIC, f"{SYSTOLIC}$", "$1", f"{SYSTOLIC}$1$2", f"{SYSTOLIC}$abc"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(BadValue):
        matcher(COMPONENT, None, [text], CONTEXT)


def test_composite_has_no_modifier_and_no_order() -> None:
    with pytest.raises(UnfitModifier):
        matcher(COMPONENT, "not", [f"{SYSTOLIC}$1"], CONTEXT)
    assert sort_value(COMPONENT, BLOOD_PRESSURE, CONTEXT, descending=False) is None
