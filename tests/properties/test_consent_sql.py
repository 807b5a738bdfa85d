"""Law 5: the SQL shows exactly the records that the reference permits, on every PostgreSQL at hand."""

from random import Random

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from consent.reference import decide
from tests.databases import Database
from tests.examples import examples
from tests.unit.consent.enforcement import Enforcement
from tests.unit.consent.words import VITAL_SIGNS
from tests.unit.consent.worlds import World, worlds

WORLDS = 150


def test_the_sql_shows_exactly_what_the_reference_permits(each_database: Database) -> None:
    with psycopg.connect(each_database.superuser_url) as connection:
        compare_worlds(Enforcement(connection))


def compare_worlds(enforcement: Enforcement) -> None:
    shown = asked = 0

    @examples(WORLDS)
    @given(world=worlds(), seed=st.integers(0, 3), only=st.sampled_from((None, None, None, 0, -1, -2)))
    def compare(world: World, seed: int, only: int | None) -> None:
        nonlocal shown, asked
        within = None if only is None else frozenset({world.records[only].type})
        records = [one for one in world.records if within is None or one.type in within]
        permitted = {one.reference for one in records if decide(world.consents, one, world.request)}
        # An absent fact is an empty array or NULL, a category stated or implied: neither may matter.
        chance = Random(seed)
        enforced = enforcement.visible(
            world.consents,
            world.records,
            world.request,
            empty=lambda: [] if chance.random() < 0.5 else None,
            implied=frozenset({VITAL_SIGNS}) if seed % 2 else frozenset(),
            within=within,
        )
        assert enforced == permitted
        shown, asked = shown + len(permitted), asked + len(records)

    compare()
    assert 0.1 < shown / asked < 0.9, "a generator that permits all or nothing proves nothing"
