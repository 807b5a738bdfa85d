"""What is known of one record, in plain values and as the typed columns of its row.

http://hl7.org/fhir/R4/security-labels.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from fhirstore.elements import Code
from fhirstore.keys import Key, KeyMaker
from fhirstore.times import Interval
from fhirstore.types import ResourceType, TypeNumber

CONFIDENTIALITY_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
CONFIDENTIALITIES: Final = ("U", "L", "M", "N", "R", "V")  # in rising order; columns hold the place


class Holder(Enum):
    """In whose part of the store a record belongs."""

    PATIENT = "the first patient that it names"
    DIRECTORY = "the directory, readable by every signed-in caller"
    NO_PATIENT = "nobody: a record of a patient's type that names no patient"


@dataclass(frozen=True, slots=True)
class Columns:
    """The facts as the typed columns of a row."""

    type: TypeNumber
    status: Key | None
    confidentiality: int | None
    labels: tuple[Key, ...]
    codes: tuple[Key, ...]
    code_systems: tuple[Key, ...]
    categories: tuple[Key, ...]
    starts: datetime | None
    ends: datetime | None
    authors: tuple[Key, ...]
    refs: tuple[Key, ...]
    follows: tuple[Key, ...]
    patients: tuple[Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one record says of itself, in plain values; an empty tuple is a fact that it lacks.

    `reference` is None for what has no identity in this store. `main_codes` are the codes without those
    of components, and `concepts` those of each element that holds some, none of one in words alone; `mentioned`
    are those of any system anywhere in it, its parts apart. `confidentiality` is one of `CONFIDENTIALITIES`,
    the highest if there are several.
    `loose` tells that it, or something in it, is bound to another record and does not say to which.
    `parts` are flat: a container's own parts follow it.
    """

    type: ResourceType
    reference: str | None = None
    patients: tuple[str, ...] = ()
    main_codes: tuple[Code, ...] = ()
    concepts: tuple[tuple[Code, ...], ...] = ()
    codes: tuple[Code, ...] = ()
    mentioned: tuple[Code, ...] = ()
    categories: tuple[Code, ...] = ()
    implied_categories: tuple[Code, ...] = ()
    time: Interval | None = None
    confidentiality: str | None = None
    sensitivities: tuple[Code, ...] = ()
    authors: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    status: str | None = None
    loose: bool = False
    parts: tuple["Facts", ...] = ()

    @property
    def holder(self) -> Holder:
        """Return where the record belongs."""
        if self.type.directory:
            return Holder.DIRECTORY
        return Holder.PATIENT if self.patients else Holder.NO_PATIENT

    def columns(self, keys: KeyMaker) -> Columns:
        """Return the facts as keys; a category has a second key, by which its code alone finds it."""
        level = self.confidentiality
        return Columns(
            type=self.type.number,
            status=None if self.status is None else keys.token(self.status),
            confidentiality=None if level is None else CONFIDENTIALITIES.index(level),
            labels=tuple(keys.label(*label) for label in self.sensitivities),
            codes=tuple(keys.code(*code) for code in self.codes),
            code_systems=tuple({keys.system(code.system): None for code in self.codes if code.system}),
            categories=tuple(_category_keys(self, keys)),
            starts=None if self.time is None else self.time.start,
            ends=None if self.time is None else self.time.end,
            authors=tuple(map(keys.reference, self.authors)),
            refs=tuple(map(keys.reference, self.references)),
            follows=tuple(map(keys.reference, self.follows)),
            patients=tuple(map(keys.reference, self.patients)),
        )


def _category_keys(facts: Facts, keys: KeyMaker) -> Iterator[Key]:
    for system, code in facts.categories:
        yield keys.category(system, code)
        yield keys.bare_category(code)
    for system, code in facts.implied_categories:
        yield keys.implied_category(system, code)
