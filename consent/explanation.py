"""How a decision came about: each provision that was considered, what came of its conditions, and what settled it.

http://hl7.org/fhir/R4/consent.html

A condition, a provision, a grant and a block are True, False, or None for unknown.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from consent.kleene import Truth
from consent.model import Consent, Effect, Provision, Record


class Outside(StrEnum):
    """What settles a decision without any provision."""

    DIRECTORY = "directory"  # readable by everyone who is signed in
    OWN = "own"  # the patient's own session
    UNOPENED = "unopened"  # purpose BTG without an opening for this patient
    FOLLOWS = "follows"  # it needs no grant of its own, as what it follows is seen
    LOST = "lost"  # something that it follows is not there, or cannot be seen
    FAULT = "fault"  # a provision that cannot be evaluated


class Condition(NamedTuple):
    """One attribute of a provision by its name there, and whether it holds."""

    name: str
    truth: Truth


@dataclass(frozen=True, slots=True)
class Step:
    """One provision: where it stands, what came of its conditions, and of its exceptions.

    `matched` is what its own conditions come to; `region` leaves out what an exception takes away.
    """

    path: str
    provision: Provision
    conditions: tuple[Condition, ...]
    matched: Truth
    exceptions: tuple["Step", ...]
    region: Truth

    def failing(self) -> Iterator[tuple[str, str, Truth]]:
        """Path, attribute and truth of what keeps the region from being True; of an exception the attribute is ``."""
        yield from ((self.path, one.name, one.truth) for one in self.conditions if one.truth is not True)
        if self.matched is not False:
            yield from ((one.path, "", one.region) for one in self.exceptions if one.region is not False)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One grant or one block of a consent, and what came of it.

    `steps` is one provision; of a permit inside of a deny root it is that root, as a mere condition, and the permit.
    """

    consent: Consent
    effect: Effect
    steps: tuple[Step, ...]
    truth: Truth

    @property
    def path(self) -> str:
        """The path of the provision that grants or blocks."""
        return self.steps[-1].path

    @property
    def until(self) -> datetime | None:
        """When it ends by itself; None where it does not."""
        ends = [step.provision.period.end for step in self.steps if step.provision.period]
        return min((end for end in ends if end is not None), default=None)

    def failing(self) -> Iterator[tuple[str, str, Truth]]:
        """What keeps it from being True, see `Step.failing`; of the root before a permit only its conditions."""
        for step in self.steps[:-1]:
            yield from ((step.path, one.name, one.truth) for one in step.conditions if one.truth is not True)
        yield from self.steps[-1].failing()


@dataclass(frozen=True, slots=True)
class View:
    """What one patient's consents and the policies say of a record, or of a part of it."""

    patient: str | None
    record: Record
    permitted: bool
    outside: Outside | None = None
    weighed: tuple[Weighed, ...] = ()

    @property
    def grants(self) -> tuple[Weighed, ...]:
        """Every grant, whatever came of it."""
        return tuple(one for one in self.weighed if one.effect is Effect.PERMIT)

    @property
    def because(self) -> tuple[Weighed, ...]:
        """The grants that let it through."""
        return tuple(one for one in self.grants if one.truth is True)

    @property
    def blocked(self) -> tuple[Weighed, ...]:
        """The blocks that stand in the way, certainly or as far as is known."""
        return tuple(one for one in self.weighed if one.effect is Effect.DENY and one.truth is not False)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision about one record, and the views of every patient on it and on its parts."""

    record: Record
    permitted: bool
    outside: Outside | None = None
    views: tuple[View, ...] = ()
    follows: tuple["Explanation | None", ...] = field(default=())

    def of(self, patients: Collection[str | None]) -> "Explanation":
        """The same with the views of these patients alone: nobody is told what another person decided."""
        told = tuple(None if one is None else one.of(patients) for one in self.follows)
        return replace(self, views=tuple(v for v in self.views if v.patient in patients), follows=told)
