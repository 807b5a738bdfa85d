"""Every small case: all provisions of up to two levels, alone and in pairs, against all records of few facts.

What is wrong with a rule most often shows in a small example. The conditions are few, the trees shallow, and nothing
is drawn: each way in which a condition can be True, False or unknown meets each place where a provision can stand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, product
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import select

from consent.facts import RecordColumns
from consent.grants import StandingGrant, clause
from consent.model import (
    Coding,
    Confidentiality,
    Consent,
    Data,
    Effect,
    Interval,
    Meaning,
    Provision,
    Purpose,
    Record,
    Request,
    Status,
)
from consent.reference import decide
from consent.systems import ATC, LOINC, RESOURCE_TYPES
from fhirstore.types import TYPE_NUMBERS
from tests.databases import Server
from tests.examples import how_many
from tests.unit.consent.enforcement import KEYS, RECORDS, Enforcement
from tests.unit.consent.words import A_AT_H, DR_A, DR_B, P1, asks, year

COLUMNS: Final = 120
"""So many decisions are asked for in one statement."""

_SAID: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"actors": frozenset({DR_A})},
    {"actors": frozenset({DR_B})},
    {"actors": frozenset({"Group/unknown"})},
    {"purposes": frozenset({Purpose.ETREAT})},
    {"classes": frozenset({Coding(RESOURCE_TYPES, "Observation")})},
    {"codes": frozenset({Coding(LOINC, "1")})},
    {"confidentiality": frozenset({Confidentiality.N})},
    {"data_period": year(2024)},
    {"data": frozenset({Data(Meaning.AUTHOREDBY, DR_A)})},
)
CONDITIONS: Final = tuple(Provision(effect=Effect.DENY, **said) for said in _SAID)
"""No condition, one that asks something of the request, or one that asks something of the record."""

FACTS: Final[dict[str, tuple[Any, ...]]] = {
    "type": ("Observation", "Encounter"),
    "codes": (frozenset[Coding](), frozenset({Coding(LOINC, "1")}), frozenset({Coding(ATC, "1")})),
    "confidentiality": (None, Confidentiality.N, Confidentiality.R),
    "time": (None, year(2024), year(2025), Interval(year(2023).start, year(2024).end)),
    "authors": (frozenset[str](), frozenset({DR_A}), frozenset({DR_B})),
}
RECORDS_OF_ALL_KINDS: Final = tuple(
    Record(
        reference=f"{values[0]}/{number}", patients=frozenset({P1}), **dict(zip(FACTS, values, strict=True))
    )
    for number, values in enumerate(product(*FACTS.values()))
)
REQUEST: Final = asks(A_AT_H)


def with_recipients(node: Provision) -> Provision:
    """A permit that grants names actor and purpose."""
    return replace(
        node,
        effect=Effect.PERMIT,
        actors=node.actors or frozenset({DR_A}),
        purposes=node.purposes or frozenset({Purpose.TREAT}),
    )


def provisions() -> Iterator[Provision]:
    """Every root of one level, then every root with one exception."""
    roots = [*map(with_recipients, CONDITIONS), *CONDITIONS]
    yield from roots
    for root, child in product(roots, CONDITIONS):
        grants = root.effect is Effect.DENY
        yield replace(root, children=(with_recipients(child) if grants else child,))


ROOTS: Final = tuple(provisions())
SHALLOW: Final = 2 * len(CONDITIONS)


def consent(number: int) -> Consent:
    return Consent(
        reference=f"Consent/{number}", version=1, patient=P1, status=Status.ACTIVE, root=ROOTS[number]
    )


class SmallScope:
    """Decisions about all the records at once, a column for each set of consents."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._enforcement = Enforcement(connection)
        self._standing = {
            number: self._enforcement.standing([consent(number)], REQUEST) for number in range(len(ROOTS))
        }
        self._enforcement.keep(RECORDS_OF_ALL_KINDS)
        self._facts = RecordColumns.of(RECORDS)

    def shown(self, sets: Sequence[tuple[int, ...]]) -> list[set[int]]:
        """The record keys that each set of consents permits."""
        columns = [
            clause(self._grants(each), self._facts, TYPE_NUMBERS).label(f"set_{place}")
            for place, each in enumerate(sets)
        ]
        rows = self._enforcement.run(select(RECORDS.c.record_key, *columns), {})
        return [{row[0] for row in rows if row[place]} for place in range(1, len(columns) + 1)]

    def _grants(self, numbers: tuple[int, ...]) -> list[StandingGrant]:
        return [grant for number in numbers for grant in self._standing[number]]


@pytest.fixture(scope="module")
def small_scope(server: Server) -> Iterator[SmallScope]:
    with server.database() as database, psycopg.connect(database.superuser_url) as connection:
        yield SmallScope(connection)


def agree(small_scope: SmallScope, sets: Sequence[tuple[int, ...]]) -> None:
    for first in range(0, len(sets), COLUMNS):
        asked = sets[first : first + COLUMNS]
        for numbers, shown in zip(asked, small_scope.shown(asked), strict=True):
            assert shown == permitted([consent(number) for number in numbers], REQUEST), numbers


def permitted(given: Sequence[Consent], request: Request) -> set[int]:
    return {
        KEYS.reference(record.reference or "")
        for record in RECORDS_OF_ALL_KINDS
        if decide(given, record, request)
    }


def test_every_provision_with_at_most_one_exception_decides_every_record_alike(
    small_scope: SmallScope,
) -> None:
    agree(small_scope, [(number,) for number in range(len(ROOTS))])


def test_every_two_provisions_without_exceptions_decide_every_record_alike(small_scope: SmallScope) -> None:
    agree(small_scope, list(combinations(range(SHALLOW), 2)))


def test_every_permit_beside_every_denial_with_an_exception_decides_every_record_alike(
    small_scope: SmallScope,
) -> None:
    """One of the permits in a usual run, all of them in a long one."""
    permits = range(min(len(CONDITIONS), how_many(1)))
    nested = [number for number in range(SHALLOW, len(ROOTS)) if ROOTS[number].effect is Effect.DENY]
    agree(small_scope, list(product(permits, nested)))


def test_most_small_cases_are_decided_either_way(small_scope: SmallScope) -> None:
    shown = [len(each) for each in small_scope.shown([(number,) for number in range(SHALLOW)])]
    assert len(set(shown)) > 4
    assert max(shown) == len(RECORDS_OF_ALL_KINDS)
    assert min(shown) == 0
