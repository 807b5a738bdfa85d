"""A consent as large as it may be: eight levels and 255 provisions, kept whole and decided alike by both evaluations.

The provisions are numbered as the places of a tree with two exceptions each: those of provision `n` are `2n` and
`2n + 1`. Each covers the codes of its own number and of all under it, so that the record of number `n` is decided by
provision `n`, and would be decided otherwise if one more or one less of those above it counted.
"""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from consent.compile import compile_consent
from consent.model import Coding, Consent, Record
from consent.provision import MAX_DEPTH, MAX_NODES
from consent.reference import decide
from consent.store import load_shapes, replace
from consent.systems import LOINC
from tests.databases import Database
from tests.unit.consent.enforcement import KEYS, Enforcement
from tests.unit.consent.words import (
    DR_A,
    Json,
    allow,
    asks,
    consent_json,
    deny,
    permit,
    read,
    record,
)

RECORDS = [record(name=str(n), codes=frozenset({Coding(LOINC, str(n))})) for n in range(1, MAX_NODES + 1)]
SILENT = 3
"""Every third provision of the last level is for emergencies alone, and so says nothing of treatment."""


def level(number: int) -> int:
    return number.bit_length()


def under(number: int) -> list[int]:
    """The number and all under it, in the tree of `MAX_DEPTH` levels."""
    return [
        number,
        *(n for place in (2 * number, 2 * number + 1) if place <= MAX_NODES for n in under(place)),
    ]


def tree(number: int, *, denies: bool) -> Json:
    """The provision of this number, which denies or permits, with everything under it."""
    said: dict[str, Any] = {"codes": [(LOINC, str(n)) for n in under(number)]}
    if 2 * number <= MAX_NODES:
        said["but"] = [tree(place, denies=not denies) for place in (2 * number, 2 * number + 1)]
    elif number % SILENT == 0:
        said["purposes"] = ["ETREAT"]
    if number == 1:
        return deny(**said) if denies else permit(DR_A, **said)
    return (
        deny(**said) if denies else allow(*([DR_A] if number < 4 else []), **{"purposes": ["TREAT"], **said})
    )


def kept(root: Json) -> Consent:
    found = read(consent_json(root))
    assert isinstance(found, Consent), found
    return found


@pytest.fixture(params=[False, True], ids=["permit", "deny"])
def denies(request: pytest.FixtureRequest) -> bool:
    """Whether the root denies."""
    found: bool = request.param
    return found


@pytest.fixture
async def connection(module_database: Database) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    async with await psycopg.AsyncConnection.connect(module_database.superuser_url) as opened:
        yield opened
        await opened.rollback()


def test_the_tree_is_as_large_as_a_consent_may_be(denies: bool) -> None:
    root = kept(tree(1, denies=denies)).root
    assert root is not None
    assert len(list(root.walk())) == MAX_NODES == 255
    assert max(map(level, range(1, MAX_NODES + 1))) == MAX_DEPTH == 8


def test_each_of_255_provisions_is_decided_alike_by_both(denies: bool, enforcement: Enforcement) -> None:
    consent = kept(tree(1, denies=denies))
    meant = {one.reference for one in RECORDS if expected(one, denies=denies)}
    assert {one.reference for one in RECORDS if decide([consent], one, asks())} == meant
    assert enforcement.visible([consent], RECORDS, asks()) == meant


def expected(one: Record, *, denies: bool) -> bool:
    """Whether the record is permitted for treatment: by the level of the provision that decides it."""
    number = int(one.reference.partition("/")[2]) if one.reference else 0
    silent = level(number) == MAX_DEPTH and number % SILENT == 0
    return (level(number // 2 if silent else number) % 2 == 1) is not denies


async def test_all_255_provisions_are_kept_and_come_back(
    denies: bool, connection: psycopg.AsyncConnection[Any]
) -> None:
    compiled = compile_consent(kept(tree(1, denies=denies)), KEYS)
    await replace(connection, compiled, patient_key=1, consent_key=1)
    cursor = await connection.execute("SELECT ordinal, count(*) FROM consent_node GROUP BY 1 ORDER BY 1")
    # Beside a root that denies, each of its two permits stands once more behind it.
    assert await cursor.fetchall() == ([(0, 255), (1, 128), (2, 128)] if denies else [(0, 255)])
    shapes = {grant.shape_key: grant.shape for grant in compiled.grants}
    assert await load_shapes(connection, list(shapes)) == shapes


def test_one_provision_more_is_refused_with_its_place(denies: bool) -> None:
    root = tree(1, denies=denies)
    root["provision"][1]["provision"].append(deny() if denies else allow())
    found = read(consent_json(root))
    assert isinstance(found, list)
    (issue,) = found
    assert issue == (
        "Consent.provision.provision[1].provision[2]",
        "got more than 255 provisions, expected 255 at most, the root among them",
    )


def test_one_level_more_is_refused_with_its_place() -> None:
    root = permit(DR_A)
    innermost = root
    for n in range(2, MAX_DEPTH + 2):
        innermost["provision"] = [allow() if n % 2 else deny()]
        (innermost,) = innermost["provision"]
    found = read(consent_json(root))
    assert isinstance(found, list)
    (issue,) = found
    assert issue == (
        ".".join(["Consent.provision", *["provision[0]"] * MAX_DEPTH]),
        "got a provision on level 9, expected 8 levels at most, the root being the first",
    )
