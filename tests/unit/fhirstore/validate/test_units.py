"""Units that UCUM does not have are told, wherever they stand, and refuse nothing."""

from typing import Any

from fhirstore.elements import UCUM
from fhirstore.validate.units import unit_problems
from fhirstore.validate.walk import MOST_PROBLEMS
from passport.validation import ALL_OK, Question, findings


def observation(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **elements}


def amount(code: str, system: str = UCUM) -> dict[str, Any]:
    return {"value": 1, "system": system, "code": code}


def test_a_unit_that_ucum_does_not_have_is_a_warning_wherever_it_stands() -> None:
    component = {"code": {"text": "x"}, "valueQuantity": amount("kilos")}
    tree = observation(
        valueQuantity=amount("mm[Hg]"), component=[component], referenceRange=[{"low": amount("Kg")}]
    )
    found = findings("Observation", Question(tree))
    assert [(each.severity, each.code, each.expression) for each in found] == [
        ("warning", "code-invalid", "Observation.component[0].valueQuantity.code"),
        ("warning", "code-invalid", "Observation.referenceRange[0].low.code"),
    ]
    assert "`kilos`" in found[0].text


def test_units_of_others_and_none_are_no_matter_of_ucum() -> None:
    for value in (amount("kilos", "urn:example:units"), {"value": 1, "unit": "kilos"}, amount("/min")):
        assert findings("Observation", Question(observation(valueQuantity=value))) == [ALL_OK]


def test_so_many_are_told_as_of_other_problems() -> None:
    low = [{"low": amount(f"x{at}")} for at in range(MOST_PROBLEMS + 1)]
    assert len(unit_problems(observation(referenceRange=low))) == MOST_PROBLEMS
