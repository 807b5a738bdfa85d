"""Law 5 over worlds in FHIR's own words: from the resources to the answer, by the reference and by the SQL.

A world is drawn by its seed alone, which a failure names: `drawn_world(seed)` is the world again.
"""

import json
from io import BytesIO
from typing import Final

import pytest

from passport.evaluation.lines import answers
from passport.evaluation.store import connected
from passport.evaluation.trial import Trial
from tests.databases import Server
from tests.examples import how_many
from tests.properties.agreeing import SECRET, Agreement
from tests.properties.drawn_worlds import damaged, drawn_world
from tests.unit.consent.words import TOKYO

WORLDS: Final = 10_000
PORTIONS: Final = 8
"""Test processes share the worlds by portions."""

ON_EACH_SERVER: Final = 250
DAMAGED: Final = 500


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> str:
    """What the seeds of the worlds begin with: the same in every usual run, another in each long one."""
    return str(pytestconfig.getoption("--hypothesis-seed") or "usual")


def agree(server: Server, seeds: list[str]) -> None:
    print(f"worlds of the seeds {seeds[0]!r} to {seeds[-1]!r}")
    with connected(server.superuser_url) as connection:
        agreement = Agreement(Trial(connection, SECRET, TOKYO))
        agreement.hold(seeds)
        agreement.check_share()


@pytest.mark.parametrize("portion", range(PORTIONS))
def test_the_sql_shows_what_the_reference_permits_in_ten_thousand_worlds(
    portion: int, seed: str, server: Server
) -> None:
    agree(server, [f"{seed}/{number}" for number in range(portion, how_many(WORLDS), PORTIONS)])


def test_every_server_shows_what_the_reference_permits(seed: str, each_server: Server) -> None:
    agree(each_server, [f"{seed}/each/{number}" for number in range(how_many(ON_EACH_SERVER))])


def test_a_damaged_world_is_answered_like_any_other(seed: str, server: Server) -> None:
    """What nobody expects in a resource is read as it is, or refused; it stops nothing, and both ways agree."""
    seeds = [f"{seed}/damaged/{number}" for number in range(how_many(DAMAGED))]
    lines = b"\n".join(json.dumps(damaged(drawn_world(each), each)).encode() for each in seeds)
    with connected(server.superuser_url) as connection:
        answered = list(answers(BytesIO(lines), connection, SECRET, TOKYO))
    assert len(answered) == len(seeds)
    assert [each for each, answer in zip(seeds, answered, strict=True) if not answer.agrees] == []
