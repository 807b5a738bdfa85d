"""Required bindings of the data types.

http://hl7.org/fhir/R4/datatypes.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.validate.bindings.value_sets import ALL_TYPES, COMPARATOR, DAYS, UNITS_OF_TIME, codes

CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("Address", "type"): codes("postal physical both"),
        ("Address", "use"): codes("home work temp old billing"),
        ("Age", "comparator"): COMPARATOR,
        ("ContactPoint", "system"): codes("phone fax email pager url sms other"),
        ("ContactPoint", "use"): codes("home work temp old mobile"),
        ("Contributor", "type"): codes("author editor reviewer endorser"),
        ("Count", "comparator"): COMPARATOR,
        ("DataRequirement", "type"): ALL_TYPES,
        ("DataRequirementSort", "direction"): codes("ascending descending"),
        ("Distance", "comparator"): COMPARATOR,
        ("Duration", "comparator"): COMPARATOR,
        ("HumanName", "use"): codes("usual official temp nickname anonymous old maiden"),
        ("Identifier", "use"): codes("usual official temp secondary old"),
        ("Narrative", "status"): codes("generated extensions additional empty"),
        ("ParameterDefinition", "type"): ALL_TYPES,
        ("ParameterDefinition", "use"): codes("in out"),
        ("Quantity", "comparator"): COMPARATOR,
        ("RelatedArtifact", "type"): codes(
            """
            documentation justification citation predecessor successor derived-from depends-on composed-of
            """
        ),
        ("TimingRepeat", "dayOfWeek"): DAYS,
        ("TimingRepeat", "durationUnit"): UNITS_OF_TIME,
        ("TimingRepeat", "periodUnit"): UNITS_OF_TIME,
        ("TimingRepeat", "when"): codes(
            """
            MORN MORN.early MORN.late NOON AFT AFT.early AFT.late EVE EVE.early EVE.late NIGHT PHS HS WAKE C CM
            CD CV AC ACM ACD ACV PC PCM PCD PCV
            """
        ),
        ("TriggerDefinition", "type"): codes(
            """
            named-event periodic data-changed data-added data-modified data-removed data-accessed
            data-access-ended
            """
        ),
    }
)
