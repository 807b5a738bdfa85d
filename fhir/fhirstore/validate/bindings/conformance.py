"""Required bindings of security, subscriptions and terminology.

http://hl7.org/fhir/R4/security-module.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhirstore.validate.bindings.value_sets import FILTER_OPERATOR, PUBLICATION_STATUS, codes

CODES: Final[Mapping[tuple[str, str], frozenset[str]]] = MappingProxyType(
    {
        ("AuditEvent", "action"): codes("C R U D E"),
        ("AuditEvent", "outcome"): codes("0 4 8 12"),
        ("AuditEventAgentNetwork", "type"): codes("1 2 3 4 5"),
        ("CodeSystem", "content"): codes("not-present example fragment complete supplement"),
        ("CodeSystem", "hierarchyMeaning"): codes("grouped-by is-a part-of classified-with"),
        ("CodeSystem", "status"): PUBLICATION_STATUS,
        ("CodeSystemFilter", "operator"): FILTER_OPERATOR,
        ("CodeSystemProperty", "type"): codes("code Coding string integer boolean dateTime decimal"),
        ("Consent", "status"): codes("draft proposed active rejected inactive entered-in-error"),
        ("ConsentProvision", "type"): codes("deny permit"),
        ("ConsentProvisionData", "meaning"): codes("instance related dependents authoredby"),
        ("OperationOutcomeIssue", "code"): codes(
            """
            invalid structure required value invariant security login unknown expired forbidden suppressed
            processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid
            extension too-costly business-rule conflict transient lock-error no-store exception timeout
            incomplete throttled informational
            """
        ),
        ("OperationOutcomeIssue", "severity"): codes("fatal error warning information"),
        ("ProvenanceEntity", "role"): codes("derivation revision quotation source removal"),
        ("Subscription", "status"): codes("requested active error off"),
        ("SubscriptionChannel", "type"): codes("rest-hook websocket email sms message"),
        ("ValueSet", "status"): PUBLICATION_STATUS,
        ("ValueSetComposeIncludeFilter", "op"): FILTER_OPERATOR,
    }
)
