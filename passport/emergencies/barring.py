"""Barring emergencies: a person says that no opening shows them, or some of their records.

http://hl7.org/fhir/R4/consent.html

A bar is a Consent that denies purpose BTG, nothing else; whoever withdraws it takes it back. A provision without class
does not cover what has to be named to be shared, so a bar for everything is two Consents.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from consent import systems
from consent.model import Action
from passport.admission import Request, admitted
from passport.audit.query import recorded
from passport.emergencies.openings import EMERGENCIES
from passport.identity.purposes import EMERGENCY
from passport.intake import write
from passport.members import check_members
from passport.outcomes import Refused
from passport.pieces import Write
from passport.records import written_instant
from passport.runtime import Runtime
from passport.sharing.categories import classes_of
from passport.subjects import Caller

Classes = Sequence[Mapping[str, str]]

_CATEGORY: Final = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}
_NAMED: Final = [
    {"system": systems.RESOURCE_TYPES, "code": name} for name in sorted(systems.UNNAMED_EXCLUDED)
]


def barred(tree: Mapping[str, Any]) -> Classes:
    """Read the body of a bar: what it is for, nothing where it is for everything.

    Raises:
        Invalid: an unknown member, or no list of known categories.
    """
    check_members(tree, {"categories"})
    return classes_of(tree["categories"]) if "categories" in tree else []


async def bar(runtime: Runtime, caller: Caller, classes: Classes) -> list[str]:
    """Write the Consents of a bar for the caller's own passport; their references.

    Raises:
        Refused: it is nobody's own, or not with these scopes.
        Invalid: a class is none.
    """
    text = recorded("POST", f"{EMERGENCIES}/bars")
    request = Request(Action.COLLECT, "create", text, isolation="write")
    async with admitted(runtime, caller, request) as desk:
        patient = desk.subject.patient
        if patient is None:
            raise Refused
        writes = [Write("create", "Consent", tree) for tree in _consents(patient, classes, desk.now)]
        return [written.reference for written in await write(desk, writes, commit=True)]


def _consents(patient: str, classes: Classes, now: datetime) -> Iterator[dict[str, Any]]:
    for listed in [classes] if classes else [[], _NAMED]:
        yield {
            "resourceType": "Consent",
            "status": "active",
            "scope": _concept(systems.CONSENT_SCOPE, "patient-privacy"),
            "category": [{"coding": [_CATEGORY]}],
            "patient": {"reference": patient},
            "dateTime": written_instant(now),
            "policyRule": _concept(systems.ACT_CODE, "OPTOUT"),
            "provision": {
                "type": "deny",
                "purpose": [{"system": systems.ACT_REASON, "code": EMERGENCY}],
                **({"class": list(listed)} if listed else {}),
            },
        }


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}
