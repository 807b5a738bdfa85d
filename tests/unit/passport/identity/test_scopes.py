"""Scopes narrow: an unreadable one gives nothing, and one that cannot be carried out is refused."""

import pytest

from passport.identity.scopes import Right, UnusableScope, allows, checked, everything, read, within
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
    "scope",
    [
        "user/Observation.",
        "user/Observation.sr",
        "user/Observation.rr",
        "user/Observation.read",
        "user/Shoe.rs",
        "user/Observation.rs?category=vital-signs",
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
    ],
)
def test_a_session_may_do_what_one_of_its_scopes_allows(
    scopes: set[str], type_name: str, right: Right, expected: bool
) -> None:
    assert allows(scopes, type_name, right) is expected


@pytest.mark.parametrize(
    ("asked", "allowed", "expected"),
    [
        ({"system/Observation.r"}, {"system/Observation.rs"}, True),
        ({"system/Observation.r"}, {"system/*.rs"}, True),
        ({"system/*.r"}, {"system/Observation.rs"}, False),
        ({"system/Observation.cr"}, {"system/Observation.r", "system/*.c"}, True),
        ({"system/Observation.d"}, {"system/Observation.cr"}, False),
        ({"user/Observation.r"}, {"system/Observation.r"}, False),
        ({"nonsense"}, {"system/*.cruds"}, False),
        (set(), set(), True),
    ],
)
def test_nobody_gets_a_right_that_was_not_allowed(asked: set[str], allowed: set[str], expected: bool) -> None:
    assert within(asked, allowed) is expected
