"""The Consents of sharing: what is asked, what is granted, and what remains of it afterwards.

http://hl7.org/fhir/R4/consent.html

Whatever is written here is an ordinary Consent: its person reads, changes and ends it by FHIR as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent import systems
from consent.model import Consent, Effect
from consent.read import read_consent
from passport.outcomes import Conflict
from passport.sharing import presets
from passport.sharing.presets import Preset
from passport.sharing.terms import Tree, ordinary, with_attributes
from passport.sharing.wording import Wording

REASON: Final = "urn:healthcare-passport:sharing-reason"
"""The extension that says in the requester's words why they ask."""

_CATEGORY: Final = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}
_OPT_IN: Final = {"system": systems.ACT_CODE, "code": "OPTIN"}
_KEPT: Final = ("id", "meta", "scope", "category", "identifier")
"""What of a request is no claim about anything, and stays when it is granted; its provision apart."""

_SAID: Final = frozenset({"display", "text"})
_PERFORMERS: Final = ("Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson")


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is shared: a provision with its recipient, what its person was shown, and an end of their own."""

    provision: Tree
    wording: Wording
    until: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person makes of a request: other attributes, what they were shown, and an end of their own.

    `labelled` tells that they say up to which confidentiality they share; who does not shares nothing restricted.
    """

    changed: Mapping[str, Any]
    labelled: bool
    wording: Wording
    until: str | None


def proposed(patient: str, by: str, provision: Tree, reason: str, now: datetime) -> Tree:
    """What somebody asks of a patient; it gives nothing before the patient makes it active."""
    return {
        **_consent("proposed", patient, provision, now),
        "extension": [{"url": REASON, "valueString": reason}],
        **_performed(by),
    }


def offered(patient: str, by: str, agreed: Agreed, now: datetime, zone: ZoneInfo) -> Tree:
    """What a person grants unasked, by themselves or by whoever acts for them."""
    tree = {**_consent("active", patient, agreed.provision, now), **_performed(by if by == patient else "")}
    return _agreed(tree, agreed, now, zone)


def answered(asked: Mapping[str, Any], answer: Answer, by: str, now: datetime, zone: ZoneInfo) -> Tree:
    """What was asked, granted as the person has changed it.

    Raises:
        Conflict: it waits for no answer any more, or what it asks is not to be shown something.
        Invalid: it asks for what is restricted, and its person does not say that they share that.
    """
    check_waits(asked)
    if _effect(asked, zone) is not Effect.PERMIT:
        raise Conflict("got a request to hide something, expected one that is granted by sharing")
    provision = {**_unsaid(asked["provision"]), "type": str(Effect.PERMIT)}
    kept = {name: asked[name] for name in _KEPT if name in asked}
    patient = asked["patient"]["reference"]
    reasons = [one for one in asked.get("extension", ()) if one.get("url") == REASON]
    tree = {
        **_consent("active", patient, provision, now),
        **kept,
        **({"extension": reasons} if reasons else {}),
        **_performed(by if by == patient else ""),
    }
    changed = with_attributes(provision, answer.changed)
    granted = Agreed(changed if answer.labelled else ordinary(changed), answer.wording, answer.until)
    return _agreed(tree, granted, now, zone)


def _effect(tree: Mapping[str, Any], zone: ZoneInfo) -> Effect | None:
    """What a Consent does as the engine reads it; None where it does not read it."""
    read = read_consent(tree, reference=f"Consent/{tree.get('id')}", version=1, zone=zone)
    return read.root.effect if isinstance(read, Consent) and read.root is not None else None


def _unsaid(tree: Any) -> Any:
    """What was asked without the names that its requester gave to it: nothing of them is what its person says."""
    if isinstance(tree, Mapping):
        return {name: _unsaid(value) for name, value in tree.items() if name not in _SAID}
    return [_unsaid(one) for one in tree] if isinstance(tree, list) else tree


def check_waits(asked: Mapping[str, Any]) -> None:
    """Refuse to answer what was answered.

    Raises:
        Conflict: it is no request, or waits no more.
    """
    if asked.get("status") != "proposed":
        raise Conflict("got a request that was answered already, expected one that waits")


def reason_of(tree: Mapping[str, Any]) -> str | None:
    """Why somebody asks, in their words."""
    extensions = tree.get("extension", ())
    return next((one.get("valueString") for one in extensions if one.get("url") == REASON), None)


def preset_in(tree: Mapping[str, Any]) -> str | None:
    """The preset that a Consent was granted by."""
    codings = tree.get("policyRule", {}).get("coding", ())
    return next((one.get("code") for one in codings if one.get("system") == presets.SYSTEM), None)


def _consent(status: str, patient: str, provision: Tree, now: datetime) -> Tree:
    return {
        "resourceType": "Consent",
        "status": status,
        "scope": {"coding": [{"system": systems.CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [_CATEGORY]}],
        "patient": {"reference": patient},
        "dateTime": presets.instant(now),
        "policyRule": {"coding": [_OPT_IN]},
        "provision": provision,
    }


def _performed(by: str) -> Tree:
    return {"performer": [{"reference": by}]} if by.partition("/")[0] in _PERFORMERS else {}


def _agreed(tree: Tree, agreed: Agreed, now: datetime, zone: ZoneInfo) -> Tree:
    """The Consent with what was shown: the text, its hash, the preset, and the first of all ends."""
    wording, provision = agreed.wording, agreed.provision
    ends = (
        provision.get("period", {}).get("end"),
        agreed.until,
        presets.ending(wording.preset, now, zone),
    )
    return {
        **tree,
        "policy": [{"uri": wording.uri}],
        "policyRule": {"coding": [_OPT_IN, _preset(wording.preset, wording.version)]},
        "sourceAttachment": wording.attachment,
        "provision": {**provision, "period": presets.period(ends, now, zone)},
    }


def _preset(preset: Preset, version: str) -> dict[str, str]:
    return {"system": presets.SYSTEM, "version": version, "code": str(preset)}
