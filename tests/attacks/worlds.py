"""The same passport twice: once with records that a caller may not see, once as if they had never been written.

Clock, ids and keys are the same in both, so that an answer of one may be held against the other byte by byte.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests import resources as made
from tests.cast import Cast, cast_of
from tests.databases import Database
from tests.town import Clock, Town, Voice, served
from tests.unit.consent.words import Json, deny, permit

BEGINNING: Final = datetime(2026, 11, 1, tzinfo=UTC)
DAYS: Final = tuple(f"2026-10-{day:02d}" for day in range(1, 8))


class Steps(Clock):
    """A clock that stands still within a step of a story."""

    def __init__(self) -> None:
        super().__init__()
        self.step = 0

    def __call__(self) -> datetime:
        return BEGINNING + timedelta(seconds=10 * self.step)


@dataclass
class Names:
    """Ids by the part of the story in which they are given: what is left out of one part shifts no other."""

    part: str = "directory"
    given: Counter[str] = field(default_factory=Counter)

    def __call__(self) -> str:
        self.given[self.part] += 1
        return f"{self.part}-{self.given[self.part]:04d}"


@dataclass(frozen=True)
class World:
    """One of the two; `hides` says whether the hidden records were written."""

    town: Town
    cast: Cast
    names: Names
    clock: Steps
    hides: bool
    hanako: Voice
    taro: Voice

    async def tell(self, part: str, step: int, voice: Voice, method: str, target: Any) -> None:
        """A step of what happened before the caller came."""
        self.names.part, self.clock.step = part, step
        if method == "create":
            await voice.create(target)
        elif method == "remove":
            await voice.remove(target)
        else:
            reference, tree = target
            await voice.replace(reference, tree)


@asynccontextmanager
async def world(database: Database, state: Path, *, hides: bool) -> AsyncIterator[World]:
    """A served passport in which the story was told."""
    names, clock = Names(), Steps()
    async with served(database, state, clock=clock, new_id=names) as town:
        cast = await cast_of(town)
        names.part = "people"
        hanako, taro = await town.resident("見本 花子"), await town.resident("見本 太郎")
        told = World(town, cast, names, clock, hides, hanako, taro)
        await _consents(told)
        for step, (part, voice, method, target) in enumerate(_story(told), start=10):
            if hides or part != "hidden":
                await told.tell(part, step, voice, method, target)
        names.part, clock.step = "sequence", 1_000
        yield told


async def _consents(told: World) -> None:
    """Physician A reads and writes Hanako's unrestricted weights; of Taro's passport A sees nothing."""
    weights: Any = {"codes": [made.BODY_WEIGHT], "labels": ["N"]}
    cast = told.cast
    told.names.part = "consents"
    await told.hanako.grant(
        permit(cast.hospital, **weights),
        permit(cast.hospital, **weights, actions=["collect", "correct"]),
        permit(cast.hospital, types=["Provenance"]),
        deny(cast.dr_b),
    )
    await told.taro.grant(permit(cast.clinic), deny(cast.hospital))


def _story(told: World) -> list[tuple[str, Voice, str, Any]]:
    """Who wrote what in which order; `shown` and `hidden` count their ids apart."""
    hanako, taro = told.hanako, told.taro
    story: list[tuple[str, Voice, str, Any]] = []
    for at, day in enumerate(DAYS, start=1):
        story.append(("shown", hanako, "create", _weight(hanako, day, "N")))
        for voice, tree in (
            (hanako, made.pressure(hanako.reference, time=day)),
            (hanako, _weight(hanako, day, "R")),
            (hanako, made.prescription(hanako.reference, made.CANDESARTAN, time=day)),
            (hanako, _with_contained(hanako, day)),
            (taro, _weight(taro, day, "N")),
        ):
            story.append(("hidden", voice, "create", tree))
        if at % 3 == 0:
            shown, hidden = f"Observation/shown-{at:04d}", f"Observation/hidden-{5 * at - 4:04d}"
            story.append(("shown", hanako, "replace", (shown, _weight(hanako, day, "N"))))
            story.append(("hidden", hanako, "remove", hidden))
    story.append(("shown", hanako, "remove", "Observation/shown-0001"))
    story.append(("hidden", hanako, "create", made.weight(hanako.reference)))
    story.append(("hidden", taro, "create", made.allergy(taro.reference)))
    return story


def _weight(voice: Voice, day: str, label: str) -> Json:
    system = "http://example.test/weights"
    return made.weight(
        voice.reference, time=day, meta=made.labelled(label), identifier=made.identifiers((system, day))
    )


def _with_contained(voice: Voice, day: str) -> Json:
    inside = {**made.prescription(voice.reference, made.CANDESARTAN), "id": "m"}
    return {**_weight(voice, day, "N"), "contained": [inside], "basedOn": [made.reference("#m")]}
