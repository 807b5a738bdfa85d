"""Where one provision certainly holds, or certainly does not, as others do: each attribute by itself."""

from datetime import timedelta
from typing import Any

import pytest

from consent.comparing import Head, Leads, apart, implied, never, uncoded
from consent.model import Action, Coding, Confidentiality, Data, Effect, Interval, Meaning, Provision, Purpose
from consent.reference import Role
from consent.systems import ACT_CODE, ATC, CODELESS, LOINC, RESOURCE_TYPES
from tests.unit.consent.words import DR_A, DR_B, NOW, ORG_H, VITAL_SIGNS, day, year

WEIGHT, HEIGHT = Coding(LOINC, "29463-7"), Coding(LOINC, "8302-2")
C09, N06 = Coding(ATC, "C09"), Coding(ATC, "N06")
HIV, PSY = Coding(ACT_CODE, "HIV"), Coding(ACT_CODE, "PSY")
OF_1, OF_2 = (Data(Meaning.INSTANCE, f"Observation/{n}") for n in (1, 2))
WITH_1 = Data(Meaning.DEPENDENTS, "Observation/1")
BY_1 = Data(Meaning.AUTHOREDBY, "Observation/1")
EARLIER, LATER = NOW - timedelta(days=9), NOW + timedelta(days=9)
LAST = LATER + timedelta(days=9)

Attributes = dict[str, Any]


def head(effect: Effect = Effect.PERMIT, role: Role = Role.GRANTING, **attributes: Any) -> Head:
    """A provision with these attributes; sets are frozen."""
    frozen: Attributes = {
        name: frozenset(one) if isinstance(one, set) else one for name, one in attributes.items()
    }
    return Head(Provision(effect=effect, **frozen), role)


def exception(effect: Effect = Effect.DENY, **attributes: Any) -> Head:
    return head(effect, Role.EXCEPTION, **attributes)


def of(*types: str) -> set[Coding]:
    return {Coding(RESOURCE_TYPES, name) for name in types}


def labels(levels: str) -> set[Confidentiality]:
    return {Confidentiality[one] for one in levels}


def implies(one: Head, other: Head, leads: Leads | None = None, *beside: Head) -> bool:
    """Whether the other holds wherever the one does; that nothing is implied by less is checked beside it."""
    found = implied([one, *beside], other, NOW, leads or {})
    plain = head(one.provision.effect, one.role)
    # A head that asks for nothing takes nothing away, wherever it stands.
    assert implied([plain, one, *beside], other, NOW, leads or {}) is found
    assert implied([one, *beside, plain], other, NOW, leads or {}) is found
    return found


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"codes": {WEIGHT}}, {"codes": {WEIGHT, HEIGHT}}, True),
        ({"codes": {WEIGHT}}, {"codes": {WEIGHT}}, True),
        ({"codes": {WEIGHT, HEIGHT}}, {"codes": {WEIGHT}}, False),
        ({}, {"codes": {WEIGHT}}, False),
        ({"data_period": day(2024, 6, 1)}, {"data_period": year(2024)}, True),
        ({"data_period": year(2024)}, {"data_period": year(2024)}, True),
        ({"data_period": year(2024)}, {"data_period": day(2024, 6, 1)}, False),
        ({"data_period": year(2023)}, {"data_period": year(2024)}, False),
        ({}, {"data_period": year(2024)}, False),
        ({"data": {OF_1}}, {"data": {OF_1, OF_2}}, True),
        ({"data": {OF_1}}, {"data": {WITH_1}}, True),
        ({"data": {WITH_1}}, {"data": {OF_1}}, False),
        ({"data": {BY_1}}, {"data": {WITH_1}}, False),
        ({"data": {BY_1}}, {"data": {BY_1}}, True),
        ({"data": {OF_1, OF_2}}, {"data": {OF_1}}, False),
        ({}, {"data": {OF_1}}, False),
        ({"actors": {DR_A}}, {"actors": {DR_A, DR_B}}, True),
        ({"actors": {DR_A, DR_B}}, {"actors": {DR_A}}, False),
        ({}, {"actors": {DR_A}}, False),
        ({"classes": of("Observation")}, {"classes": of("Observation", "Condition")}, True),
        ({"classes": of("Observation")}, {"classes": of("Observation")}, True),
        ({"classes": of("Observation")}, {"classes": of("Condition")}, False),
        ({}, {"classes": of("Observation")}, False),
        ({"sensitivities": {HIV}}, {"sensitivities": {HIV, PSY}}, True),
        ({"sensitivities": {HIV}}, {"sensitivities": {HIV}}, True),
        ({"sensitivities": {HIV, PSY}}, {"sensitivities": {HIV}}, False),
        ({"sensitivities": {HIV}}, {"confidentiality": labels("R")}, False),
        ({"confidentiality": labels("R")}, {"sensitivities": {HIV}}, False),
        ({}, {"sensitivities": {HIV}}, False),
        ({}, {}, True),
    ],
)
def test_what_asks_for_no_less_implies_what_asks_for_more(
    one: Attributes, other: Attributes, expected: bool
) -> None:
    assert implies(head(**one), exception(**other)) is expected


