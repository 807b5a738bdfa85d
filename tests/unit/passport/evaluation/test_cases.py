"""The worked cases as worlds that anybody can try: `docs/samples/consent/cases.jsonl`."""

from typing import Final

import orjson
import pytest

from passport.evaluation.trial import Trial
from passport.evaluation.world import world_of
from tests.unit.consent.words import TOKYO, Json
from tests.unit.house.source import ROOT

SAMPLES: Final = ROOT / "docs" / "samples" / "consent" / "cases.jsonl"
WORLDS: Final[list[Json]] = [orjson.loads(line) for line in SAMPLES.read_bytes().splitlines()]
CASES: Final = 23


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"{world['case']}: {world['says']}")
def test_a_worked_case_comes_out_as_it_says(trial: Trial, world: Json) -> None:
    (decided,) = trial.decided([world_of(world, TOKYO)])
    expected = {name: verdict == "permit" for name, verdict in world["expected"].items()}
    assert decided.reference == expected
    assert decided.sql == expected
    assert [refusal.consent for refusal in decided.refused] == world.get("refused", [])


def test_every_worked_case_is_there() -> None:
    assert sorted({world["case"] for world in WORLDS}) == list(range(1, CASES + 1))
