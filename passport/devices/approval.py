"""The Consent by which a person lets a device collect, for the readings of its model and nothing else.

http://hl7.org/fhir/R4/consent.html
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from fhirmap.vitals import VITAL_SIGNS

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
_RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"

_CATEGORY: Final = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}


def consent(patient: str, device: str, readings: Collection[str], now: datetime) -> dict[str, Any]:
    """The approval of a device as a Consent resource, `active`.

    Args:
        patient: reference of the person, `Patient/…`.
        device: reference of the device, `Device/…`.
        readings: the kinds of reading that the device's model takes.
        now: the instant of the approval.

    The provision names Provenance beside Observation, since a device states where its readings come from, and
    carves out every Observation that is not coded as one of its readings. A gateway that takes none of its own gets
    no Observation at all: what it forwards is each device's own.
    """
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": f"{_TERMINOLOGY}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [_CATEGORY]}],
        "patient": {"reference": patient},
        "dateTime": now.isoformat(timespec="seconds"),
        "policyRule": {"coding": [{"system": f"{_TERMINOLOGY}/v3-ActCode", "code": "OPTIN"}]},
        "provision": {
            "type": "permit",
            "actor": [
                {
                    "role": {"coding": [{"system": f"{_TERMINOLOGY}/v3-ParticipationType", "code": "AUT"}]},
                    "reference": {"reference": device},
                }
            ],
            "action": [{"coding": [{"system": f"{_TERMINOLOGY}/consentaction", "code": "collect"}]}],
            "purpose": [{"system": f"{_TERMINOLOGY}/v3-ActReason", "code": "PATRQT"}],
            **(_of_readings(readings) if readings else {"class": [_class("Provenance")]}),
        },
    }


def _of_readings(readings: Collection[str]) -> dict[str, Any]:
    carved = {
        "type": "deny",
        "class": [_class("Observation")],
        "provision": [{"type": "permit", "code": _codes(readings)}],
    }
    return {"class": [_class("Observation"), _class("Provenance")], "provision": [carved]}


def _class(name: str) -> dict[str, str]:
    return {"system": _RESOURCE_TYPES, "code": name}


def _codes(readings: Collection[str]) -> list[dict[str, Any]]:
    """The first code of each vital sign, which every Observation made of one carries."""
    return [
        {"coding": [{"system": vital.codes[0].system, "code": vital.codes[0].code}]}
        for kind in sorted(readings)
        for vital in VITAL_SIGNS[kind]
    ]
