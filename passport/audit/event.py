"""An audit row as FHIR AuditEvent: rendered when it is read, never stored.

http://hl7.org/fhir/R4/auditevent.html
https://profiles.ihe.net/ITI/BALP/content.html
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from consent.systems import ACT_REASON, PARTICIPATION, RESOURCE_TYPES
from passport.audit.actions import DCM, OUTCOMES, Coding, shown
from passport.audit.log import Logged
from passport.audit.names import Named
from passport.records import written_instant

ENTITY_TYPES: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
OBJECT_ROLES: Final = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPES: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"

PERSON: Final = Coding(ENTITY_TYPES, "1", "Person")
SYSTEM_OBJECT: Final = Coding(ENTITY_TYPES, "2", "System Object")
PATIENT_ROLE: Final = Coding(OBJECT_ROLES, "1", "Patient")
DOMAIN_RESOURCE: Final = Coding(OBJECT_ROLES, "4", "Domain Resource")
QUERY_ROLE: Final = Coding(OBJECT_ROLES, "24", "Query")
POLICY_ROLE: Final = Coding(OBJECT_ROLES, "13", "Security Resource")
APPLICATION_SERVER: Final = Coding(SOURCE_TYPES, "4", "Application Server")
CONSENT: Final = Coding(RESOURCE_TYPES, "Consent", "Consent")

RECIPIENT: Final = Coding(PARTICIPATION, "IRCP", "information recipient")
CUSTODIAN: Final = Coding(PARTICIPATION, "CST", "custodian")
BENEFICIARY: Final = Coding(PARTICIPATION, "BEN", "beneficiary")
SOURCE_APPLICATION: Final = Coding(DCM, "110153", "Source Role ID")

ACTION_CODES: Final = "CodeSystem/audit-action"
"""Below the FHIR base: the service's own names of actions."""

SERVICE: Final = {"display": "Healthcare data passport"}

MISSING_SCOPE: Final = "missing scope"
"""What a session lacked that was refused for want of it; those that let one through are the agent's policies."""

NOBODY_SIGNED_IN: Final = "nobody signed in"


def audit_event(row: Logged, names: Mapping[int, Named], *, fhir_url: str) -> dict[str, Any]:
    """Return the AuditEvent of a row.

    Args:
        row: the row.
        names: what the records of its keys are called; one that is missing was erased and is left out.
        fhir_url: the FHIR base, for the code system of the service's own actions.
    """
    action = shown(row.action)
    own = {"system": f"{fhir_url}/{ACTION_CODES}", "code": row.action}
    instant = written_instant(row.place.recorded)
    tree: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": row.place.id,
        "meta": {"versionId": "1", "lastUpdated": instant},
        "type": action.type.tree,
        "subtype": [*([action.subtype.tree] if action.subtype else []), own],
        "action": action.verb,
        "recorded": instant,
        "outcome": OUTCOMES.get(row.outcome, "8"),
        "outcomeDesc": f"{row.outcome}: {row.detail}" if row.detail else row.outcome,
    }
    if row.purpose:
        tree["purposeOfEvent"] = [{"coding": [{"system": ACT_REASON, "code": row.purpose}]}]
    tree["agent"] = list(_agents(row))
    tree["source"] = {"observer": SERVICE, "type": [APPLICATION_SERVER.tree]}
    entities = list(_entities(row, names))
    return {**tree, "entity": entities} if entities else tree


def behalf_of(row: Logged) -> str | None:
    """For whom the caller acted: a proxy acts for the patient whose log the row is in."""
    return row.behalf_of or (row.patient if row.kind == "proxy" else None)


def _agents(row: Logged) -> Iterator[dict[str, Any]]:
    policies = {"policy": list(row.scopes)} if row.scopes and row.outcome != "refused" else {}
    yield {"type": _concept(RECIPIENT), "who": _who(row.subject), "requestor": True, **policies}
    if row.role and row.role != row.subject:
        yield {"type": _concept(RECIPIENT), "who": _who(row.role), "requestor": False}
    if row.client:
        yield {"type": _concept(SOURCE_APPLICATION), "who": _who(row.client), "requestor": False}
    if person := behalf_of(row):
        yield {"type": _concept(BENEFICIARY), "who": _who(person), "requestor": False}
    yield {"type": _concept(CUSTODIAN), "who": SERVICE, "requestor": False}


def _who(reference: str | None) -> dict[str, str]:
    """A reference, or in words who is no resource: a person of the city, nobody, somebody by a pseudonym."""
    if reference is not None and reference[:1].isupper():
        return {"reference": reference}
    return {"display": reference or NOBODY_SIGNED_IN}


def _entities(row: Logged, names: Mapping[int, Named]) -> Iterator[dict[str, Any]]:
    if row.patient:
        yield {"what": _who(row.patient), "type": PERSON.tree, "role": PATIENT_ROLE.tree}
    if row.query:
        query = b64encode(row.query.encode()).decode()
        yield {"type": SYSTEM_OBJECT.tree, "role": QUERY_ROLE.tree, "query": query}
    if row.scopes and row.outcome == "refused":
        lacking = [{"type": MISSING_SCOPE, "valueString": scope} for scope in row.scopes]
        yield {"type": SYSTEM_OBJECT.tree, "role": POLICY_ROLE.tree, "detail": lacking}
    for reference in versioned(row, names):
        yield {"what": _who(reference), "type": SYSTEM_OBJECT.tree, "role": DOMAIN_RESOURCE.tree}
    for grant in row.grants:
        yield {
            "what": {"reference": grant},
            "type": CONSENT.tree,
            "role": POLICY_ROLE.tree,
            "description": "the consent that permitted this",
        }


def versioned(row: Logged, names: Mapping[int, Named]) -> Iterator[str]:
    """The records of a row as `Type/id/_history/version`."""
    versions = dict(zip(row.record_keys, row.versions, strict=False))
    for key in row.record_keys:
        if key in names:
            version = versions.get(key)
            yield row.called(names[key].reference) + (f"/_history/{version}" if version else "")


def _concept(coding: Coding) -> dict[str, Any]:
    return {"coding": [coding.tree]}
