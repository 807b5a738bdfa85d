"""Law: whatever happens afterwards, each row of the log is decided again as it was decided, by the reference.

http://hl7.org/fhir/R4/auditevent.html
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Final

import psycopg
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from passport.replay.report import Outcome, Report
from passport.replay.running import replayed
from tests.cast import Cast, cast_of
from tests.databases import Database
from tests.replaying import reports
from tests.stories import Story, policy_of
from tests.town import Town, served

STEPS: Final = 60
EXAMPLES_A_STORY: Final = 32
"""A story costs what so many examples of other properties cost."""

DENIED: Final = "the reference denies"
MOST_FORGED: Final = 5
FORGE: Final = """
WITH record AS (
    SELECT patient_key, record_key, version FROM resource WHERE id = split_part(%s, '/', 2)
),
forged AS (
    SELECT audit_event.* FROM audit_event WHERE audit_id = %s
)
INSERT INTO audit_event SELECT r.patient_key, gen_random_uuid(), f.recorded, f.action, f.kind, f.subject, f.role,
    f.client, f.behalf_of, f.purpose, f.query, ARRAY[r.record_key], ARRAY[r.version], '{}', 'success', '',
    f.session_id, '{access}', f.rules, f.written_in, f.seen
FROM forged AS f, record AS r
RETURNING audit_id
"""

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
# In an emergency somebody reads a Provenance, which names no patient of its own.
@example(seed=238)
def test_each_row_of_the_log_is_decided_again_as_it_was_and_a_forged_one_is_not(
    place: Place, seed: int
) -> None:
    told = place.portal.call(_told, place, seed)
    apart = ["\n".join(report.lines()) for report in told if report.outcome is Outcome.DISAGREES]
    assert not apart, "\n\n".join(apart)
    came = Counter(report.outcome for report in told)
    assert came[Outcome.AGREES] > STEPS / 4, "a story in which nothing is decided proves nothing"
    denied = [report for report in told if any(one.decided == DENIED for one in report.findings)]
    for report in denied[:MOST_FORGED]:
        forged = _forged(place.town.database, report)
        assert place.portal.call(replayed, place.town.runtime, forged).outcome is Outcome.DISAGREES
        _removed(place.town.database, forged)


async def _told(place: Place, seed: int) -> list[Report]:
    """The reports of all that a story wrote into the log."""
    town = place.town
    known = {id_ for (id_,) in town.rows("SELECT audit_id::text FROM audit_event")}
    story = Story(town, place.cast, Random(seed))
    await story.begin()
    for _ in range(STEPS):
        await story.step()
    return await reports(town, known)


def _forged(database: Database, report: Report) -> str:
    """A row that says of a record which was denied that it was shown, at the same instant to the same caller."""
    denied = next(one.what for one in report.findings if one.decided == DENIED)
    with psycopg.connect(database.superuser_url) as connection:
        ((forged,),) = connection.execute(FORGE, [denied, str(report.row.place.audit_id)]).fetchall()
    return str(forged)


def _removed(database: Database, audit_id: str) -> None:
    with psycopg.connect(database.superuser_url) as connection:
        connection.execute("DELETE FROM audit_event WHERE audit_id = %s", [audit_id])
