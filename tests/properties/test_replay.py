"""Law: whatever happens afterwards, each row of the log is decided again as it was decided, by the reference.

http://hl7.org/fhir/R4/auditevent.html
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from passport.replay.report import Outcome
from tests.cast import Cast, cast_of
from tests.databases import Database
from tests.replaying import agreed
from tests.stories import Story, policy_of
from tests.town import Town, served

STEPS: Final = 60
EXAMPLES_A_STORY: Final = 32
"""A story costs what so many examples of other properties cost."""

FEW: Final = settings(
    max_examples=max(1, settings().max_examples // EXAMPLES_A_STORY),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A story costs seconds: one that breaks the law is shown as it was drawn.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@dataclass(frozen=True, repr=False)
class Place:
    """The served passport that the stories are told in, one after the other, and its event loop."""

    town: Town
    cast: Cast
    portal: BlockingPortal


@pytest.fixture(scope="module")
def place(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with _running(module_database, tmp_path_factory) as running:
        yield running


@contextmanager
def _running(database: Database, folders: pytest.TempPathFactory) -> Iterator[Place]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(served(database, folders.mktemp("installation"))) as town,
    ):
        cast = portal.call(cast_of, town)
        portal.call(policy_of, town, cast)
        yield Place(town, cast, portal)


@FEW
@given(seed=st.integers(0, 2**32))
def test_each_row_of_the_log_is_decided_again_as_it_was(place: Place, seed: int) -> None:
    came = place.portal.call(_told_and_replayed, place, seed)
    assert came[Outcome.AGREES] > STEPS / 4, "a story in which nothing is decided proves nothing"


async def _told_and_replayed(place: Place, seed: int) -> Counter[Outcome]:
    town = place.town
    known = {id_ for (id_,) in town.rows("SELECT audit_id::text FROM audit_event")}
    story = Story(town, place.cast, Random(seed))
    await story.begin()
    for _ in range(STEPS):
        await story.step()
    return await agreed(town, known)
