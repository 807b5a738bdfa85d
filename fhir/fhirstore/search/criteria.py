"""What a search asks of a record: of its row, of its own elements, and of the records that it is linked to.

http://hl7.org/fhir/R4/search.html#chaining
http://hl7.org/fhir/R4/search.html#has

Conditions on the row are answered by SQL. Conditions on elements are answered by opening what SQL lets through.
A link is a search of its own, whose finds become a condition of the search that it stands in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, ColumnElement, FromClause, and_, any_, bindparam, not_, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from fhirstore.keys import KeyMaker
from fhirstore.parameters import SearchParameter
from fhirstore.search.test import Test
from fhirstore.tables import locator
from fhirstore.types import ResourceType

Tree = Mapping[str, Any]
Matches = Callable[[Tree], bool]

Held = Literal["owner", "named", "lies"]
"""How a record belongs to the patient who is searched: it is about them, it names them, or it lies with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """A search of one type, without what shapes its result.

    `tests` are conditions on the row and `sifts` on the elements; all must hold. `patients` are those whose
    records are searched, None where none are named.
    """

    type: ResourceType
    tests: tuple[Test, ...] = ()
    sifts: tuple[Matches, ...] = ()
    links: tuple["Link", ...] = ()
    patients: tuple[str, ...] | None = None
    held: Held = "owner"

    def beside(self, other: "Criteria") -> "Criteria":
        """Both at once; what patients the other names is left aside."""
        return replace(
            self,
            tests=self.tests + other.tests,
            sifts=self.sifts + other.sifts,
            links=self.links + other.links,
        )


@dataclass(frozen=True, slots=True)
class Chain:
    """The record's reference `parameter` leads to what one of the searches finds; `bind` names their keys."""

    parameter: SearchParameter
    targets: tuple[Criteria, ...]
    bind: str


@dataclass(frozen=True, slots=True)
class Reverse:
    """What the search finds refers to the record by `parameter`; `bind` names the keys of the record."""

    parameter: SearchParameter
    referring: Criteria
    bind: str


Link = Chain | Reverse


def links_of(criteria: Criteria) -> list[Link]:
    """Every link of a search, and of the searches behind them."""
    found: list[Link] = []
    for link in criteria.links:
        found.append(link)
        for further in link.targets if isinstance(link, Chain) else (link.referring,):
            found += links_of(further)
    return found


def refers(bind: str, keys: Sequence[int]) -> Test:
    """The record refers to one of these records, wherever in it."""
    return Test(
        ("refs",),
        lambda record: record.c.refs.overlap(bindparam(bind, type_=ARRAY(BigInteger))),
        {bind: list(keys)},
    )


WHOSE: Final = "whose"
"""How the values of tests are named that say whose a record is, beside the patient who is searched."""


def about_all(tests: Sequence[Test], patients: Sequence[str], keys: KeyMaker) -> tuple[Test, ...]:
    """The tests with each of these, who are all one person, standing for all of them."""
    everyone = {keys.reference(patient) for patient in patients}

    def widened(name: str, value: Any) -> Any:
        if not name.startswith(WHOSE) or everyone.isdisjoint(value):
            return value
        return sorted(everyone.union(value))

    return tuple(
        replace(test, params={name: widened(name, value) for name, value in test.params.items()})
        if any(name.startswith(WHOSE) for name in test.params)
        else test
        for test in tests
    )


def among(bind: str, keys: Sequence[int]) -> Test:
    """The record is one of these."""
    return Test(
        ("among",),
        lambda record: record.c.record_key == any_(bindparam(bind, type_=ARRAY(BigInteger))),
        {bind: list(keys)},
    )


def lies_with(bind: str, patient_keys: Sequence[int]) -> Test:
    """The record lies with one of these patients."""
    return Test(
        ("lies-with",),
        lambda record: record.c.patient_key == any_(bindparam(bind, type_=ARRAY(BigInteger))),
        {bind: list(patient_keys)},
    )


def of_patients(type_: ResourceType, bind: str, keys: Sequence[int]) -> Test:
    """The record is about a patient of whom these are the keys of their Patient."""

    def condition(record: FromClause) -> ColumnElement[bool]:
        held = select(locator.c.patient_key).where(
            locator.c.record_key == any_(bindparam(bind, type_=ARRAY(BigInteger)))
        )
        return and_(record.c.patient_key.in_(held), about_its_owner(type_, record))

    return Test(("of-patients", type_.number), condition, {bind: list(keys)})


def about_owner(type_: ResourceType) -> Test:
    """The record is about the patient with whom it lies."""
    return Test(("about-owner", type_.number), lambda record: about_its_owner(type_, record), {})


def about_its_owner(type_: ResourceType, record: FromClause) -> ColumnElement[bool]:
    """Whether the patient with whom a record lies is named where `patient` and `subject` read."""
    if type_.follows or not type_.writable:
        return true()
    return not_(record.c.owned_otherwise)
