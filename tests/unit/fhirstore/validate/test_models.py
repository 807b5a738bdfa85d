from typing import Any

import pytest

from fhirstore.validate.models import model_problems
from tests.unit.fhirstore.examples import blood_pressure, patient, valid_resources


@pytest.mark.parametrize("name", valid_resources())
def test_models_accept_every_valid_resource(name: str) -> None:
    assert model_problems(valid_resources()[name]) == []


@pytest.mark.parametrize(
    ("tree", "code", "expression"),
    [
        (blood_pressure(code=None), "required", "Observation.code"),
        (blood_pressure(status=None), "required", "Observation.status"),
        (blood_pressure(foo=1), "structure", "Observation.foo"),
        (patient(name=[{"given": ["花", 5]}]), "structure", "Patient.name[0].given[1]"),
        (patient(birthDate="見本"), "structure", "Patient.birthDate"),
    ],
)
def test_what_the_models_refuse_is_told_with_its_place_and_without_its_value(
    tree: dict[str, Any], code: str, expression: str
) -> None:
    (problem,) = model_problems(tree)
    assert (problem.severity, problem.code, problem.expression) == ("error", code, expression)
    assert "見本" not in problem.text
