"""Laws 1 to 4 of the consent definition, on the reference."""

from dataclasses import replace
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.model import Consent, Effect, Provision, Record, Status
from consent.reference import decide
from tests.examples import examples
from tests.unit.consent.worlds import World, consents, provisions, worlds

LAWS: Final = examples(200)

ERASED: Final[dict[str, dict[str, Any]]] = {
    "codes": {"codes": frozenset()},
    "categories": {"categories": frozenset()},
    "authors": {"authors": frozenset(), "source": None},
    "labels": {"confidentiality": None, "sensitivities": frozenset()},
    "time": {"time": None},
}


def permitted(world: World, given: tuple[Consent, ...] | None = None) -> set[str | None]:
    chosen = world.consents if given is None else given
    return {record.reference for record in world.records if decide(chosen, record, world.request)}


def active(root: Provision, patient: str | None) -> Consent:
    return Consent(reference="Consent/new", version=1, patient=patient, status=Status.ACTIVE, root=root)


@LAWS
@given(world=worlds(), seed=st.integers(0, 2**16))
def test_order_and_duplicates_of_consents_never_matter(world: World, seed: int) -> None:
    chance = Random(seed)
    shuffled = [*world.consents, *chance.choices(world.consents, k=2)]
    chance.shuffle(shuffled)
    assert permitted(world, tuple(shuffled)) == permitted(world)


@LAWS
@given(world=worlds(), root=provisions(Effect.PERMIT), patient=st.sampled_from(("Patient/p1", None)))
def test_adding_a_consent_whose_root_permits_never_takes_access_away(
    world: World, root: Provision, patient: str | None
) -> None:
    assert permitted(world) <= permitted(world, (*world.consents, active(root, patient)))


@LAWS
@given(world=worlds(), root=provisions(Effect.DENY), patient=st.sampled_from(("Patient/p1", None)))
def test_adding_a_root_deny_without_exceptions_never_gives_access(
    world: World, root: Provision, patient: str | None
) -> None:
    bare = replace(root, children=())
    assert permitted(world, (*world.consents, active(bare, patient))) <= permitted(world)


@LAWS
@given(world=worlds())
@pytest.mark.parametrize("fact", ERASED)
def test_erasing_a_whole_fact_of_a_record_never_gives_access(fact: str, world: World) -> None:
    def erased(record: Record | None) -> Record | None:
        return record and replace(
            record, **ERASED[fact], follows=tuple(erased(target) for target in record.follows)
        )

    for record in world.records:
        poorer = erased(record)
        assert poorer is not None
        if decide(world.consents, poorer, world.request):
            assert decide(world.consents, record, world.request)


@LAWS
@given(world=worlds(), other=consents())
def test_a_consent_that_does_not_count_changes_nothing(world: World, other: Consent) -> None:
    for status in Status:
        if status is not Status.ACTIVE:
            waiting = replace(other, status=status)
            assert permitted(world, (*world.consents, waiting)) == permitted(world)
