"""Reading a Consent: into provisions that can be enforced, or into every reason why they cannot be.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from consent import systems
from consent.element import Element, Issue
from consent.model import Coding, Consent, Effect, Provision, Status
from consent.provision import read_provision

_ELEMENTS: Final = """
resourceType id meta language text contained extension identifier status scope category patient dateTime
performer organization sourceAttachment sourceReference policy policyRule verification provision
"""
# What stands beside the provisions tells of the consent (who signed what, when) and is no condition.
_KNOWN: Final = frozenset(_ELEMENTS.split())
_EVALUATED: Final = frozenset({Status.ACTIVE, Status.PROPOSED})


def read_consent(
    resource: Mapping[str, object], *, reference: str, version: int, zone: ZoneInfo
) -> Consent | list[Issue]:
    """One version of a consent as provisions.

    Args:
        resource: the parsed JSON of a FHIR R4 Consent.
        reference: its own reference, `Consent/id`.
        version: its version.
        zone: the passport's time zone, for dates without time of day.

    Returns:
        The consent, or all issues for which it must be refused (422). Of a status other than `active` and
        `proposed` the provisions are not read: withdrawing a consent never fails for what it says.
    """
    issues: list[Issue] = []
    element = Element(resource, "Consent", issues)
    stated = element.child("status")
    status = stated.choice(Status) if stated else None
    if stated is None:
        element.fault("got a consent without status, expected one")
    patient = element.child("patient")
    owner = patient.reference({"Patient"}) if patient else None
    root = _root(element, zone) if status in _EVALUATED else None
    if issues or status is None:
        return issues
    return Consent(reference=reference, version=version, patient=owner, status=status, root=root)


def _root(element: Element, zone: ZoneInfo) -> Provision | None:
    element.members(_KNOWN | {f"_{name}" for name in _KNOWN})
    _check_verification(element)
    if not _is_patient_privacy(element):
        if provision := element.child("provision"):
            provision.fault("got provisions under another scope, expected `patient-privacy`")
        return None
    effect = _effect(element)
    provision = element.child("provision") or Element({"id": "absent"}, "Consent.provision", element.issues)
    return read_provision(provision, effect, zone) if effect else None


def _check_verification(element: Element) -> None:
    for entry in element.items("verification"):
        verified = entry.child("verified")
        if verified is None or verified.value is not True:
            entry.fault("got a verification that is not verified, expected `true`")


def _codings(element: Element, name: str) -> frozenset[Coding]:
    """The codings of a concept beside the provisions; what cannot be compared there is no fault."""
    found = element.child(name)
    if found is None:
        return frozenset()
    return frozenset(coding for _, coding in Element(found.value, found.path, []).concept())


def _is_patient_privacy(element: Element) -> bool:
    return _codings(element, "scope") == {Coding(systems.CONSENT_SCOPE, "patient-privacy")}


def _effect(element: Element) -> Effect | None:
    """The root's type: its own, or what the policy rule makes of a consent that states none."""
    rules = _codings(element, "policyRule")
    opts_in, opts_out = (Coding(systems.ACT_CODE, code) in rules for code in ("OPTIN", "OPTOUT"))
    provision = element.child("provision")
    stated = provision.child("type") if provision else None
    if stated is not None:
        effect = stated.choice(Effect)
        if effect is Effect.PERMIT and opts_out:
            stated.fault("got `permit` under the policy rule OPTOUT, expected `deny`")
        return effect
    if opts_in == opts_out:
        element.fault("got no type of the root provision, expected it or one policy rule, OPTIN or OPTOUT")
        return None
    return Effect.PERMIT if opts_in else Effect.DENY
