"""The rules of persons, organizations, consents and the log.

http://hl7.org/fhir/R4/administration-module.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.elements import values_at
from fhirstore.validate.invariants.rule import Kept, Node, Rule, any_of, has, not_both


def _no_home(path: str) -> Kept:
    return lambda node: "home" not in values_at(node, ((path, "use"),))


def _members_are_actual(node: Node) -> bool:
    return "member" not in node or node.get("actual") is True


def _parameter_says_one_thing(node: Node) -> bool:
    value = any(name.lstrip("_").startswith("value") for name in node)
    return [value, has(node, "resource"), has(node, "part")].count(True) == 1


RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType(
    {
        "AuditEventEntity": (
            Rule("sev-1", "expected a name or a query, not both", not_both("name", "query")),
        ),
        "Consent": (Rule("ppc-1", "expected a policy or a policyRule", any_of("policy", "policyRule")),),
        "Group": (Rule("grp-1", "expected members only of an actual group", _members_are_actual),),
        "Organization": (
            Rule("org-1", "expected an identifier or a name", any_of("identifier", "name")),
            Rule("org-2", "expected no home address of an organization", _no_home("address")),
            Rule("org-3", "expected no home contact of an organization", _no_home("telecom")),
        ),
        "ParametersParameter": (
            Rule("inv-1", "expected one of value, resource and part", _parameter_says_one_thing),
        ),
        "PatientContact": (
            Rule(
                "pat-1",
                "expected a name, telecom, address or organization",
                any_of("name", "telecom", "address", "organization"),
            ),
        ),
    }
)
