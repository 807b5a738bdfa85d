"""Worlds in few words, and what comes of them by both ways of deciding."""

from collections.abc import Mapping
from typing import Any, Final

from passport.evaluation.trial import Trial
from passport.evaluation.world import world_of
from tests.unit.consent.words import P1, TOKYO, Json, consent_json

ASKED: Final[Json] = {
    "actors": ["PractitionerRole/a-at-h"],
    "purpose": "TREAT",
    "action": "access",
    "time": "2026-01-01T00:00:00Z",
}
DIRECTORY: Final[list[Json]] = [
    {
        "resourceType": "PractitionerRole",
        "id": "a-at-h",
        "practitioner": {"reference": "Practitioner/a"},
        "organization": {"reference": "Organization/h"},
    },
    {"resourceType": "Organization", "id": "h"},
]


def consent(root: Json, name: str = "c", patient: str | None = P1, **elements: Any) -> Json:
    return {**consent_json(root, patient, **elements), "id": name}


def resource(kind: str, name: str = "1", patient: str | None = P1, **elements: Any) -> Json:
    """A record about a patient by `subject`, if by any."""
    subject = {} if patient is None else {"subject": {"reference": patient}}
    return {"resourceType": kind, "id": name, **subject, **elements}


def reference(name: str) -> Json:
    return {"reference": name}


def world(*consents: Json, records: list[Json], directory: list[Json] | None = None, **asked: Any) -> Json:
    return {
        "consents": list(consents),
        "directory": DIRECTORY if directory is None else directory,
        "records": records,
        "request": {**ASKED, **asked},
    }


def permitted(trial: Trial, tree: Mapping[str, Any]) -> set[str]:
    """The records that are permitted, by both ways."""
    (decided,) = trial.decided([world_of(tree, TOKYO)])
    assert decided.reference == decided.sql
    assert decided.reference.keys() == decided.sql.keys()
    return {name for name, allowed in decided.sql.items() if allowed}
