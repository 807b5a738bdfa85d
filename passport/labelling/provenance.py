"""Who changed the labels of a record, and why.

http://hl7.org/fhir/R4/provenance.html
"""

from collections.abc import Mapping
from typing import Any, Final

from fhirstore.parse import Tree
from passport.audit.event import SERVICE

__all__ = ["RELABELLED", "SERVICE", "TAKEN_AWAY", "provenance"]

DATA_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"

RELABELLED: Final = "relabelling"
TAKEN_AWAY: Final = "labels taken away"


def provenance(target: str, *, activity: str, agent: Mapping[str, str], recorded: str, reason: str) -> Tree:
    """The Provenance of a version that differs from the one before by its labels alone.

    Args:
        target: the record, or that version of it.
        activity: `RELABELLED` or `TAKEN_AWAY`; which labels they are says the record itself, to whoever may see it.
        agent: a Reference to who changed them.
        recorded: the instant, as FHIR writes it.
        reason: why, in words.
    """
    coding = {"system": DATA_OPERATION, "code": "UPDATE"}
    tree: dict[str, Any] = {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": recorded,
        "reason": [{"text": reason}],
        "activity": {"coding": [coding], "text": activity},
        "agent": [{"who": dict(agent)}],
    }
    return tree
