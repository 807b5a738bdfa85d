"""The rules between the elements of one type.

http://hl7.org/fhir/R4/conformance-rules.html#constraints

Each is a constraint of the specification with the severity error, under its own key. Not all of them are
here: those of types that the store does not hold, and those that need a terminology server, are not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from fhirstore.elements import Code, codes_in, values_at
from fhirstore.times import interval_of
from fhirstore.validate.bundles import BUNDLE, BUNDLE_ENTRY

Node = Mapping[str, Any]
Kept = Callable[[Node], bool]

_UTC: Final = ZoneInfo("UTC")
_ENTERED_IN_ERROR: Final = "entered-in-error"
_ABATED: Final = frozenset({"inactive", "resolved", "remission"})
_MEALS: Final = frozenset({"C", "CM", "CD", "CV"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A constraint: its key in the specification, what it expects, and whether a node keeps it."""

    key: str
    expects: str
    kept: Kept


def _any(*names: str) -> Kept:
    return lambda node: any(name in node for name in names)


def _needs(name: str, *others: str) -> Kept:
    """Keep that where `name` stands one of the others stands too."""
    return lambda node: name not in node or any(other in node for other in others)


def _has_choice(node: Node, prefix: str) -> bool:
    return any(name.startswith(prefix) and name[len(prefix) : len(prefix) + 1].isupper() for name in node)


def _codes(node: Node, *path: str) -> set[str]:
    return {code.code for code in codes_in(values_at(node, (path,)))}


def _ordered(first: str, second: str) -> Kept:
    """Keep that the one date does not lie wholly after the other."""

    def kept(node: Node) -> bool:
        start, end = (
            interval_of(value, _UTC) if isinstance(value := node.get(name), str) else None
            for name in (first, second)
        )
        return start is None or end is None or start.start < end.end

    return kept


def _not_negative(name: str) -> Kept:
    return lambda node: not isinstance(value := node.get(name), (int, Decimal)) or value >= 0


def _no_home(path: str) -> Kept:
    return lambda node: "home" not in values_at(node, ((path, "use"),))


def _extension_says_one_thing(node: Node) -> bool:
    return _has_choice(node, "value") != ("extension" in node)


def _range_rises(node: Node) -> bool:
    low, high = node.get("low"), node.get("high")
    if not isinstance(low, dict) or not isinstance(high, dict):
        return True
    if any(low.get(name) != high.get(name) for name in ("system", "code", "unit")):
        return True
    least, most = low.get("value"), high.get("value")
    return not isinstance(least, (int, Decimal)) or not isinstance(most, (int, Decimal)) or least <= most


def _panel_has_no_own_value(node: Node) -> bool:
    own = set(_full_codes(node, "code"))
    return not _has_choice(node, "value") or own.isdisjoint(_full_codes(node, "component", "code"))


def _full_codes(node: Node, *path: str) -> tuple[Code, ...]:
    return codes_in(values_at(node, (path,)))


def _allergy_has_status(node: Node) -> bool:
    return "clinicalStatus" in node or _ENTERED_IN_ERROR in _codes(node, "verificationStatus")


def _no_status_in_error(node: Node) -> bool:
    return "clinicalStatus" not in node or _ENTERED_IN_ERROR not in _codes(node, "verificationStatus")


def _abated_is_not_active(node: Node) -> bool:
    return not _has_choice(node, "abatement") or bool(_codes(node, "clinicalStatus") & _ABATED)


def _offset_has_event(node: Node) -> bool:
    when = node.get("when")
    return "offset" not in node or (isinstance(when, list) and _MEALS.isdisjoint(map(str, when)))


def _members_are_actual(node: Node) -> bool:
    return "member" not in node or node.get("actual") is True


_QUANTITY: Final = (Rule("qty-3", "expected a system with the code of a unit", _needs("code", "system")),)

RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {
        "Age": _QUANTITY,
        "AllergyIntolerance": (
            Rule("ait-1", "expected a clinicalStatus, unless entered in error", _allergy_has_status),
            Rule("ait-2", "expected no clinicalStatus on what was entered in error", _no_status_in_error),
        ),
        "Attachment": (Rule("att-1", "expected a contentType with data", _needs("data", "contentType")),),
        "AuditEventEntity": (
            Rule(
                "sev-1", "expected a name or a query, not both", lambda n: not ("name" in n and "query" in n)
            ),
        ),
        "Bundle": tuple(Rule(*row) for row in BUNDLE),
        "BundleEntry": tuple(Rule(*row) for row in BUNDLE_ENTRY),
        "Condition": (
            Rule("con-4", "expected a clinicalStatus that fits the abatement", _abated_is_not_active),
            Rule("con-5", "expected no clinicalStatus on what was entered in error", _no_status_in_error),
        ),
        "ConditionEvidence": (Rule("con-2", "expected a code or a detail", _any("code", "detail")),),
        "ConditionStage": (
            Rule("con-1", "expected a summary or an assessment", _any("summary", "assessment")),
        ),
        "ContactPoint": (Rule("cpt-2", "expected a system with the value", _needs("value", "system")),),
        "Count": _QUANTITY,
        "Distance": _QUANTITY,
        "Duration": _QUANTITY,
        "Extension": (Rule("ext-1", "expected either a value or extensions", _extension_says_one_thing),),
        "Group": (Rule("grp-1", "expected members only of an actual group", _members_are_actual),),
        "ImmunizationEducation": (
            Rule("imm-1", "expected a documentType or a reference", _any("documentType", "reference")),
        ),
        "MedicationDispense": (
            Rule(
                "mdd-1", "expected handing over after preparing", _ordered("whenPrepared", "whenHandedOver")
            ),
        ),
        "Observation": (
            Rule(
                "obs-6",
                "expected no dataAbsentReason beside a value",
                lambda node: "dataAbsentReason" not in node or not _has_choice(node, "value"),
            ),
            Rule(
                "obs-7", "expected no value of a panel whose component has its code", _panel_has_no_own_value
            ),
        ),
        "ObservationReferenceRange": (
            Rule("obs-3", "expected low, high or text", _any("low", "high", "text")),
        ),
        "Organization": (
            Rule("org-1", "expected an identifier or a name", _any("identifier", "name")),
            Rule("org-2", "expected no home address of an organization", _no_home("address")),
            Rule("org-3", "expected no home contact of an organization", _no_home("telecom")),
        ),
        "PatientContact": (
            Rule(
                "pat-1",
                "expected a name, telecom, address or organization",
                _any("name", "telecom", "address", "organization"),
            ),
        ),
        "Period": (Rule("per-1", "expected the start before the end", _ordered("start", "end")),),
        "Quantity": _QUANTITY,
        "Range": (Rule("rng-2", "expected low not above high", _range_rises),),
        "Ratio": (
            Rule(
                "rat-1",
                "expected both numerator and denominator",
                lambda node: ("numerator" in node) == ("denominator" in node),
            ),
        ),
        "TimingRepeat": (
            Rule("tim-1", "expected a durationUnit with the duration", _needs("duration", "durationUnit")),
            Rule("tim-2", "expected a periodUnit with the period", _needs("period", "periodUnit")),
            Rule("tim-4", "expected a duration that is not negative", _not_negative("duration")),
            Rule("tim-5", "expected a period that is not negative", _not_negative("period")),
            Rule("tim-6", "expected a period with periodMax", _needs("periodMax", "period")),
            Rule("tim-7", "expected a duration with durationMax", _needs("durationMax", "duration")),
            Rule("tim-8", "expected a count with countMax", _needs("countMax", "count")),
            Rule("tim-9", "expected an event with the offset, no meal itself", _offset_has_event),
            Rule(
                "tim-10",
                "expected timeOfDay or when, not both",
                lambda node: not ("timeOfDay" in node and "when" in node),
            ),
        ),
    }
)
