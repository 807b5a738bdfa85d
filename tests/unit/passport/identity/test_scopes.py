"""Scopes narrow: an unreadable one gives nothing, and one that cannot be carried out is refused."""

import pytest

from passport.identity.record_scopes import Right
from passport.identity.scopes import (
    UnusableScope,
    allows,
    checked,
    everything,
    granting,
    of_one_passport,
    of_one_patient,
    patients,
    read,
    told,
    within,
)
from passport.subjects import KINDS, Kind


@pytest.mark.parametrize("kind", KINDS)
def test_who_asks_for_nothing_is_narrowed_by_nothing(kind: Kind) -> None:
    assert read("", kind) == everything(kind) == checked(everything(kind), kind)


@pytest.mark.parametrize(
    ("scope", "kind"),
    [
        ("user/Observation.rs", "practitioner"),
        ("patient/*.rs", "patient"),
        ("system/Medication.cruds", "service"),
        ("user/Consent.c user/Observation.s", "proxy"),
    ],
)
def test_scopes_of_the_callers_own_context_are_given(scope: str, kind: Kind) -> None:
    assert read(scope, kind) == frozenset(scope.split())


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("service", "`system/Observation.rs`"), ("patient", "`patient/Observation.rs`, `user/Observation.rs`")],
)
def test_a_refusal_names_scopes_that_this_kind_of_caller_is_given(kind: Kind, expected: str) -> None:
    with pytest.raises(UnusableScope) as refused:
        read("openid", kind)
    assert str(refused.value) == f"got scope `openid`, expected such as {expected}"


@pytest.mark.parametrize(
    "scope",
    [
        "user/Observation.",
        "user/Observation.sr",
        "user/Observation.rr",
        "user/Shoe.rs",
        "user/Observation.rs?date=2026",
        "user/Observation.rs?code=85354-9",
        "user/Observation.rs?category:not=vital-signs",
        "user/Observation.rs?category=",
        "user/Observation.rs?",
        "user/*.rs?_security=x|y",
        "user/Practitioner.rs?_security=x|y",
        "system/Observation.rs",
        "observation.rs",
        "openid",
        "*",
    ],
)
def test_what_cannot_be_carried_out_is_refused(scope: str) -> None:
    with pytest.raises(UnusableScope):
        read(scope, "practitioner")


def test_too_many_scopes_are_refused() -> None:
    with pytest.raises(UnusableScope):
        checked((f"user/Observation.rs{'' if at == 0 else ' ' * at}" for at in range(100)), "practitioner")


@pytest.mark.parametrize(
    ("scopes", "type_name", "right", "expected"),
    [
        ({"user/Observation.rs"}, "Observation", "r", True),
        ({"user/Observation.rs"}, "Observation", "c", False),
        ({"user/Observation.rs"}, "Condition", "r", False),
        ({"user/*.s"}, "Condition", "s", True),
        ({"user/*.s", "user/Condition.c"}, "Condition", "c", True),
        ({"user/Observation.sr"}, "Observation", "r", False),
        ({"nonsense", "user/Observation.rs?x=y"}, "Observation", "r", False),
        (set(), "Observation", "r", False),
        ({"user/*.cruds"}, "Consent", "r", True),
        ({"user/*.cruds"}, "Consent", "c", False),
        ({"user/*.cruds", "user/Consent.u"}, "Consent", "u", True),
        ({"user/*.cruds", "user/Consent.u"}, "Consent", "d", False),
        ({"user/*.cruds"}, "RelatedPerson", "d", False),
    ],
)
def test_a_session_may_do_what_one_of_its_scopes_allows(
    scopes: set[str], type_name: str, right: Right, expected: bool
) -> None:
    assert allows(frozenset(scopes), type_name, right) is expected


VITAL_SIGNS = "patient/Observation.rs?category=vital-signs"


def test_a_narrowed_scope_reaches_its_type_and_does_not_give_it_whole() -> None:
    scopes = frozenset({VITAL_SIGNS})
    assert granting(scopes, "r", "Observation") == scopes
    assert not allows(scopes, "Observation", "r")
    assert not granting(scopes, "r", "Condition")
    assert allows(scopes | {"user/*.r"}, "Observation", "r")


def test_a_scope_for_one_patient_gives_nothing_whole_and_that_is_told_to_nobody() -> None:
    scopes = frozenset({"patient/*.rs", "user/Practitioner.rs"}) | of_one_patient([7])
    assert granting(scopes, "s", "Observation") == {"patient/*.rs"}
    assert not allows(scopes, "Observation", "s")
    assert allows(scopes, "Practitioner", "s")
    assert told(scopes) == {"patient/*.rs", "user/Practitioner.rs"}


def test_a_scope_for_one_passport_is_whole_for_it_and_names_its_patient() -> None:
    scopes = frozenset({"patient/*.rs"}) | of_one_passport([7, 9])
    assert allows(scopes, "Observation", "s")
    assert patients(scopes) == frozenset({7, 9})
    assert told(scopes) == {"patient/*.rs"}


def test_who_is_not_registered_is_nobody() -> None:
    assert of_one_patient([]) == {"patient=-1"}


def test_nobody_asks_for_a_patient_by_the_name_that_the_session_has_for_one() -> None:
    with pytest.raises(UnusableScope):
        read("patient=7", "patient")


@pytest.mark.parametrize(
    ("asked", "allowed", "expected"),
    [
        ({"system/Observation.r"}, {"system/Observation.rs"}, True),
        ({"system/Observation.r"}, {"system/*.rs"}, True),
        ({"system/*.r"}, {"system/Observation.rs"}, False),
        ({"system/Observation.cr"}, {"system/Observation.r", "system/*.c"}, True),
        ({"system/Observation.d"}, {"system/Observation.cr"}, False),
        ({"user/Observation.r"}, {"system/Observation.r"}, False),
        ({"user/Observation.r?category=a"}, {"user/Observation.r"}, True),
        ({"user/Observation.r?category=a"}, {"user/*.r"}, True),
        ({"user/Observation.r?category=a"}, {"user/Observation.r?category=a,b"}, True),
        ({"user/Observation.r?category=a&status=final"}, {"user/Observation.r?category=a"}, True),
        ({"user/Observation.r?category=a,b"}, {"user/Observation.r?category=a"}, False),
        ({"user/Observation.r"}, {"user/Observation.r?category=a"}, False),
        ({"nonsense"}, {"system/*.cruds"}, False),
        ({"user/Consent.rs"}, {"user/*.cruds"}, True),
        ({"user/Consent.c"}, {"user/*.cruds"}, False),
        ({"user/Consent.cr"}, {"user/*.cruds", "user/Consent.c"}, True),
        (set(), set(), True),
    ],
)
def test_nobody_gets_a_right_that_was_not_allowed(asked: set[str], allowed: set[str], expected: bool) -> None:
    assert within(asked, allowed) is expected
