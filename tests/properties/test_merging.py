"""Laws of merging: undone it was never there, and while it stands it shows nobody a record more.

http://hl7.org/fhir/R4/patient.html#merge
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests import resources as made
from tests.cast import Cast, cast_of
from tests.databases import Database
from tests.identities import agreed, proposed, separated
from tests.town import Town, Voice, answered, served
from tests.unit.consent.words import Json, deny, permit

REGISTRATIONS: Final = 4
FEW: Final = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A world costs seconds: one that breaks the law is shown as it was drawn.
    phases=(Phase.reuse, Phase.generate),
)

PLACES: Final = st.integers(0, REGISTRATIONS - 1)
CODES: Final = st.sampled_from([made.BODY_WEIGHT, made.HEART_RATE])


@dataclass(frozen=True)
class Registration:
    """What one registration holds: the codes of its records, to whom it grants what, and what it denies."""

    records: Sequence[tuple[str, str]]
    grants: Sequence[tuple[int, tuple[str, str] | None]]
    denied: tuple[str, str] | None


@dataclass(frozen=True)
class World:
    """Registrations, which of them are merged in which order, and in which order that is undone."""

    registrations: Sequence[Registration]
    merges: Sequence[tuple[int, int]]
    undone: Sequence[int]


def worlds() -> st.SearchStrategy[World]:
    registration = st.builds(
        Registration,
        records=st.lists(CODES, max_size=3),
        grants=st.lists(st.tuples(st.integers(0, 1), st.none() | CODES), max_size=2),
        denied=st.none() | st.none() | CODES,
    )
    return st.builds(
        World,
        registrations=st.lists(registration, min_size=REGISTRATIONS, max_size=REGISTRATIONS),
        merges=st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=4),
        undone=st.permutations(range(4)),
    )


@dataclass(frozen=True, repr=False)
class Place:
    """The served passport that the worlds are put into, one after the other, and its event loop."""

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
        yield Place(town, portal.call(cast_of, town), portal)


@FEW
@given(world=worlds())
def test_a_merge_that_was_undone_was_never_there(place: Place, world: World) -> None:
    place.portal.call(_merged_and_undone, place.town, place.cast, world)


async def _merged_and_undone(town: Town, cast: Cast, world: World) -> None:
    people = [await _registered(town, cast, one) for one in world.registrations]
    strangers = [cast.a, cast.a_at_k, town.as_(cast.pharmacy)]
    before = [await _told(voice, people) for voice in (*strangers, *people)]
    seen = [await _seen(voice, people) for voice in strangers]
    merges, families = [], [{at} for at in range(REGISTRATIONS)]
    for survivor, duplicate in world.merges:
        merge = await _merge(people[survivor], people[duplicate])
        if merge is not None:
            merges.append(merge)
            family = families[survivor] | families[duplicate]
            for at in family:
                families[at] = family
    for voice, theirs in zip(strangers, seen, strict=True):
        assert await _seen(voice, people) == [
            set().union(*(theirs[other] for other in families[at])) for at in range(REGISTRATIONS)
        ]
    for at in world.undone:
        if at < len(merges):
            await separated(town, merges[at])
    assert [await _told(voice, people) for voice in (*strangers, *people)] == before


async def _registered(town: Town, cast: Cast, registration: Registration) -> Voice:
    voice = await town.resident()
    for code in registration.records:
        await voice.create(made.observation(voice.reference, code))
    for actor, shared in registration.grants:
        await voice.grant(permit((cast.hospital, cast.clinic)[actor], codes=[shared] if shared else []))
    if registration.denied is not None:
        await voice.grant(deny(codes=[registration.denied]))
    await voice.grant(permit(cast.hospital, types=["Patient"]))
    return voice


async def _merge(survivor: Voice, duplicate: Voice) -> Json | None:
    """A merge, None where it cannot be: of one with itself, or of what another one replaces."""
    answer = await proposed(survivor, duplicate)
    assert answer.status_code in (201, 400, 409), answer.text
    return await agreed(survivor.town, answer) if answer.status_code == 201 else None


async def _seen(voice: Voice, people: Sequence[Voice]) -> list[set[str]]:
    """What a search about each finds."""
    return [set(await voice.found("Observation", ("patient", one.reference))) for one in people]


async def _told(voice: Voice, people: Sequence[Voice]) -> list[Any]:
    """Whatever a caller is told of everybody; of a Patient without its version."""
    told: list[Any] = [answered(await voice.get("Observation", ("_total", "accurate"), ("_sort", "_id")))]
    for one in people:
        told.append(answered(await voice.get(f"{one.reference}/Observation")))
        told.append(answered(await voice.get("Consent", ("patient", one.reference))))
        answer = await voice.get(one.reference)
        tree: Json = answer.json()
        told.append((answer.status_code, {name: value for name, value in tree.items() if name != "meta"}))
    return told
