"""Scopes of either version are read as version 2, and what cannot be enforced is refused with the reason."""

import pytest

from passport.identity.authorization.profiles import CODE, CREDENTIALS
from passport.identity.authorization.wanted import (
    ScopeRefused,
    Wanted,
    contexts_of,
    everything_for,
    left_of,
    record_scope,
    wanted,
)

PERSONS = ("patient", "user")


def read(text: str) -> Wanted:
    return wanted(text.split(), contexts=PERSONS, sandbox=False)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("patient/Observation.read", "patient/Observation.rs"),
        ("patient/Observation.write", "patient/Observation.cud"),
        ("user/*.*", "user/*.cruds"),
        ("user/Consent.cruds", "user/Consent.cruds"),
        ("patient/*.r", "patient/*.r"),
    ],
)
def test_version_1_is_read_as_what_it_means_in_version_2(asked: str, meant: str) -> None:
    assert read(asked).texts == {meant}


def test_what_opens_no_record_stands_beside() -> None:
    found = read("openid fhirUser launch launch/patient offline_access patient/*.rs")
    assert found.beside == {"openid", "fhirUser", "launch", "launch/patient", "offline_access"}
    assert [str(scope) for scope in found.records] == ["patient/*.rs"]


def test_search_arguments_are_refused_with_the_reason() -> None:
    with pytest.raises(ScopeRefused, match="nothing enforces them"):
        read("patient/Observation.rs?category=vital-signs")


@pytest.mark.parametrize(
    "scope",
    [
        "patient/Observation.",
        "patient/Observation.sr",
        "patient/Shoe.rs",
        "system/Observation.rs",
        "patient/Observation.Read",
        "profile",
        "offline",
        'x"y',
        "患者",
    ],
)
def test_what_nobody_is_granted_is_refused_in_plain_ascii(scope: str) -> None:
    with pytest.raises(ScopeRefused) as refusal:
        read(scope)
    assert refusal.value.text.isascii()
    assert '"' not in refusal.value.text


def test_too_many_scopes_are_refused() -> None:
    with pytest.raises(ScopeRefused):
        wanted((f"x{at}" for at in range(65)), contexts=PERSONS, sandbox=False)


@pytest.mark.parametrize(
    ("asked", "allowed", "left"),
    [
        ("patient/*.cruds", ["patient/Observation.rs"], {"patient/Observation.rs"}),
        ("patient/Observation.rs", ["user/*.r"], {"patient/Observation.r"}),
        ("user/Observation.rs", ["user/Condition.rs"], set()),
        ("user/*.rs", ["user/Observation.r", "user/Condition.s"], {"user/Observation.r", "user/Condition.s"}),
        ("user/Observation.c", ["user/*.rs"], set()),
        ("user/*.rs", ["nonsense"], set()),
        ("user/*.rs", [], set()),
    ],
)
def test_what_is_left_is_never_wider_than_either(asked: str, allowed: list[str], left: set[str]) -> None:
    scope = record_scope(asked)
    assert scope is not None
    assert {str(each) for each in left_of([scope], allowed)} == left


def test_a_service_asks_for_itself_and_an_app_for_its_persons() -> None:
    assert contexts_of([CREDENTIALS]) == {"system"}
    assert contexts_of([CODE]) == {"patient", "user"}
    assert everything_for({"system"}) == {"system/*.cruds"}
    assert everything_for(PERSONS) > {"patient/*.cruds", "user/*.cruds", "openid"}
