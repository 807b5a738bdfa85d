"""Explanations agree with what they explain, on generated worlds."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.explain import explain, outline
from consent.explanation import Explanation, Outside, View, Weighed
from consent.model import Effect, Status
from consent.reference import decide
from tests.examples import examples
from tests.unit.consent.worlds import World, worlds

WORLDS: Final = examples(100)


def explained(world: World) -> list[Explanation]:
    return [explain(world.consents, record, world.request) for record in world.records]


def views(told: Explanation | None) -> list[View]:
    """Every view of it, and of what it follows."""
    if told is None:
        return []
    return [*told.views, *(view for target in told.follows for view in views(target))]


@WORLDS
@given(world=worlds())
def test_an_explanation_comes_to_what_the_reference_decides(world: World) -> None:
    for record, told in zip(world.records, explained(world), strict=True):
        assert told.permitted is decide(world.consents, record, world.request)


@WORLDS
@given(world=worlds())
def test_what_is_named_as_the_reason_is_one(world: World) -> None:
    """Without the consents that let a record through, it is not let through."""
    for record, told in zip(world.records, explained(world), strict=True):
        relied = {one.consent.reference for view in told.views for one in view.because}
        if not told.permitted or not relied or any(view.outside is Outside.FOLLOWS for view in told.views):
            continue
        if all(view.because for view in told.views):
            without = [one for one in world.consents if one.reference not in relied]
            assert not decide(without, record, world.request)


@WORLDS
@given(world=worlds())
def test_a_refusal_names_what_stands_in_the_way(world: World) -> None:
    for told in explained(world):
        for view in views(told):
            if view.permitted or view.outside is Outside.UNOPENED:
                continue
            assert view.blocked or all(any(one.failing()) for one in view.grants)


@WORLDS
@given(world=worlds())
def test_every_provision_that_counts_is_named_once_by_its_path(world: World) -> None:
    for told in explained(world):
        for view in told.views:
            if view.outside is not None:
                continue
            named = [(one.consent.reference, one.effect, one.path) for one in view.weighed]
            assert len(named) == len(set(named))
            counted = [one for one in world.consents if one.status is Status.ACTIVE]
            counted = [one for one in counted if one.patient in {None, view.patient}]
            assert {reference for reference, _, _ in named} == {one.reference for one in counted}
            assert sum(effect is Effect.DENY for _, effect, _ in named) == sum(
                one.root is not None and one.root.effect is Effect.DENY for one in counted
            )


@WORLDS
@given(world=worlds(), typed=st.booleans())
def test_an_outline_is_certain_only_of_what_holds_for_every_record(world: World, typed: bool) -> None:
    for record, told in zip(world.records, explained(world), strict=True):
        weighed = outline(world.consents, world.request, record.type if typed else None)
        certain = {key(one): one.truth for one in weighed if one.truth is not None}
        for view in told.views:
            if view.record is record:
                found = {key(one): one.truth for one in view.weighed}
                assert found == {**found, **{at: certain[at] for at in found.keys() & certain.keys()}}


def key(one: Weighed) -> tuple[str, Effect, str]:
    return one.consent.reference, one.effect, one.path


@WORLDS
@given(world=worlds())
def test_what_another_person_decided_is_left_out_of_what_a_person_is_told(world: World) -> None:
    for told in explained(world):
        for view in views(told.of({"Patient/p1"})):
            assert view.patient == "Patient/p1"
        assert told.of({"Patient/p1"}).permitted is told.permitted


@pytest.mark.parametrize("share", [(0.1, 0.9)])
def test_the_worlds_are_explained_both_ways(share: tuple[float, float]) -> None:
    permitted, asked = 0, 0

    @WORLDS
    @given(world=worlds())
    def count(world: World) -> None:
        nonlocal permitted, asked
        told = explained(world)
        permitted, asked = permitted + sum(one.permitted for one in told), asked + len(told)

    count()
    assert share[0] < permitted / asked < share[1]
