"""The walk against fhir.resources: whatever its models refuse, the walk has refused.

https://github.com/nazrulworld/fhir.resources

This is what lets the intake do without the models, which cost several times the walk. What they refuse and R4
allows is named in `fhirstore.validate.models`.
"""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirstore.types import TYPES
from fhirstore.validate import validate
from fhirstore.validate.models import model_problems
from tests.examples import examples
from tests.properties.grown import damaged, grown
from tests.unit.fhirstore.examples import valid_resources

LONG: Final = examples(20)


def refused_by_models(tree: dict[str, Any]) -> list[str]:
    return [f"{problem.expression}: {problem.text}" for problem in model_problems(tree)]


@pytest.mark.parametrize("name", sorted(TYPES))
@LONG
@given(data=st.data())
def test_what_the_models_refuse_the_walk_refuses(name: str, data: st.DataObject) -> None:
    tree = data.draw(grown(valid_resources()[name]))
    if data.draw(st.booleans()):
        tree = data.draw(damaged(tree))
    if not validate(tree, confirm=False):
        assert refused_by_models(tree) == []


@pytest.mark.parametrize("name", sorted(TYPES))
def test_what_grows_begins_as_a_valid_resource(name: str) -> None:
    assert validate(valid_resources()[name], confirm=True) == []
