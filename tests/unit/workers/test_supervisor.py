"""The supervisor starts again what dies, and waits longer for what dies at once."""

import time
from collections.abc import Iterator

import pytest

from workers.supervisor import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, STEADY_SECONDS, Child

SECONDS = 30


@pytest.fixture
def child() -> Iterator[Child]:
    """A process that ends by itself."""
    made = Child(("--help",))
    yield made
    made.stop(time.monotonic())


def ended(child: Child) -> None:
    assert child.process is not None
    child.process.wait(SECONDS)


def test_a_process_that_ended_starts_again_after_its_pause(child: Child) -> None:
    child.tend(0)
    ended(child)
    child.tend(1)
    assert child.process is None
    child.tend(1 + FIRST_PAUSE_SECONDS)
    assert child.process is not None


def test_the_pause_doubles_up_to_a_bound_and_a_healthy_life_resets_it(child: Child) -> None:
    now, pauses = 0.0, []
    for _ in range(2):
        child.tend(now)
        ended(child)
        child.tend(now)
        pauses.append(child.pause)
        now += child.pause
    assert pauses == [FIRST_PAUSE_SECONDS, 2 * FIRST_PAUSE_SECONDS]
    child.pause = LONGEST_PAUSE_SECONDS
    now += LONGEST_PAUSE_SECONDS
    child.tend(now)
    ended(child)
    child.tend(now + 1)
    assert child.pause == LONGEST_PAUSE_SECONDS
    now += 1 + LONGEST_PAUSE_SECONDS
    child.tend(now)
    ended(child)
    child.tend(now + STEADY_SECONDS)
    assert child.pause == FIRST_PAUSE_SECONDS
