"""What a consent decides about: the request, the record, and the provisions that are compared with them.

http://hl7.org/fhir/R4/consent.html

Everything here is frozen and holds plain values: references as `Type/id`, codes as (system, code) pairs,
instants in UTC. An empty set is an absent attribute or an absent fact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from consent.errors import ConsentError, UnknownRule


class Purpose(StrEnum):
    """Why somebody asks: the closed, flat list of purposes of use (HL7 v3 ActReason)."""

    TREAT = "TREAT"
    ETREAT = "ETREAT"
    BTG = "BTG"
    CAREMGT = "CAREMGT"
    HPAYMT = "HPAYMT"
    HOPERAT = "HOPERAT"
    PUBHLTH = "PUBHLTH"
    HRESCH = "HRESCH"
    HMARKT = "HMARKT"
    PATRQT = "PATRQT"
    FAMRQT = "FAMRQT"


class Action(StrEnum):
    """What is done: `access` reads and searches, `collect` creates, `correct` updates, patches, deletes."""

    ACCESS = "access"
    COLLECT = "collect"
    CORRECT = "correct"


class Effect(StrEnum):
    """What a provision says of the records that it matches."""

    PERMIT = "permit"
    DENY = "deny"


class Confidentiality(IntEnum):
    """HL7 v3 Confidentiality in its order; the number is what a record's row holds."""

    U = 0
    L = 1
    M = 2
    N = 3
    R = 4
    V = 5


class Meaning(StrEnum):
    """How a record is connected with the reference that `provision.data` names."""

    INSTANCE = "instance"
    DEPENDENTS = "dependents"
    AUTHOREDBY = "authoredby"


class Status(StrEnum):
    """The state of a consent; only `ACTIVE` counts."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    ACTIVE = "active"
    REJECTED = "rejected"
    INACTIVE = "inactive"
    ERROR = "entered-in-error"


_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


class Coding(NamedTuple):
    """A code in its system, compared character by character."""

    system: str
    code: str


class Data(NamedTuple):
    """One entry of `provision.data`."""

    meaning: Meaning
    reference: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A half-open stretch of time in UTC; an end that is None is open.

    Raises:
        ConsentError: an end has no time zone.
    """

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for instant in (self.start, self.end):
            require_zone(instant)

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies in it."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)

    @property
    def first(self) -> datetime:
        """Where it starts; before everything where that is open."""
        return _FIRST if self.start is None else self.start

    @property
    def last(self) -> datetime:
        """Where it ends; after everything where that is open."""
        return _LAST if self.end is None else self.end

    @property
    def empty(self) -> bool:
        """Whether it ends before anything is in it."""
        return self.start is not None and self.end is not None and self.start >= self.end

    def lies_in(self, other: "Interval") -> bool | None:
        """Whether all of it is there; None, unknown, where only some of it is, or nothing is in it."""
        if self.empty:
            return None
        if other.first <= self.first and self.last <= other.last:
            return True
        return False if self.last <= other.first or other.last <= self.first else None


def require_zone(instant: datetime | None) -> None:
    """Refuse an instant without a time zone.

    Raises:
        ConsentError: it has none, so it could not be compared.
    """
    if instant is not None and instant.utcoffset() is None:
        raise ConsentError("got an instant without time zone, expected UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks, why, for what, and when.

    `actors` are the references that the caller was expanded to. `unresolved` tells of a break in that
    chain. `resolvable` are the Groups and CareTeams whose membership is known; every other one is not.
    `client` is the application through which a person acts. `own` are the registrations of the one whose own
    session this is. `opened` is for whom break-glass was opened, in the service one patient: purpose BTG means
    nothing for another, or for nobody.
    """

    actors: frozenset[str]
    purpose: Purpose
    action: Action
    at: datetime
    client: str | None = None
    unresolved: bool = False
    resolvable: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    opened: frozenset[str | None] = frozenset()

    def __post_init__(self) -> None:
        require_zone(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The facts of one resource that consents are compared with.

    `authors` are those that the resource names; `source` is who wrote it here. `parts` are contained
    resources and the entries of a stored Bundle; `container` is set on these alone, and names the whole.
    `follows` are the targets of a Provenance and the context of a Binary, None for one that is not there.
    """

    type: str
    reference: str | None
    patients: frozenset[str] = frozenset()
    codes: frozenset[Coding] = frozenset()
    categories: frozenset[Coding] = frozenset()
    time: Interval | None = None
    confidentiality: Confidentiality | None = None
    sensitivities: frozenset[Coding] = frozenset()
    authors: frozenset[str] = frozenset()
    source: str | None = None
    references: frozenset[str] = frozenset()
    container: str | None = None
    parts: tuple["Record", ...] = ()
    follows: tuple["Record | None", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """A permit or a deny: attributes that all hold, and the children that are its exceptions."""

    effect: Effect
    period: Interval | None = None
    actors: frozenset[str] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    actions: frozenset[Action] = frozenset()
    classes: frozenset[Coding] = frozenset()
    codes: frozenset[Coding] = frozenset()
    confidentiality: frozenset[Confidentiality] = frozenset()
    sensitivities: frozenset[Coding] = frozenset()
    data_period: Interval | None = None
    data: frozenset[Data] = frozenset()
    children: tuple["Provision", ...] = ()

    @property
    def denies(self) -> bool:
        """Whether it denies.

        Raises:
            UnknownRule: it does neither that nor permit.
        """
        if self.effect not in {Effect.DENY, Effect.PERMIT}:
            raise UnknownRule("got a provision that neither permits nor denies")
        return self.effect is Effect.DENY

    def walk(self) -> Iterator["Provision"]:
        """It and everything under it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One version of a consent; without patient it is a policy and counts for every patient.

    `root` is None where there is nothing to evaluate: the status is one that is not read, or the scope is
    not patient privacy.
    """

    reference: str
    version: int
    patient: str | None
    status: Status
    root: Provision | None

    @property
    def counts(self) -> bool:
        """Whether it takes part in decisions."""
        return self.status is Status.ACTIVE and self.root is not None
