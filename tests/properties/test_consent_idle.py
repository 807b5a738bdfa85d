"""Provisions that are said to do nothing do nothing, on generated worlds."""

from collections import Counter
from dataclasses import replace
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from consent.idle import Why, idle, without
from consent.model import Coding, Consent, Effect, Provision, Purpose, Record, Status
from consent.reference import decide
from consent.systems import RESOURCE_TYPES
from tests.examples import examples
from tests.unit.consent.words import ORG_H, P1
from tests.unit.consent.worlds import CODES, NOW, TYPES, World, worlds

WORLDS: Final = examples(400)


def whole(record: Record | None) -> Record | None:
    """Without what is contained in it, which takes the codes of a container of another type."""
    if record is None:
        return None
    return replace(record, parts=(), follows=tuple(whole(target) for target in record.follows))


NARROW: Final = st.builds(
    lambda kind, code: Consent(
        reference="Consent/narrow",
        version=1,
        patient=P1,
        status=Status.ACTIVE,
        root=Provision(
            effect=Effect.PERMIT,
            actors=frozenset({ORG_H}),
            purposes=frozenset({Purpose.TREAT}),
            classes=frozenset({Coding(RESOURCE_TYPES, kind)}),
            codes=frozenset({code}),
        ),
    ),
    st.sampled_from(TYPES),
    st.sampled_from(CODES),
)
"""A permit of one type and one code, of which many meet in no record."""


def test_without_an_idle_provision_every_decision_is_the_same() -> None:
    found: Counter[Why] = Counter()

    @WORLDS
    @given(world=worlds(), narrow=NARROW)
    def compare(world: World, narrow: Consent) -> None:
        consents = (*world.consents, narrow)
        records = [one for one in map(whole, world.records) if one is not None]
        for reason in idle(consents, {one.reference for one in consents}, NOW):
            found[reason.why] += 1
            others = [
                without(one, reason.path) if one.reference == reason.consent else one
                for one in world.consents
            ]
            for record in records:
                assert decide(others, record, world.request) == decide(
                    world.consents, record, world.request
                ), reason

    compare()
    assert all(found[why] > 2 for why in Why), found
