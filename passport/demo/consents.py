"""The consents of the town: what residents share, what a physician asks for, and the policies of the city.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

Tree = dict[str, Any]

BLOOD_PRESSURE: Final = ("http://loinc.org", "85354-9")
MEDICINES: Final = ("MedicationRequest", "MedicationDispense", "MedicationStatement")
HANDED_OVER: Final = (*MEDICINES, "AllergyIntolerance", "Condition", "Provenance")
"""What a medication handbook becomes, and where it came from."""

GRANTED_DAYS: Final = 92
"""Three months, whichever they are."""

# A provision that names no class does not cover these.
APART: Final = ("Consent", "Provenance", "RelatedPerson", "CareTeam", "Group")

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
_WRITING: Final = frozenset({"collect", "correct"})


def blood_pressure_and_medicines(patient: str, physician: str, until: date, *, status: str) -> Tree:
    """For three months: medicines, and of the observations blood pressure alone."""
    provision = permit([physician], "TREAT", classes=("Observation", *MEDICINES))
    provision["period"] = {"end": until.isoformat()}
    provision["provision"] = [_only_blood_pressure()]
    return consent(provision, patient, status=status)


def blood_pressure_alone(patient: str, service: str) -> Tree:
    """What a telemedicine service for high blood pressure needs, and nothing beside it."""
    provision = permit([service], "TREAT", classes=("Observation",))
    provision["code"] = [_coded(BLOOD_PRESSURE)]
    return consent(provision, patient)


def handing_over(patient: str, pharmacy: str) -> Tree:
    """The pharmacy may hand over what it dispensed; reading is another matter."""
    return consent(permit([pharmacy], "TREAT", actions=("collect",), classes=HANDED_OVER), patient)


def everything_for(patient: str, proxy: str) -> tuple[Tree, ...]:
    """A proxy sees all there is, and may answer requests on the patient's behalf."""
    return (
        consent(permit([proxy], "FAMRQT"), patient),
        consent(permit([proxy], "FAMRQT", classes=APART), patient),
        consent(permit([proxy], "FAMRQT", actions=("collect", "correct"), classes=("Consent",)), patient),
    )


def emergency_policy(organization: str) -> Tree:
    """The emergency department may open a passport: all of it, for one patient, with a reason."""
    return consent(permit([organization], "BTG"))


def sandbox_policies(organization: str) -> tuple[Tree, ...]:
    """Every type, read and write, for conformance suites."""
    return tuple(
        consent(permit([organization], "TREAT", actions=actions, classes=classes))
        for actions in (("access",), ("collect", "correct"))
        for classes in ((), (*APART, "Subscription"))
    )


def permit(
    actors: Sequence[str], purpose: str, *, actions: Sequence[str] = ("access",), classes: Sequence[str] = ()
) -> Tree:
    """A permit at the root; without classes it covers every type but those that are to be named."""
    role = "AUT" if _WRITING & set(actions) else "IRCP"
    tree: Tree = {
        "type": "permit",
        "actor": [
            {
                "role": {"coding": [{"system": f"{_TERMINOLOGY}/v3-ParticipationType", "code": role}]},
                "reference": {"reference": actor},
            }
            for actor in actors
        ],
        "action": [_coded((f"{_TERMINOLOGY}/consentaction", action)) for action in actions],
        "purpose": [{"system": f"{_TERMINOLOGY}/v3-ActReason", "code": purpose}],
    }
    if classes:
        tree["class"] = [_class(name) for name in classes]
    return tree


def consent(provision: Tree, patient: str | None = None, *, status: str = "active") -> Tree:
    """A Consent around a provision; without patient it is a policy."""
    tree: Tree = {
        "resourceType": "Consent",
        "status": status,
        "scope": _coded((f"{_TERMINOLOGY}/consentscope", "patient-privacy")),
        "category": [_coded(("http://loinc.org", "59284-0"))],
        "policyRule": _coded((f"{_TERMINOLOGY}/v3-ActCode", "OPTIN")),
        "provision": provision,
    }
    if patient is not None:
        tree["patient"] = {"reference": patient}
    return tree


def _only_blood_pressure() -> Tree:
    inner: Tree = {"type": "permit", "code": [_coded(BLOOD_PRESSURE)]}
    return {"type": "deny", "class": [_class("Observation")], "provision": [inner]}


def _class(name: str) -> Tree:
    return {"system": _RESOURCE_TYPES, "code": name}


def _coded(coding: tuple[str, str]) -> Tree:
    system, code = coding
    return {"coding": [{"system": system, "code": code}]}
