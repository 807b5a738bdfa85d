"""Who may write what, before any consent is asked: the rules that stand outside of the evaluation.

http://hl7.org/fhir/R4/consent.html

The table of the semantics, "who is outside of the evaluation": directory operators, the patient's own session,
proposals, policies. Whatever no rule names needs a consent that lets this source write; a rule that does not
know the caller refuses.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from fhirstore.facts import Facts
from passport.outcomes import Refused
from passport.subjects import Subject


class Basis(Enum):
    """What lets a write through."""

    OFFICE = "the caller's office: an operator on the directory, on registrations and on policies"
    OWN = "the caller's own passport"
    PROPOSAL = "a proposed consent, which anyone verified may put to a patient"
    CONSENT = "a consent that lets this source collect or correct"


_DIRECTORY: Final = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location", "Medication"})
_REGISTERED: Final = frozenset({"Patient"})
_OF_NOBODY: Final = frozenset({"Group", "Device", "Consent"})
"""What an operator writes where it names no patient: staff groups, clients, policies."""

_DECIDED_BY_PATIENT: Final = frozenset({"Consent", "CareTeam", "RelatedPerson"})
"""What a patient changes whoever wrote it first."""

_NEVER_OWN: Final = frozenset({"Patient", "AuditEvent", "Provenance"})
_PATIENT_ONLY: Final = frozenset({"CareTeam"})


def basis(subject: Subject, tree: Mapping[str, Any], facts: Facts, *, source_is_caller: bool | None) -> Basis:
    """Return what a write may rest on.

    Args:
        subject: who writes.
        tree: the new content, or what is deleted.
        facts: what was read of it.
        source_is_caller: whether the caller wrote the current version; None where there is none.

    Raises:
        Refused: nothing could let it through.
    """
    name = facts.type.name
    if not facts.type.writable or subject.kind == "auditor":
        raise Refused
    if subject.kind == "operator":
        return _operator(name, facts)
    if subject.kind == "patient":
        return _patient(subject, name, facts, source_is_caller)
    return _other(subject, name, tree, facts)


def _operator(name: str, facts: Facts) -> Basis:
    if name in _DIRECTORY | _REGISTERED or (name in _OF_NOBODY and not facts.patients):
        return Basis.OFFICE
    raise Refused("an operator writes the directory, registrations and policies, and no health data")


def _patient(subject: Subject, name: str, facts: Facts, source_is_caller: bool | None) -> Basis:
    if name in _NEVER_OWN or subject.patient is None or facts.patients[:1] != (subject.patient,):
        raise Refused
    if source_is_caller is False and name not in _DECIDED_BY_PATIENT:
        raise Refused("what somebody else wrote is corrected by them")
    return Basis.OWN


def _other(subject: Subject, name: str, tree: Mapping[str, Any], facts: Facts) -> Basis:
    if name in _PATIENT_ONLY:
        raise Refused
    if name != "Consent":
        return Basis.CONSENT
    if tree.get("status") == "proposed" and subject.kind in {"practitioner", "service", "proxy"}:
        return Basis.PROPOSAL
    if not facts.patients:
        # Policies are an operator's; whoever else may write them is named by a policy itself.
        return Basis.CONSENT
    if subject.kind == "proxy" and subject.reference in facts.references:
        raise Refused("a proxy does not write consents that name the proxy")
    if subject.kind == "practitioner":
        raise Refused("an active consent is written by the patient")
    return Basis.CONSENT
