"""Worlds of a row of seeds, decided by the reference and by the SQL: they have to agree about every record."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from passport.evaluation.trial import Decided, Trial
from passport.evaluation.world import world_of
from tests.properties.drawn_worlds import drawn_world
from tests.unit.consent.words import TOKYO

SECRET: Final = b"a secret of the tests alone"
TOGETHER: Final = 50

LEAST_SHARE: Final = 0.1
MOST_SHARE: Final = 0.9


class Agreement:
    """What was decided so far; `shown` of `asked` records were permitted."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self.shown = self.asked = 0

    def hold(self, seeds: Iterable[str]) -> None:
        """Decide the world of each seed, and fail with the seed of one about which the two differ."""
        left = iter(seeds)
        while batch := list(islice(left, TOGETHER)):
            for seed, decided in zip(batch, self._decided(batch), strict=True):
                assert decided.sql == decided.reference, f"world of seed {seed!r}"
                self.asked += len(decided.reference)
                self.shown += sum(decided.reference.values())

    def check_share(self) -> None:
        """A generator that permits all or nothing proves nothing."""
        assert LEAST_SHARE < self.shown / self.asked < MOST_SHARE

    def _decided(self, seeds: list[str]) -> Iterator[Decided]:
        yield from self._trial.decided([world_of(drawn_world(seed), TOKYO) for seed in seeds])
