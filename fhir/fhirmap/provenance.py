"""Who and what a stored record comes from.

https://hl7.org/fhir/R4/provenance.html
"""

from collections.abc import Sequence
from datetime import datetime

from fhirmap.jsonformat import Json, present

AGENT_TYPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
ACTIVITY_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


def provenance(
    targets: Sequence[str],
    *,
    author: str,
    patient: str,
    recorded: datetime,
    enterer: str | None = None,
    assembler: str | None = None,
) -> Json:
    """Return the Provenance of newly created records.

    Args:
        targets: references of the records, at least one.
        author: reference of what made them: the device, or the pharmacy of an imported file.
        patient: reference of the person on whose behalf the author acts.
        recorded: when the passport wrote them, with zone.
        enterer: reference of who handed them in, where that is not the author.
        assembler: reference of the device that put them together and vouched for them in the author's place, such as
            the phone of a cuff that cannot sign.
    """
    agents = [{**_agent("author", "Author", author), "onBehalfOf": {"reference": patient}}]
    if enterer is not None:
        agents.append(_agent("enterer", "Enterer", enterer))
    if assembler is not None:
        agents.append(_agent("assembler", "Assembler", assembler))
    return present(
        {
            "resourceType": "Provenance",
            "target": [{"reference": target} for target in targets],
            "recorded": recorded.isoformat(timespec="milliseconds"),
            "activity": {"coding": [{"system": ACTIVITY_SYSTEM, "code": "CREATE", "display": "create"}]},
            "agent": agents,
        }
    )


def _agent(code: str, display: str, who: str) -> Json:
    kind = {"coding": [{"system": AGENT_TYPE_SYSTEM, "code": code, "display": display}]}
    return {"type": kind, "who": {"reference": who}}
