"""That the tables of bindings speak of elements that exist, and forget none."""

import pytest

from fhirstore.validate.bindings import CODES, CONCEPTS, GRAMMARS
from fhirstore.validate.invariants import RULES
from fhirstore.validate.schema import shape
from tests.unit.fhirstore.validate.test_schema import REACHED

# Codes that R4 binds to no value set: their author's own words.
UNBOUND = {
    ("Age", "code"),
    ("CodeSystemConcept", "code"),
    ("CodeSystemConceptProperty", "code"),
    ("CodeSystemConceptProperty", "valueCode"),
    ("CodeSystemFilter", "code"),
    ("CodeSystemProperty", "code"),
    ("Coding", "code"),
    ("Count", "code"),
    ("Distance", "code"),
    ("Duration", "code"),
    ("Extension", "valueCode"),
    ("ParameterDefinition", "name"),
    ("ParametersParameter", "valueCode"),
    ("Quantity", "code"),
    ("TaskInput", "valueCode"),
    ("TaskOutput", "valueCode"),
    ("ValueSetComposeIncludeConcept", "code"),
    ("ValueSetComposeIncludeFilter", "property"),
    ("ValueSetExpansionContains", "code"),
    ("ValueSetExpansionParameter", "valueCode"),
}


@pytest.mark.parametrize("name", REACHED)
def test_every_code_element_is_bound_or_known_to_be_open(name: str) -> None:
    for element in shape(name).elements.values():
        if element.type == "code" and element.name != "language":
            assert (name, element.name) in CODES or (name, element.name) in GRAMMARS.keys() | UNBOUND


def test_codes_that_the_models_list_are_those_of_the_tables() -> None:
    for (name, element), codes in CODES.items():
        assert shape(name).elements[element].codes in (frozenset(), codes), (name, element)


def test_codes_that_only_begin_a_list_are_not_taken_for_all_of_it() -> None:
    for name, element in (("StructureMapGroupRuleTarget", "transform"), ("CapabilityStatement", "format")):
        assert not shape(name).elements[element].codes


def test_every_binding_is_of_an_element_that_exists() -> None:
    for name, element in CODES:
        assert shape(name).elements[element].type == "code"
    for name, element in CONCEPTS:
        assert shape(name).elements[element].type in ("CodeableConcept", "Coding")


def test_every_rule_is_of_a_type_that_is_used() -> None:
    assert set(RULES) <= set(REACHED)
