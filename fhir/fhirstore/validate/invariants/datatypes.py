"""The rules of the data types.

http://hl7.org/fhir/R4/datatypes.html
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from fhirstore.elements import UCUM
from fhirstore.validate.invariants.rule import (
    Node,
    Rule,
    any_of,
    exactly_one,
    has,
    has_choice,
    needs,
    not_both,
    not_negative,
    number_at,
    ordered,
)

_MEALS: Final = frozenset({"C", "CM", "CD", "CV"})


def _of_ucum(node: Node) -> bool:
    return not has(node, "system") or node.get("system") == UCUM


def _measured(node: Node) -> bool:
    return (has(node, "code") or not has(node, "value")) and _of_ucum(node)


def _positive(node: Node) -> bool:
    return (value := number_at(node, "value")) is None or value > 0


def _counted(node: Node) -> bool:
    value = number_at(node, "value")
    whole = value is None or Decimal(value) == Decimal(value).to_integral_value()
    return _measured(node) and node.get("code", "1") == "1" and whole


def _duration_has_unit(node: Node) -> bool:
    return not has(node, "code") or (node.get("system") == UCUM and has(node, "value"))


def _range_rises(node: Node) -> bool:
    low, high = node.get("low"), node.get("high")
    if not isinstance(low, dict) or not isinstance(high, dict):
        return True
    if any(low.get(name) != high.get(name) for name in ("system", "code", "unit")):
        return True
    least, most = number_at(low, "value"), number_at(high, "value")
    return least is None or most is None or least <= most


def _ratio_is_whole(node: Node) -> bool:
    both = "numerator" in node and "denominator" in node
    return both or ("numerator" not in node and "denominator" not in node and "extension" in node)


def _offset_has_event(node: Node) -> bool:
    when = node.get("when")
    return not has(node, "offset") or (isinstance(when, list) and _MEALS.isdisjoint(map(str, when)))


def _extension_says_one_thing(node: Node) -> bool:
    return has_choice(node, "value") != ("extension" in node)


def _trigger_has_one_cause(node: Node) -> bool:
    return not ("data" in node and has_choice(node, "timing"))


def _trigger_fits_its_type(node: Node) -> bool:
    kind = str(node.get("type"))
    if kind == "named-event":
        return has(node, "name")
    if kind == "periodic":
        return has_choice(node, "timing")
    return not kind.startswith("data-") or "data" in node


_UNIT: Final = Rule("qty-3", "expected a system with the code of a unit", needs("code", "system"))

RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {
        "Age": (
            _UNIT,
            Rule(
                "age-1",
                "expected a unit of time of UCUM, and a value above zero",
                lambda node: _measured(node) and _positive(node),
            ),
        ),
        "Attachment": (Rule("att-1", "expected a contentType with data", needs("data", "contentType")),),
        "ContactPoint": (Rule("cpt-2", "expected a system with the value", needs("value", "system")),),
        "Count": (_UNIT, Rule("cnt-3", "expected a whole number of the UCUM unit `1`", _counted)),
        "DataRequirementCodeFilter": (
            Rule(
                "drq-1", "expected a path or a searchParam, and not both", exactly_one("path", "searchParam")
            ),
        ),
        "DataRequirementDateFilter": (
            Rule(
                "drq-2", "expected a path or a searchParam, and not both", exactly_one("path", "searchParam")
            ),
        ),
        "Distance": (_UNIT, Rule("dis-1", "expected a unit of length of UCUM with the value", _measured)),
        "Duration": (
            _UNIT,
            Rule("drt-1", "expected a value and the UCUM system with the code", _duration_has_unit),
        ),
        "Expression": (
            Rule("exp-1", "expected an expression or a reference", any_of("expression", "reference")),
        ),
        "Extension": (Rule("ext-1", "expected either a value or extensions", _extension_says_one_thing),),
        "Period": (Rule("per-1", "expected the start before the end", ordered("start", "end")),),
        "Quantity": (_UNIT,),
        "Range": (Rule("rng-2", "expected low not above high", _range_rises),),
        "Ratio": (
            Rule("rat-1", "expected both numerator and denominator, or extensions instead", _ratio_is_whole),
        ),
        "TimingRepeat": (
            Rule("tim-1", "expected a durationUnit with the duration", needs("duration", "durationUnit")),
            Rule("tim-2", "expected a periodUnit with the period", needs("period", "periodUnit")),
            Rule("tim-4", "expected a duration that is not negative", not_negative("duration")),
            Rule("tim-5", "expected a period that is not negative", not_negative("period")),
            Rule("tim-6", "expected a period with periodMax", needs("periodMax", "period")),
            Rule("tim-7", "expected a duration with durationMax", needs("durationMax", "duration")),
            Rule("tim-8", "expected a count with countMax", needs("countMax", "count")),
            Rule("tim-9", "expected an event with the offset, no meal itself", _offset_has_event),
            Rule("tim-10", "expected timeOfDay or when, not both", not_both("timeOfDay", "when")),
        ),
        "TriggerDefinition": (
            Rule("trd-1", "expected timing or data, not both", _trigger_has_one_cause),
            Rule("trd-2", "expected data with the condition", needs("condition", "data")),
            Rule(
                "trd-3",
                "expected the name, the timing or the data that the type asks for",
                _trigger_fits_its_type,
            ),
        ),
    }
)
