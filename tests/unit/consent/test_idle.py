"""Provisions that do nothing, one by one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consent.idle import Idle, Why, blocking, granting, idle, without
from consent.model import Consent, Status
from consent.systems import LOINC
from tests.unit.consent.words import (
    C09,
    DR_A,
    DR_B,
    ED,
    N06,
    NOW,
    ORG_H,
    YJ,
    Json,
    allow,
    consents,
    deny,
    permit,
    policies,
)

ROOT = "Consent.provision"
PAST = {"start": "2020-01-01", "end": "2020-12-31"}
WEIGHT = (LOINC, "29463-7")


def found(
    *roots: Json, among: list[Consent] | None = None
) -> list[tuple[str, str, Why, tuple[str, str] | None]]:
    """What is idle of consents with these roots; `among` count beside them."""
    own = consents(*roots)
    listed = idle([*(among or []), *own], {one.reference for one in own}, NOW)
    return [(one.consent, one.path, one.why, one.by) for one in listed]


def whys(*roots: Json, among: list[Consent] | None = None) -> list[tuple[str, Why]]:
    return [(path, why) for _, path, why, _ in found(*roots, among=among)]


def test_a_permit_is_blocked_while_a_bare_deny_stands() -> None:
    assert found(permit(ORG_H), deny()) == [("Consent/0", ROOT, Why.BLOCKED, ("Consent/1", ROOT))]


@pytest.mark.parametrize(
    "block",
    [
        deny(ORG_H),
        deny(ORG_H, DR_B),
        deny(types=["Observation", "Condition"]),
        deny(purposes=["TREAT", "HRESCH"]),
        deny(labels=["U"], but=[allow(DR_A, purposes=["ETREAT"])]),
    ],
)
def test_a_permit_is_blocked_by_what_covers_all_of_it(block: Json) -> None:
    granted = permit(ORG_H, types=["Observation"], labels=["N"])
    narrowed = deny(labels=["U"], but=[allow(DR_A, purposes=["ETREAT"])])
    # A deny of a label and above does not cover a permit of a label and below.
    expected = [] if block == narrowed else [(ROOT, Why.BLOCKED)]
    assert whys(granted, block)[:1] == expected


@pytest.mark.parametrize(
    "block",
    [
        deny(DR_A),
        deny(types=["Observation"]),
        deny(purposes=["HRESCH"]),
        deny(period={"end": "2026-12-31"}),
        deny(actions=["collect"]),
        deny(codes=[C09]),
        deny(but=[allow(ORG_H, purposes=["TREAT"], types=["Observation"])]),
    ],
)
def test_a_permit_that_is_blocked_in_part_is_not_idle(block: Json) -> None:
    assert whys(permit(ORG_H), block) == []


def test_a_permit_inside_of_a_deny_is_blocked_by_another_deny_alone() -> None:
    granted = deny(but=[allow(ED, purposes=["ETREAT"])])
    assert whys(granted) == []
    assert found(granted, deny(ED)) == [
        ("Consent/0", f"{ROOT}.provision[0]", Why.BLOCKED, ("Consent/1", ROOT))
    ]


def test_a_deny_blocks_whoever_the_directory_leads_to_whom_it_names() -> None:
    ward = "Organization/ward"
    given = consents(permit(ward), deny(ORG_H))
    assert idle(given, {"Consent/0"}, NOW) == []
    leads = {ward: frozenset({ORG_H})}
    assert [one.why for one in idle(given, {"Consent/0"}, NOW, leads)] == [Why.BLOCKED]


def test_break_glass_is_not_blocked_by_a_deny_that_does_not_name_it() -> None:
    assert whys(permit(ED, purposes=["BTG"]), deny()) == []
    assert whys(permit(ED, purposes=["BTG"]), deny(purposes=["BTG"])) == [(ROOT, Why.BLOCKED)]


def test_a_period_that_has_ended_applies_no_more() -> None:
    assert whys(permit(ORG_H, period=PAST)) == [(ROOT, Why.OVER)]
    assert whys(deny(period=PAST, but=[allow(DR_A, purposes=["TREAT"])])) == [(ROOT, Why.OVER)]
    inside = permit(ORG_H, but=[deny(types=["Condition"], period=PAST)])
    assert whys(inside) == [(f"{ROOT}.provision[0]", Why.OVER)]


def test_a_period_ends_at_its_end() -> None:
    end = NOW + timedelta(seconds=1)
    given = consents(permit(ORG_H, period={"end": "2026-07-01T03:00:01Z"}))
    assert idle(given, {"Consent/0"}, NOW) == []
    assert [one.why for one in idle(given, {"Consent/0"}, end)] == [Why.OVER]


@pytest.mark.parametrize(
    ("granted", "exception"),
    [
        ({"types": ["Observation"]}, deny(types=["MedicationRequest"])),
        ({"labels": ["N"]}, deny(labels=["R"])),
        (
            {"data_period": {"start": "2024", "end": "2024"}},
            deny(data_period={"start": "2025", "end": "2025"}),
        ),
        ({"period": {"end": "2026-12-31"}}, deny(period={"start": "2027-01-01"})),
        ({}, deny(purposes=["HRESCH"])),
        ({}, deny(actions=["collect"])),
        ({}, deny(types=["Consent"])),
        ({"types": ["Encounter"]}, deny(codes=[C09])),
    ],
)
def test_an_exception_that_never_meets_its_permit_has_no_effect(granted: Json, exception: Json) -> None:
    assert whys(permit(ORG_H, **granted, but=[exception])) == [(f"{ROOT}.provision[0]", Why.NEEDLESS)]


@pytest.mark.parametrize(
    ("granted", "exception"),
    [
        ({"types": ["MedicationRequest"]}, deny(codes=[C09])),
        ({"types": ["MedicationRequest"]}, deny(codes=[WEIGHT])),
        ({"labels": ["R"]}, deny(labels=["R"])),
        ({}, deny(DR_B)),
        ({}, deny(labels=["V"])),
        ({"data_period": {"start": "2024", "end": "2024"}}, deny(data_period={"start": "2024-06"})),
    ],
)
def test_an_exception_that_may_meet_its_permit_has_an_effect(granted: Json, exception: Json) -> None:
    # What is not known of a record is taken away too: an uncoded prescription by a code of any system.
    assert whys(permit(ORG_H, **granted, but=[exception])) == []


def test_an_exception_of_an_exception_is_compared_with_all_above_it() -> None:
    inside = deny(
        types=["MedicationRequest", "Observation"], but=[allow(types=["Condition"]), allow(codes=[C09])]
    )
    assert whys(permit(ORG_H, but=[inside])) == [(f"{ROOT}.provision[0].provision[0]", Why.NEEDLESS)]


def test_a_permit_inside_of_a_deny_of_other_purposes_grants_nothing() -> None:
    assert whys(deny(purposes=["HRESCH"], but=[allow(DR_A, purposes=["TREAT"])])) == [
        (f"{ROOT}.provision[0]", Why.NEEDLESS)
    ]


def test_a_permit_for_break_glass_inside_of_a_deny_grants_it() -> None:
    assert whys(deny(but=[allow(ED, purposes=["BTG"])])) == []


@pytest.mark.parametrize(
    ("types", "codes"),
    [
        (["Observation"], [C09]),
        (["MedicationRequest", "MedicationDispense"], [WEIGHT]),
        (["Encounter", "Consent"], [WEIGHT]),
    ],
)
def test_a_class_whose_records_have_no_such_codes_is_never_granted(
    types: list[str], codes: list[tuple[str, str]]
) -> None:
    assert whys(permit(ORG_H, types=types, codes=codes)) == [(ROOT, Why.UNCODED)]


def test_one_class_with_such_codes_is_enough() -> None:
    assert whys(permit(ORG_H, types=["Observation", "MedicationRequest"], codes=[C09])) == []
    assert whys(permit(ORG_H, types=["MedicationRequest"], codes=[WEIGHT, (YJ, "1")])) == []
    # A type whose systems are not known may use any.
    assert whys(permit(ORG_H, types=["ImagingStudy"], codes=[WEIGHT])) == []


@pytest.mark.parametrize(
    "narrower",
    [
        permit(DR_A),
        permit(DR_A, types=["Observation"]),
        permit(DR_A, labels=["L"]),
        permit(DR_A, period={"end": "2026-12-31"}),
        permit(DR_A, but=[deny(types=["Condition"]), deny(codes=[C09])]),
    ],
)
def test_a_permit_that_another_one_contains_repeats_it(narrower: Json) -> None:
    wider = permit(DR_A, DR_B, but=[deny(types=["Condition"])] if "provision" in narrower else [])
    assert found(wider, narrower) == [("Consent/1", ROOT, Why.REPEATED, ("Consent/0", ROOT))]


def test_of_two_that_say_the_same_the_later_one_repeats() -> None:
    assert found(permit(DR_A), permit(DR_A)) == [("Consent/1", ROOT, Why.REPEATED, ("Consent/0", ROOT))]


@pytest.mark.parametrize(
    "other",
    [
        permit(DR_A, purposes=["ETREAT"]),
        permit(DR_A, actions=["collect"]),
        permit(DR_A, types=["Consent"]),
        permit(DR_A, but=[deny(codes=[N06])]),
        permit(DR_B),
    ],
)
def test_a_permit_that_says_anything_else_repeats_nothing(other: Json) -> None:
    assert whys(permit(DR_A, but=[deny(codes=[C09])]), other) == []


def test_a_policy_may_be_repeated_and_another_persons_consent_may_not() -> None:
    assert whys(permit(DR_A), among=policies(permit(DR_A, DR_B))) == [(ROOT, Why.REPEATED)]
    elsewhere = [*consents(permit(DR_A), patient="Patient/p2")]
    assert whys(permit(DR_A), among=elsewhere) == []
    assert whys(permit(DR_A), among=consents(deny(), patient="Patient/p2")) == []


def test_what_does_not_count_is_not_compared() -> None:
    (waiting,) = consents(deny())
    (granted,) = consents(permit(DR_A))
    assert idle([granted], {granted.reference}, NOW) == []
    assert idle([granted, without(waiting, ROOT)], {granted.reference}, NOW) == []
    assert idle([granted], set(), NOW) == []


def test_what_waits_or_is_not_asked_about_is_not_told() -> None:
    denied, granted = consents(deny(), permit(DR_A))
    waiting = replace(denied, status=Status.PROPOSED)
    assert idle([waiting, granted], {granted.reference}, NOW) == []
    over = consents(permit(ORG_H, period=PAST))
    assert idle(over, set(), NOW) == []
    assert [*granting(without(granted, ROOT)), *blocking(without(denied, ROOT))] == []


def test_a_grant_is_for_somebody_of_each_group_that_it_names() -> None:
    both, one = consents(deny(ORG_H, but=[permit(DR_A)]), deny(but=[permit(DR_A, DR_B)]))
    assert [ruled.actors for ruled in granting(both)] == [[frozenset({ORG_H}), frozenset({DR_A})]]
    assert [ruled.actors for ruled in granting(one)] == [[frozenset({DR_A, DR_B})]]


def test_an_exception_is_of_all_that_its_permit_grants() -> None:
    collected = permit(ORG_H, actions=["collect"], but=[deny(types=["Condition"])])
    assert whys(collected) == []
    assert whys(deny(but=[collected])) == []


def test_a_permit_inside_of_a_deny_grants_no_more_than_one_by_itself() -> None:
    assert whys(deny(purposes=["BTG"], but=[allow(DR_A)])) == [(f"{ROOT}.provision[0]", Why.NEEDLESS)]


def test_a_deny_is_not_said_to_block_what_is_inside_of_it() -> None:
    inside = allow(DR_A, purposes=["TREAT"], labels=["N"])
    assert whys(deny(labels=["R"], but=[inside])) == []


def test_an_exception_may_be_known_where_what_it_is_an_exception_of_is_not() -> None:
    # A prescription may carry a code of measurements alone: what is asked of its other codes is unknown then.
    inside = deny(types=["MedicationRequest"], codes=[C09], but=[allow(codes=[WEIGHT])])
    assert whys(permit(ORG_H, but=[inside])) == []
    assert whys(deny(but=[permit(ORG_H, but=[inside])])) == []
    coded = permit(ORG_H, types=["MedicationRequest"], codes=[C09], but=[deny(codes=[WEIGHT])])
    assert whys(coded) == [(f"{ROOT}.provision[0]", Why.NEEDLESS)]
    assert whys(deny(but=[coded])) == [(f"{ROOT}.provision[0].provision[0]", Why.NEEDLESS)]


def test_a_narrower_permit_repeats_a_wider_one_that_stands_after_it() -> None:
    narrow, wide = permit(DR_A, types=["Observation"]), permit(DR_A)
    assert found(narrow, wide) == [("Consent/0", ROOT, Why.REPEATED, ("Consent/1", ROOT))]
    elsewhere = permit(DR_A, but=[deny(types=["Condition"])])
    assert found(elsewhere, narrow) == [("Consent/1", ROOT, Why.REPEATED, ("Consent/0", ROOT))]


def test_a_consent_without_a_provision_keeps_the_others() -> None:
    (given,) = consents(permit(ORG_H, but=[deny(types=["Condition"]), deny(codes=[C09], but=[allow(DR_A)])]))
    assert given.root is not None
    left = without(given, f"{ROOT}.provision[0]")
    assert left.root is not None
    assert left.root.children == given.root.children[1:]
    deeper = without(given, f"{ROOT}.provision[1].provision[0]")
    assert deeper.root is not None
    assert [len(child.children) for child in deeper.root.children] == [0, 0]
    assert not without(given, ROOT).counts
    assert without(without(given, ROOT), f"{ROOT}.provision[0]").root is None


def test_what_is_found_names_its_place() -> None:
    assert idle(consents(permit(ORG_H, period=PAST)), {"Consent/0"}, NOW) == [
        Idle("Consent/0", ROOT, Why.OVER)
    ]
