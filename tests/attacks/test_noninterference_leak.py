"""Noninterference: whatever a caller does, hidden records change no byte of any answer.

http://hl7.org/fhir/R4/security.html

Everything that is asked is drawn from the registry of routes, so that no route is left out.
"""

from collections import Counter
from collections.abc import AsyncIterator
from random import Random
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import resources as made
from tests.attacks.routes import TELLING, Route
from tests.attacks.scene import Asked, Scene
from tests.attacks.worlds import Pair, both, told_by
from tests.databases import Server

pytestmark = pytest.mark.anyio

CALLERS: Final = ("a", "a", "a", "b", "research", "narrow", "pharmacy", "proxy", "emergency", "jiro")
"""Of whom each is asked for: a physician with a partial grant, one without, another purpose, fewer scopes, a
service, a relative, a physician who broke the glass, another resident."""

Step = tuple[str, Asked, int]

STEPS: Final = 40
EXAMPLES_A_SEQUENCE: Final = 15
"""A sequence costs what so many examples of other properties cost."""

DRAWN_OF_EACH_ROUTE: Final = 2
_LOG: Final = ("AuditEvent", "/audit/accesses", "/notifications")

# What is asked for most in a sequence: the rest is asked for by the test of each route.
_OFTEN: Final = (
    ("GET", "/fhir/{type_name}"),
    ("GET", "/fhir/{type_name}/{id_}"),
    ("POST", "/fhir/{type_name}"),
    ("PUT", "/fhir/{type_name}/{id_}"),
    ("POST", "/fhir"),
)


@pytest.fixture(scope="module")
async def pair(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with both(server, tmp_path_factory.mktemp("installation")) as served:
        yield served


async def held_against(pair: Pair, scene: Scene, who: str, asked: Asked, step: int) -> int:
    """Ask in both worlds; the status of the answer, which must be the same to the last byte."""
    if who == "jiro" and any(word in asked.path for word in _LOG):
        # The log tells residents what was done to records that name them, whether or not they see these.
        who = "a"
    full, bare = await pair.told(who, asked, step)
    assert told_by(full) == told_by(bare), (who, asked)
    assert full.status_code < 500, (who, asked)
    scene.learn(asked, full)
    return full.status_code


@pytest.mark.parametrize("route", sorted(TELLING), ids=" ".join)
async def test_a_route_tells_nothing_of_what_is_hidden(pair: Pair, route: Route) -> None:
    draw, scene = Random(" ".join(route)), pair.again()
    callers = dict.fromkeys(CALLERS)
    for step in range(DRAWN_OF_EACH_ROUTE * len(callers)):
        who = tuple(callers)[step % len(callers)]
        await held_against(pair, scene, who, TELLING[route](draw, scene), step)


@settings(
    max_examples=max(1, settings().max_examples // EXAMPLES_A_SEQUENCE),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32))
async def test_hidden_records_change_no_byte_of_any_answer(pair: Pair, seed: int) -> None:
    draw, scene = Random(seed), pair.again()
    sequence: list[Step] = []
    for step in range(STEPS):
        asked = TELLING[draw.choice((*sorted(TELLING), *_OFTEN * 6))](draw, scene)
        sequence.append((draw.choice(CALLERS), asked, step))
        try:
            await held_against(pair, scene, *sequence[-1])
        except AssertionError as apart:
            raise AssertionError(await shortest(pair, sequence)) from apart


async def shortest(pair: Pair, sequence: list[Step]) -> list[Step]:
    """What of a sequence it takes for its last answers to be apart."""
    needed = sequence
    for one in sequence[-2::-1]:
        fewer = [each for each in needed if each is not one]
        scene = pair.again()
        try:
            for each in fewer:
                await held_against(pair, scene, *each)
        except AssertionError:
            needed = fewer
    return needed


async def test_the_requests_are_of_every_outcome(pair: Pair) -> None:
    draw, scene = Random(1), pair.again()
    statuses: Counter[int] = Counter()
    for step in range(200):
        asked = TELLING[draw.choice((*sorted(TELLING), *_OFTEN * 6))](draw, scene)
        statuses[await held_against(pair, scene, draw.choice(CALLERS), asked, step)] += 1
    assert {200, 400, 403, 404, 405} <= statuses.keys()
    assert statuses[200] > 30
    weight = made.weight(scene.people[0], meta=made.labelled("N"))
    writing = Asked.of("POST", "/fhir/Observation", weight)
    assert await held_against(pair, scene, "a", writing, 150) == 201
    assert scene.written
    walk = Asked.of("GET", f"/fhir/Observation?patient={scene.people[0]}&_count=1")
    assert await held_against(pair, scene, "a", walk, 151) == 200
    assert scene.links


async def test_whoever_sees_all_tells_the_worlds_apart(pair: Pair) -> None:
    """Otherwise the proof would prove nothing."""
    scene, apart = pair.again(), set()
    for route in sorted(TELLING):
        draw = Random(" ".join(route))
        for step in range(3):
            asked = TELLING[route](draw, scene)
            if asked.method == "GET":
                full, bare = await pair.told("hanako", asked, step)
                apart |= {route} if told_by(full) != told_by(bare) else set()
    assert len(apart) > 10
