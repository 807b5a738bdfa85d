"""Provisions that are said to do nothing do nothing, on generated worlds."""

from collections import Counter
from dataclasses import replace
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from consent.idle import Why, idle, without
from consent.model import Coding, Consent, Effect, Provision, Purpose, Record, Status
from consent.reference import decide
from consent.systems import RESOURCE_TYPES, SYSTEMS
from tests.examples import examples
from tests.unit.consent.words import ORG_H, P1
from tests.unit.consent.worlds import CODES, NOW, TYPES, World, worlds

WORLDS: Final = examples(400)


def whole(record: Record | None) -> Record | None:
    """Coded in the systems of its type, and without what is contained in it, which takes its container's codes."""
    if record is None:
        return None
    known = SYSTEMS.get(record.type)
    return replace(
        record,
        codes=frozenset(one for one in record.codes if known is None or one.system in known),
        parts=(),
        follows=tuple(whole(target) for target in record.follows),
    )


def _narrow(kind: str, code: Coding, barred: bool) -> tuple[Consent, ...]:
    permit = Provision(
        effect=Effect.PERMIT,
        actors=frozenset({ORG_H}),
        purposes=frozenset({Purpose.TREAT}),
        classes=frozenset({Coding(RESOURCE_TYPES, kind)}),
        codes=frozenset({code}),
    )
    one = Consent(reference="Consent/narrow", version=1, patient=P1, status=Status.ACTIVE, root=permit)
    bar = replace(one, reference="Consent/bar", root=replace(permit, effect=Effect.DENY, codes=frozenset()))
    return (one, bar) if barred else (one,)


NARROW: Final = st.builds(_narrow, st.sampled_from(TYPES), st.sampled_from(CODES), st.booleans())
"""A permit of one type and one code, of which many meet in no record; half of them under a bar of the type."""


def test_without_an_idle_provision_every_decision_is_the_same() -> None:
    found: Counter[Why] = Counter()

    @WORLDS
    @given(world=worlds(), narrow=NARROW)
    def compare(world: World, narrow: tuple[Consent, ...]) -> None:
        consents = (*world.consents, *narrow)
        records = [one for one in map(whole, world.records) if one is not None]
        for reason in idle(consents, {one.reference for one in consents}, NOW):
            found[reason.why] += 1
            others = [
                without(one, reason.path) if one.reference == reason.consent else one for one in consents
            ]
            for record in records:
                assert decide(others, record, world.request) == decide(consents, record, world.request), (
                    reason
                )

    compare()
    assert all(found[why] for why in Why), found
