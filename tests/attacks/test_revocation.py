"""Withdrawal: a request that begins after its answer sees nothing, in whichever way and of whichever process it asks.

https://cs.brown.edu/~mph/HerlihyW90/p463-herlihy.pdf (linearizability)
"""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.attacks.revoking import after_withdrawal, unexplained
from tests.attacks.storm import PROCESSES, brewing, rage, services
from tests.cast import Cast
from tests.examples import how_many
from tests.town import Town

pytestmark = pytest.mark.anyio

OPERATIONS: Final = 5_000
LONG_OPERATIONS: Final = 100_000
"""In a long run."""


@pytest.fixture(scope="module")
def addresses(town: Town) -> Iterator[list[str]]:
    """Two processes, each with a memory of its own of whom it met before."""
    with services(town, PROCESSES) as serving:
        yield serving


async def test_what_was_withdrawn_is_seen_by_no_request_that_begins_after_the_answer(
    town: Town, cast: Cast, addresses: list[str], pytestconfig: pytest.Config
) -> None:
    seed = str(pytestconfig.getoption("--hypothesis-seed") or "usual")
    operations = OPERATIONS if how_many(1) == 1 else LONG_OPERATIONS
    async with brewing(town, cast, addresses, seed) as storm:
        await rage(storm, operations)
    assert storm.operations >= operations
    looks = calm = 0
    for person in storm.people:
        assert unexplained(person.changes, person.looks) == []
        looks += len(person.looks)
        calm += after_withdrawal(person.changes, person.looks)
    print(f"seed {seed}: {dict(storm.done)}; {calm} of {looks} looks after a withdrawal")
    # What is looked at while it changes may be either way: only the others prove something.
    assert calm > looks / 5
    assert storm.done["withdraw"] > operations / 100
