"""Who is asking: the one thing that every way of signing in ends in.

https://profiles.ihe.net/ITI/IUA/

A Subject is read afresh from its session for every request and never kept: what a token may do ends with the
session, whatever way it was signed in by.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from passport.needs import Needs

Kind = Literal[
    "patient", "proxy", "practitioner", "service", "device", "operator", "auditor", "clerk", "approver"
]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

OPERATOR: Final = "operator"
AUDITOR: Final = "auditor"
CLERK: Final = "clerk"
APPROVER: Final = "approver"
"""The offices of the city: operators, auditors, clerks at the desk, and device approvers, who say which models may be
enrolled. Whoever acts in one is no resource and reads no health data; `operator/suzuki` is one person in the office
`operator`, and a token of a demo's folder may name the office alone."""

CITY: Final[frozenset[Kind]] = frozenset({"operator", "auditor", "clerk", "approver"})
"""Who acts for the city, as kinds."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A signed-in caller.

    `reference` is `Type/id`, or a person of the city such as `operator/suzuki`. `role` is the one PractitionerRole
    that a person acts in, or their office of the city; `client` the Device or Organization through which they
    act. `patient_key` and `patient` are the caller's own passport and are there for kind patient alone.
    `opened_patient_key` is the one patient that an emergency opening is for: purpose BTG means nothing for
    another. `registrations` are all Patients of the caller where they were registered twice.
    """

    kind: Kind
    reference: str
    role: str | None
    client: str | None
    patient_key: int | None
    patient: str | None
    purpose: str
    scopes: frozenset[str]
    session_id: UUID | None
    opened_patient_key: int | None
    registrations: tuple[str, ...] = ()

    @property
    def actor(self) -> str:
        """The reference that the chain of actors starts at: the role where there is one, else the person."""
        return self.role or self.reference

    def is_patient(self, reference: str | None) -> bool:
        """Whether a Patient is the caller, by this registration or another one of theirs."""
        return reference is not None and reference in (self.patient, *self.registrations)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A caller known by a token; `token_hash` is the SHA-256 of its text.

    `confirmation` is the thumbprint of the key that was proved beside it, by DPoP or by a certificate. `needs` is what
    the session has to have at the address that was called (`passport.needs`); None is for one's own sessions alone.
    """

    token_hash: bytes
    confirmation: bytes | None = None
    needs: Needs | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """A caller whom the service itself vouches for: a device whose signature held, a task of the system."""

    subject: Subject


Caller = Bearer | Acting
