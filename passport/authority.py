"""Who may write what, before any consent is asked: the rules that stand outside of the evaluation.

http://hl7.org/fhir/R4/consent.html

The table of the semantics, "who is outside of the evaluation": directory operators, the patient's own session,
proposals, policies. Whatever no rule names needs a consent that lets this source write; a rule that does not
know the caller refuses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from fhirstore.facts import Facts
from passport.outcomes import Refused
from passport.subjects import CITY, Subject


class Basis(Enum):
    """What lets a write through."""

    OFFICE = "the caller's office: an operator on the directory, on registrations and on policies"
    OWN = "the caller's own passport"
    PROPOSAL = "a proposed consent, which anyone verified may put to a patient"
    CONSENT = "a consent that lets this source collect or correct"
    DESK = "what two clerks of the city found at their desk"


_REGISTERED: Final = frozenset({"Patient"})
_OF_NOBODY: Final = frozenset({"Group", "Device", "Consent"})
"""What an operator writes where it names no patient: staff groups, clients, policies."""

_DECIDED_BY_PATIENT: Final = frozenset({"Consent", "CareTeam", "RelatedPerson"})
"""What a patient changes whoever wrote it first."""

_READING: Final = CITY - {"operator"}
"""Who writes nothing by themselves: what two clerks find, our own code writes for them."""

_NEVER_OWN: Final = frozenset({"Patient", "AuditEvent", "Provenance"})
_NEVER_LABELLED: Final = frozenset({"AuditEvent", "Provenance"})
"""Of which not even how confidential they are is their patient's to say: what they tell of says it."""

_PATIENT_ONLY: Final = frozenset({"CareTeam"})
_COLLECTIVES: Final = ("CareTeam/", "Group/")
_RELATIVES: Final = ("Patient/", "RelatedPerson/")
_PROPOSING: Final = frozenset({"practitioner", "service", "proxy"})

_ACTIVE: Final = (
    "an active consent is written by the patient, a policy by operators; others ask by one that is `proposed`"
)
_OF_WHOM: Final = (
    "got a Consent without `Consent.patient`, expected it to name whose records it is about; "
    "without it, a Consent is a policy, which operators write"
)


@dataclass(frozen=True, slots=True)
class Before:
    """What a write would replace: whether its caller wrote that, and whether it refers to them."""

    written_by_caller: bool
    names_caller: bool


def basis(
    subject: Subject,
    tree: Mapping[str, Any],
    facts: Facts,
    before: Before | None,
    *,
    sandbox: bool = False,
    labels_only: bool = False,
    taken: bool = False,
) -> Basis:
    """Return what a write may rest on.

    Args:
        subject: who writes.
        tree: the new content, or what is deleted.
        facts: what was read of it.
        before: the current version; None where there is none.
        sandbox: whether conformance suites may write what otherwise patients do.
        labels_only: whether it changes nothing but security labels.
        taken: whether it takes a security label away.

    Raises:
        Refused: nothing could let it through.
    """
    name = facts.type.name
    if not facts.type.writable or subject.kind in _READING:
        raise Refused
    if facts.type.directory:
        return _directory(subject, facts, sandbox=sandbox)
    if taken and (subject.kind != "patient" or len(facts.patients) > 1):
        raise Refused("labels are taken away by the patient, of records that name nobody else")
    if subject.kind == "operator":
        return _operator(name, facts)
    if subject.kind == "patient":
        return _patient(subject, name, facts, before, labels_only=labels_only)
    if name in _PATIENT_ONLY and not sandbox:
        raise Refused
    return _consent(subject, tree, facts, before, sandbox=sandbox) if name == "Consent" else Basis.CONSENT


def _directory(subject: Subject, facts: Facts, *, sandbox: bool) -> Basis:
    """The directory is read by everyone who signs in: nothing of a person may stand inside of it."""
    if subject.kind != "operator" and not sandbox:
        raise Refused("the directory is written by operators")
    if facts.patients or not _only_directory(facts):
        raise Refused("a resource of the directory holds nothing of a patient")
    return Basis.OFFICE if subject.kind == "operator" else Basis.CONSENT


def _only_directory(facts: Facts) -> bool:
    """Whether nothing inside is of a patient's type; lists of codes are nobody's wherever they stand."""
    return all(part.type.directory or part.type.sandbox for part in facts.parts)


def _operator(name: str, facts: Facts) -> Basis:
    if _only_directory(facts) and (name in _REGISTERED or (name in _OF_NOBODY and not facts.patients)):
        return Basis.OFFICE
    raise Refused("an operator writes the directory, registrations and policies, and no health data")


def _patient(subject: Subject, name: str, facts: Facts, before: Before | None, *, labels_only: bool) -> Basis:
    first = next(iter(facts.patients), None)
    # What names nobody is theirs if what it follows is, which shows where it is stored; a policy is nobody's.
    unnamed = first is None and name != "Consent"
    if first is None and not unnamed and before is None:
        raise Refused(_OF_WHOM, ("Consent.patient",))
    if name in (_NEVER_LABELLED if labels_only else _NEVER_OWN) or not (unnamed or subject.is_patient(first)):
        raise Refused
    # How confidential a record is says its patient, whoever wrote it.
    decides = labels_only or name in _DECIDED_BY_PATIENT
    if before is not None and not before.written_by_caller and not decides:
        raise Refused("what somebody else wrote is corrected by them")
    return Basis.OWN


def _actors(provision: Mapping[str, Any]) -> Iterator[str]:
    """Whom a provision and its exceptions name."""
    for actor in provision.get("actor", ()):
        yield actor.get("reference", {}).get("reference", "")
    for child in provision.get("provision", ()):
        yield from _actors(child)


def _consent(
    subject: Subject, tree: Mapping[str, Any], facts: Facts, before: Before | None, *, sandbox: bool
) -> Basis:
    """Somebody who is not the patient asks for access, or decides as a proxy."""
    mine = before is None or before.written_by_caller
    if tree.get("status") == "proposed" and mine and subject.kind in _PROPOSING:
        if subject.opened_patient_key is not None or len(facts.patients) > 1:
            # An opening is for reading one patient; and a request is put to one person.
            raise Refused
        return Basis.PROPOSAL
    if sandbox:
        return Basis.CONSENT
    if subject.kind != "proxy":
        raise Refused(_ACTIVE)
    if any(reference.startswith(_COLLECTIVES) for reference in facts.references):
        # Whoever is in a group may change, the proxy included.
        raise Refused("a proxy writes consents for single persons and organizations")
    if subject.reference in facts.references or (before is not None and before.names_caller):
        raise Refused("a proxy does not write consents that name the proxy")
    active = tree.get("status") == "active"
    if active and any(actor.startswith(_RELATIVES) for actor in _actors(tree.get("provision", {}))):
        # The proxy's own passport, and others by whom the same person acts, are the proxy by another name.
        raise Refused("a proxy shares with clinicians and services, and lets no person act for the patient")
    return Basis.CONSENT
