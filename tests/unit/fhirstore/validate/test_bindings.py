"""That the tables of bindings speak of elements that exist, and forget none."""

import pytest

from fhirstore.validate.bindings import CODES, CONCEPTS
from fhirstore.validate.invariants import RULES
from fhirstore.validate.schema import shape
from tests.unit.fhirstore.validate.test_schema import REACHED

# Code elements whose binding is not required, or to a code system without end (languages, mime types,
# currencies, names of FHIR types).
UNBOUND = {
    ("Attachment", "contentType"),
    ("Attachment", "language"),
    ("Coding", "code"),
    ("DataRequirement", "type"),
    ("Expression", "language"),
    ("Money", "currency"),
    ("ParameterDefinition", "name"),
    ("ParameterDefinition", "type"),
    ("Quantity", "code"),
    ("Signature", "sigFormat"),
    ("Signature", "targetFormat"),
    ("Extension", "valueCode"),
}


@pytest.mark.parametrize("name", REACHED)
def test_every_code_element_is_bound_or_known_to_be_open(name: str) -> None:
    for element in shape(name).elements.values():
        if element.type == "code" and element.name not in ("language", "code"):
            assert (name, element.name) in CODES or (name, element.name) in UNBOUND


def test_every_binding_is_of_an_element_that_exists() -> None:
    for name, element in CODES:
        assert shape(name).elements[element].type == "code"
    for name, element in CONCEPTS:
        assert shape(name).elements[element].type in ("CodeableConcept", "Coding")


def test_every_rule_is_of_a_type_that_is_used() -> None:
    assert set(RULES) <= set(REACHED)