@pytest.mark.parametrize(
    ("one", "other", "permits", "denies"),
    [
        ("L", "N", True, False),
        ("N", "N", True, True),
        ("R", "N", False, True),
        ("UN", "LM", False, False),
        ("L", "UN", True, True),
        ("NV", "R", False, False),
        ("R", "NV", True, True),
    ],
)
def test_a_level_is_implied_downwards_by_permits_and_upwards_by_denies(
    one: str, other: str, permits: bool, denies: bool
) -> None:
    for effect, expected in ((Effect.PERMIT, permits), (Effect.DENY, denies)):
        lower = head(effect, confidentiality=labels(one))
        assert implies(lower, exception(effect, confidentiality=labels(other))) is expected
        otherwise = Effect.DENY if effect is Effect.PERMIT else Effect.PERMIT
        assert not implies(lower, exception(otherwise, confidentiality=labels(other)))


def test_whoever_acts_for_an_actor_is_named_with_it() -> None:
    leads = {"PractitionerRole/a": frozenset({ORG_H})}
    both = head(actors={"PractitionerRole/a", DR_A})
    assert implies(head(actors={"PractitionerRole/a"}), exception(actors={ORG_H}), leads)
    assert not implies(both, exception(actors={ORG_H}), leads)


def test_periods_are_compared_from_now_on_and_in_common() -> None:
    begun, ends = Interval(EARLIER, LATER), head(period=Interval(None, LAST))
    assert implies(head(period=begun), exception(period=Interval(EARLIER + timedelta(days=1), LATER)))
    assert implies(head(period=begun), exception(period=Interval(None, LATER)), None, ends)
    assert implies(head(period=Interval(EARLIER, None)), exception(period=Interval(None, LAST)), None, ends)
    assert not implies(head(period=begun), exception(period=Interval(LATER, None)))
    assert not implies(head(), exception(period=begun))


def test_without_class_some_types_are_left_out() -> None:
    assert implies(head(classes=of("Observation")), exception())
    named = implied([head(classes=of("Observation", "Consent"))], exception(), NOW, {})
    categorised = implied([head(classes={VITAL_SIGNS})], exception(), NOW, {})
    assert (named, categorised) == (False, False)
    assert implied([head(classes={VITAL_SIGNS}), head()], exception(), NOW, {})


def test_what_is_absent_means_something_else_in_each_role() -> None:
    all_but_emergencies = frozenset(Purpose) - {Purpose.BTG}
    assert [head(role=role).purposes for role in Role] == [
        all_but_emergencies,
        all_but_emergencies,
        frozenset(Purpose),
        frozenset(Purpose),
    ]
    assert [head(role=role).actions for role in Role] == [
        frozenset({Action.ACCESS}),
        *[frozenset(Action)] * 3,
    ]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"confidentiality": labels("N")}, {"confidentiality": labels("R")}, True),
        ({"confidentiality": labels("N")}, {"confidentiality": labels("N")}, False),
        ({"confidentiality": labels("LR")}, {"confidentiality": labels("N")}, False),
        ({"confidentiality": labels("N")}, {"confidentiality": labels("LV")}, False),
        ({"confidentiality": labels("N")}, {}, False),
        ({}, {"confidentiality": labels("N")}, False),
        ({"data_period": year(2024)}, {"data_period": year(2025)}, True),
        ({"data_period": year(2024)}, {"data_period": day(2024, 6, 1)}, False),
        ({}, {"data_period": year(2025)}, False),
        ({"data_period": year(2024)}, {}, False),
        ({"classes": of("Observation")}, {"classes": of("Condition")}, True),
        ({"classes": {*of("Observation"), VITAL_SIGNS}}, {"classes": of("Condition")}, False),
        ({"classes": of(*CODELESS)}, {"classes": of(*CODELESS), "codes": {WEIGHT}}, True),
        ({"classes": of("Encounter")}, {}, False),
        ({"classes": of("MedicationRequest")}, {"codes": {WEIGHT}}, False),
        ({"classes": of("MedicationRequest"), "codes": {C09}}, {"codes": {WEIGHT}}, True),
        ({"classes": of("MedicationRequest"), "codes": {C09}}, {"codes": {N06}}, False),
        ({"codes": {C09}}, {"codes": {WEIGHT}}, False),
        ({"period": Interval(None, NOW)}, {}, True),
        ({"period": Interval(LATER, None)}, {"period": Interval(None, LATER)}, True),
        ({"period": Interval(EARLIER, None)}, {"period": Interval(None, LATER)}, False),
    ],
)
def test_what_asks_for_something_else_never_meets(one: Attributes, other: Attributes, expected: bool) -> None:
    for heads in ([head(**one)], [head(**one), head()], [head(), head(**one)]):
        assert apart(heads, heads, exception(**other), NOW) is expected


def test_of_two_permits_neither_level_is_apart() -> None:
    one = [head(confidentiality=labels("N"))]
    assert not apart(one, one, exception(Effect.PERMIT, confidentiality=labels("R")), NOW)
    denied = [head(Effect.DENY, confidentiality=labels("R"))]
    assert apart(denied, denied, exception(Effect.PERMIT, confidentiality=labels("N")), NOW)


def test_periods_with_nothing_in_common_meet_nothing() -> None:
    heads = [head(period=Interval(None, LATER)), head(period=Interval(LAST, None))]
    assert apart(heads, heads, exception(), NOW)


def test_what_is_apart_or_without_such_codes_is_never_met() -> None:
    measured = [head(classes=of("Observation"))]
    assert never(measured, exception(classes=of("Condition")), NOW)
    assert never(measured, exception(codes={C09}), NOW)
    assert not never(measured, exception(codes={WEIGHT}), NOW)


def test_codes_of_any_type_are_of_some_system() -> None:
    assert not uncoded([head(codes={C09})])
    assert uncoded([head(classes=of("Observation"), codes={C09})])
    assert uncoded([head(classes=of("Observation"), codes={C09}), head(codes={WEIGHT})])
