"""Scopes of either version are read as version 2, and what cannot be enforced is refused with the reason."""

import re

import pytest

from passport.identity.authorization.profiles import CODE, CREDENTIALS
from passport.identity.authorization.wanted import (
    ScopeRefused,
    Wanted,
    contexts_of,
    everything_for,
    left_of,
    wanted,
)
from passport.identity.record_scopes import record_scope

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
    beside = {"openid", "fhirUser", "launch", "launch/patient", "launch/encounter", "offline_access"}
    found = read(f"{' '.join(sorted(beside))} patient/*.rs")
    assert found.beside == beside
    assert [str(scope) for scope in found.records] == ["patient/*.rs"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("patient/Observation.read?category=vital-signs", "patient/Observation.rs?category=vital-signs"),
        (
            "patient/Observation.rs?status=final&category=b,a",
            "patient/Observation.rs?category=a,b&status=final",
        ),
        ("patient/Observation.rs?category=a%7Cb", "patient/Observation.rs?category=a|b"),
        ("patient/Condition.r?_security=a|b", "patient/Condition.r?_security=a|b"),
    ],
)
def test_search_arguments_are_read_and_written_in_one_way(asked: str, meant: str) -> None:
    assert read(asked).texts == {meant}


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ("patient/Observation.rs?date=2026", "nothing enforces others"),
        ("patient/*.rs?_security=a|b", "expected no search arguments"),
        ("patient/Observation.rs?code=85354-9", "`system|code`"),
        ("patient/Practitioner.rs?name=a", "expected no search arguments"),
    ],
)
def test_search_arguments_that_nothing_enforces_are_refused_with_the_reason(scope: str, reason: str) -> None:
    with pytest.raises(ScopeRefused, match=re.escape(reason)):
        read(scope)


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
        ("user/Consent.cr", ["user/*.cruds"], {"user/Consent.r"}),
        ("user/*.cruds", ["user/Consent.crs"], {"user/Consent.rs"}),
        ("user/Consent.cr", ["user/*.cruds", "user/Consent.cud"], {"user/Consent.r", "user/Consent.c"}),
        ("user/*.rs", ["nonsense"], set()),
        ("user/Observation.rs", ["user/Observation.r?category=a"], {"user/Observation.r?category=a"}),
        ("user/*.rs", ["user/Observation.r?category=a"], {"user/Observation.r?category=a"}),
        ("user/*.rs", ["user/Observation.r?category=a", "user/Observation.r"], {"user/Observation.r"}),
        (
            "user/Observation.rs?status=final",
            ["user/Observation.r?category=a"],
            {"user/Observation.r?category=a&status=final"},
        ),
        (
            "user/Observation.r?category=a,b",
            ["user/Observation.r?category=b,c"],
            {"user/Observation.r?category=a,b&category=b,c"},
        ),
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
