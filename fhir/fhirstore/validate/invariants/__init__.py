"""The rules between the elements of one type.

http://hl7.org/fhir/R4/conformance-rules.html#constraints

Each is a constraint of the specification with the severity error, under its own key; every one that R4 states
of the types that the store holds, and of the data types in them, is here. Those of a resource as a whole
(dom-2 to dom-5, ref-1) are in `references`, those of every element (ele-1) and of a SimpleQuantity (sqty-1) in the
walk.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.validate.invariants import administration, clinical, datatypes, documents
from fhirstore.validate.invariants.rule import Rule
from fhirstore.validate.invariants.simple_quantities import SIMPLE_QUANTITIES

RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {**datatypes.RULES, **administration.RULES, **clinical.RULES, **documents.RULES}
)

__all__ = ["RULES", "SIMPLE_QUANTITIES", "Rule"]
