"""Consents, records and requests in few words, for tests that read like the definition."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent.element import Issue
from consent.model import (
    Action,
    Coding,
    Confidentiality,
    Consent,
    Interval,
    Purpose,
    Record,
    Request,
)
from consent.read import read_consent
from consent.systems import ATC, CONFIDENTIALITY, CONSENT_SCOPE, LOINC, RESOURCE_TYPES

Json = dict[str, Any]

TOKYO: Final = ZoneInfo("Asia/Tokyo")
NOW: Final = datetime(2026, 7, 1, 3, tzinfo=UTC)
YJ: Final = "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"
VITAL_SIGNS: Final = Coding("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs")

P1, P2 = "Patient/p1", "Patient/p2"
DR_A: Final = "Practitioner/a"
DR_B: Final = "Practitioner/b"
ORG_H: Final = "Organization/h"
ORG_K: Final = "Organization/k"
ED: Final = "Organization/ed"

A_AT_H: Final = frozenset({DR_A, "PractitionerRole/a-at-h", ORG_H})
B_AT_H: Final = frozenset({DR_B, "PractitionerRole/b-at-h", ORG_H})


def coding(system: str, code: str) -> Json:
    return {"system": system, "code": code}


def concept(*codings: Coding | tuple[str, str]) -> Json:
    return {"coding": [coding(*one) for one in codings]}


def provision(
    kind: str,
    *actors: str,
    purposes: Sequence[str] = (),
    actions: Sequence[str] = (),
    types: Sequence[str] = (),
    classes: Sequence[tuple[str, str]] = (),
    codes: Sequence[tuple[str, str]] = (),
    labels: Sequence[str | tuple[str, str]] = (),
    period: Json | None = None,
    data_period: Json | None = None,
    data: Sequence[tuple[str, str]] = (),
    but: Sequence[Json] = (),
) -> Json:
    """A provision as FHIR writes it; what is left out is absent."""
    role = "AUT" if actions and "access" not in actions else "IRCP"
    system = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
    attributes: Json = {
        "period": period,
        "actor": [{"role": concept((system, role)), "reference": {"reference": actor}} for actor in actors],
        "action": [
            concept(("http://terminology.hl7.org/CodeSystem/consentaction", code)) for code in actions
        ],
        "securityLabel": [
            coding(CONFIDENTIALITY, one) if isinstance(one, str) else coding(*one) for one in labels
        ],
        "purpose": [coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", one) for one in purposes],
        "class": [*(coding(RESOURCE_TYPES, one) for one in types), *(coding(*one) for one in classes)],
        "code": [concept(one) for one in codes],
        "dataPeriod": data_period,
        "data": [{"meaning": meaning, "reference": {"reference": reference}} for meaning, reference in data],
        "provision": list(but),
    }
    return {"type": kind, **{name: value for name, value in attributes.items() if value}}


def permit(*actors: str, purposes: Sequence[str] = ("TREAT",), **attributes: Any) -> Json:
    """A permit that grants: to these actors, for treatment unless said otherwise."""
    return provision("permit", *actors, purposes=purposes, **attributes)


def allow(*actors: str, **attributes: Any) -> Json:
    """A permit that is an exception of a deny."""
    return provision("permit", *actors, **attributes)


def deny(*actors: str, **attributes: Any) -> Json:
    """A deny."""
    return provision("deny", *actors, **attributes)


def consent_json(root: Mapping[str, Any], patient: str | None = P1, **elements: Any) -> Json:
    """A Consent resource around a root provision."""
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": concept((CONSENT_SCOPE, "patient-privacy")),
        "category": [concept((LOINC, "59284-0"))],
        **({"patient": {"reference": patient}} if patient else {}),
        "policy": [{"uri": "http://city.example/sharing"}],
        "provision": root,
        **elements,
    }


def read(resource: Mapping[str, Any], number: int = 1) -> Consent | list[Issue]:
    """Read it as version 1 of `Consent/{number}`."""
    return read_consent(resource, reference=f"Consent/{number}", version=1, zone=TOKYO)


def consents(*roots: Json, patient: str | None = P1) -> list[Consent]:
    """Active consents of one patient with these root provisions."""
    read_ones = [read(consent_json(root, patient), number) for number, root in enumerate(roots)]
    assert all(isinstance(one, Consent) for one in read_ones), read_ones
    return [one for one in read_ones if isinstance(one, Consent)]


def policies(*roots: Json) -> list[Consent]:
    """Consents without patient."""
    return consents(*roots, patient=None)


def record(kind: str = "Observation", name: str = "r", **facts: Any) -> Record:
    """A record of the first patient, labelled N unless said otherwise."""
    chosen: Json = {
        "patients": frozenset({P1}),
        "confidentiality": Confidentiality.N,
        **{key: frozenset(value) if isinstance(value, set) else value for key, value in facts.items()},
    }
    return Record(type=kind, reference=f"{kind}/{name}", **chosen)


def medicine(*codes: tuple[str, str], **facts: Any) -> Record:
    """A prescription with these codes."""
    return record("MedicationRequest", codes=frozenset(Coding(*code) for code in codes), **facts)


def asks(
    actors: frozenset[str] = A_AT_H, purpose: str = "TREAT", action: str = "access", **more: Any
) -> Request:
    """A request for treatment, to read, now, unless said otherwise."""
    return Request(actors=actors, purpose=Purpose(purpose), action=Action(action), **{"at": NOW, **more})


def year(number: int) -> Interval:
    """A calendar year in Tokyo."""
    return Interval(
        datetime(number, 1, 1, tzinfo=TOKYO).astimezone(UTC),
        datetime(number + 1, 1, 1, tzinfo=TOKYO).astimezone(UTC),
    )


def day(year_number: int, month: int, number: int) -> Interval:
    """A day in Tokyo that is not the last of its month."""
    return Interval(
        datetime(year_number, month, number, tzinfo=TOKYO).astimezone(UTC),
        datetime(year_number, month, number + 1, tzinfo=TOKYO).astimezone(UTC),
    )


C09 = (ATC, "C09")
N06 = (ATC, "N06")
