"""What an audit row's action is called in FHIR: type, subtype, and whether it created, read, changed or deleted.

http://hl7.org/fhir/R4/auditevent.html
https://profiles.ihe.net/ITI/BALP/content.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

EVENT_TYPES: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTIONS: Final = "http://hl7.org/fhir/restful-interaction"
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"

Verb = Literal["C", "R", "U", "D", "E"]
"""http://hl7.org/fhir/audit-event-action"""


@dataclass(frozen=True, slots=True)
class Coding:
    """A code with its system."""

    system: str
    code: str
    display: str

    @property
    def tree(self) -> dict[str, str]:
        """The element."""
        return {"system": self.system, "code": self.code, "display": self.display}


@dataclass(frozen=True, slots=True)
class Shown:
    """An action as FHIR says it; `subtype` is None where only the service's own code says more."""

    verb: Verb
    type: Coding
    subtype: Coding | None = None


REST: Final = Coding(EVENT_TYPES, "rest", "RESTful Operation")
AUTHENTICATION: Final = Coding(DCM, "110114", "User Authentication")
SECURITY_ALERT: Final = Coding(DCM, "110113", "Security Alert")
AUDIT_LOG_USED: Final = Coding(DCM, "110101", "Audit Log Used")


def _rest(verb: Verb, code: str) -> Shown:
    return Shown(verb, REST, Coding(INTERACTIONS, code, code))


ACTIONS: Final[Mapping[str, Shown]] = {
    "read": _rest("R", "read"),
    "vread": _rest("R", "vread"),
    "history": _rest("R", "history-instance"),
    # A search executes a query (BALP, PatientQuery).
    "search": _rest("E", "search-type"),
    "search-system": _rest("E", "search-system"),
    "create": _rest("C", "create"),
    "update": _rest("U", "update"),
    "delete": _rest("D", "delete"),
    "batch": _rest("E", "batch"),
    "transaction": _rest("E", "transaction"),
    "consent-change": _rest("U", "update"),
    "sign-in": Shown("E", AUTHENTICATION, Coding(DCM, "110122", "Login")),
    "sign-out": Shown("E", AUTHENTICATION, Coding(DCM, "110123", "Logout")),
    "token": Shown("E", AUTHENTICATION, Coding(DCM, "110122", "Login")),
    "authorize": Shown("E", AUTHENTICATION),
    "recovery": Shown("E", AUTHENTICATION),
    "passkey-register": Shown("C", AUTHENTICATION),
    "passkey-remove": Shown("D", AUTHENTICATION),
    "passkey-rename": Shown("U", AUTHENTICATION),
    "break-glass": Shown("E", SECURITY_ALERT, Coding(DCM, "110127", "Emergency Override Started")),
    "emergency-end": Shown("E", SECURITY_ALERT, Coding(DCM, "110138", "Emergency Override Stopped")),
    "emergency-read": Shown("R", AUDIT_LOG_USED),
    "audit-read": Shown("R", AUDIT_LOG_USED),
    "replay": Shown("R", AUDIT_LOG_USED),
    "meta-add": _rest("U", "update"),
    "meta-delete": _rest("U", "update"),
    "relabel": _rest("U", "update"),
    "backup": Shown("R", Coding(DCM, "110106", "Export")),
    "restore": Shown("C", Coding(DCM, "110107", "Import")),
    "merge": _rest("U", "update"),
    "unmerge": _rest("U", "update"),
    "death-recorded": _rest("U", "update"),
    "death-taken-back": _rest("U", "update"),
}
"""Actions by name; one that is not listed is shown as an execution with the service's own code."""

OTHER: Final = Shown("E", REST)

AUDIT_READ: Final = "audit-read"
REPLAY: Final = "replay"
BREAK_GLASS: Final = "break-glass"
DUPLICATES: Final = "duplicates"
META_ADD: Final = "meta-add"
META_DELETE: Final = "meta-delete"
RELABEL: Final = "relabel"
BACKUP: Final = "backup"
RESTORE: Final = "restore"
MERGE: Final = "merge"
MERGE_PROPOSED: Final = "merge-proposed"
MERGE_DECLINED: Final = "merge-declined"
UNMERGE: Final = "unmerge"
DEATH_RECORDED: Final = "death-recorded"
DEATH_TAKEN_BACK: Final = "death-taken-back"

OWN_BUSINESS: Final = (
    *(AUDIT_READ, "authorize", "token", "sign-in", "sign-out"),
    *("passkey-register", "passkey-remove", "passkey-rename", "recovery"),
    *("sign-in-link", "sign-in-unlink", "attributes-take", "attributes-forget"),
)
"""What a resident does about their own session and log: kept, and no access that they would ask about."""


def shown(action: str) -> Shown:
    """Return how FHIR says an action."""
    return ACTIONS.get(action, OTHER)


OUTCOME_SYSTEM: Final = "http://hl7.org/fhir/audit-event-outcome"

OUTCOMES: Final[Mapping[str, str]] = {
    "success": "0",
    "refused": "4",
    "not-found": "4",
    "invalid": "4",
    "error": "8",
}
"""What each outcome is in that system: 4 is what HTTP says with 400 to 499, 8 with 500 and above."""
