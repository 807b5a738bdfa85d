"""Required bindings of medicines and vaccinations.

http://hl7.org/fhir/R4/medications-module.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.validate.bindings.value_sets import REQUEST_PRIORITY, codes

CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("Immunization", "status"): codes("completed entered-in-error not-done"),
        ("Medication", "status"): codes("active inactive entered-in-error"),
        ("MedicationAdministration", "status"): codes(
            """
            in-progress not-done on-hold completed entered-in-error stopped unknown
            """
        ),
        ("MedicationDispense", "status"): codes(
            """
            preparation in-progress cancelled on-hold completed entered-in-error stopped declined unknown
            """
        ),
        ("MedicationRequest", "intent"): codes(
            """
            proposal plan order original-order reflex-order filler-order instance-order option
            """
        ),
        ("MedicationRequest", "priority"): REQUEST_PRIORITY,
        ("MedicationRequest", "status"): codes(
            """
            active on-hold cancelled completed entered-in-error stopped draft unknown
            """
        ),
        ("MedicationStatement", "status"): codes(
            """
            active completed entered-in-error intended stopped on-hold unknown not-taken
            """
        ),
    }
)
