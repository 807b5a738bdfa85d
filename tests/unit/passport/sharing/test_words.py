"""What a Consent says in words: everything that narrows it shows, in both languages."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from consent.model import Action, Coding, Confidentiality, Effect, Interval, Provision, Purpose
from consent.systems import ACTORS, RESOURCE_TYPES
from passport.sharing.words import ACTIONS, PURPOSES, UNNAMED, Words, category, ending, said

TOKYO: Final = ZoneInfo("Asia/Tokyo")
NAMES: Final = {"Organization/h": "ひな形病院"}
MEDICINES: Final = frozenset({Coding(RESOURCE_TYPES, "Immunization"), Coding(RESOURCE_TYPES, "Condition")})
PERMIT: Final = Provision(
    effect=Effect.PERMIT, actors=frozenset({"Organization/h"}), purposes=frozenset({Purpose.TREAT})
)


def until(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> Interval:
    return Interval(None, datetime(year, month, day, hour, minute, tzinfo=TOKYO).astimezone(UTC))


def words(root: Provision) -> Words:
    return said(root, NAMES, TOKYO)


def test_a_permit_says_who_sees_what_why_and_until_when() -> None:
    root = replace(PERMIT, classes=MEDICINES, period=until(2027, 2, 23))
    assert words(root) == Words(
        "ひな形病院は、病名・予防接種を診療のために2027年2月22日まで閲覧できます。",
        "ひな形病院 may see diagnoses and vaccinations for treatment, until 22 February 2027.",
    )


def test_a_deny_says_who_does_not() -> None:
    root = Provision(effect=Effect.DENY, classes=MEDICINES)
    assert words(root) == Words(
        "だれも、病名・予防接種を閲覧・追加・訂正できません（やめるまで）。",
        "Nobody may see, add or correct diagnoses and vaccinations, until you stop it.",
    )
    assert words(replace(root, actors=PERMIT.actors)).en.startswith("ひな形病院 may not see")
    assert words(replace(root, actors=PERMIT.actors)).ja.startswith("ひな形病院は、")


@pytest.mark.parametrize(
    "narrowed",
    [
        replace(PERMIT, classes=MEDICINES),
        replace(PERMIT, codes=frozenset({Coding("http://loinc.org", "85354-9")})),
        replace(PERMIT, data_period=until(2025, 1, 1)),
        replace(PERMIT, period=until(2027, 1, 1)),
        replace(PERMIT, confidentiality=frozenset({Confidentiality.N})),
        replace(PERMIT, confidentiality=frozenset({Confidentiality.L})),
        replace(PERMIT, sensitivities=frozenset({Coding("x", "HIV")})),
        replace(PERMIT, children=(Provision(effect=Effect.DENY, classes=MEDICINES),)),
        replace(PERMIT, actions=frozenset({Action.COLLECT})),
        replace(PERMIT, purposes=frozenset({Purpose.HRESCH})),
        replace(PERMIT, actors=frozenset({"RelatedPerson/r"})),
    ],
)
def test_whatever_narrows_it_shows_in_both_languages(narrowed: Provision) -> None:
    plain, told = words(PERMIT), words(narrowed)
    assert told.ja != plain.ja
    assert told.en != plain.en


@pytest.mark.parametrize(
    ("period", "ja", "en"),
    [
        (None, "やめるまで", "until you stop it"),
        (Interval(datetime(2026, 1, 1, tzinfo=UTC), None), "やめるまで", "until you stop it"),
        (until(2027, 3, 1), "2027年2月28日まで", "until 28 February 2027"),
        (until(2026, 11, 23, 16, 5), "2026年11月23日16:05まで", "until 23 November 2026, 16:05"),
    ],
)
def test_the_last_day_is_the_one_that_is_still_within(period: Interval | None, ja: str, en: str) -> None:
    assert ending(period, TOKYO) == Words(ja, en)


def test_times_of_records_are_told_by_their_first_and_last_day() -> None:
    year = Interval(until(2025, 1, 1).end, until(2026, 1, 1).end)
    told = words(replace(PERMIT, data_period=year))
    assert "2025年1月1日から2025年12月31日までのすべての記録" in told.ja
    assert "from 1 January 2025 until 31 December 2025" in told.en


def test_whoever_may_act_has_words_in_both_languages() -> None:
    assert set(PURPOSES) == set(Purpose)
    assert set(ACTIONS) == set(Action)
    known = {"Organization", "Practitioner", "PractitionerRole"}
    assert set(UNNAMED) >= set(ACTORS) - known
    for actor in ACTORS:
        told = words(replace(PERMIT, actors=frozenset({f"{actor}/unknown"})))
        assert "/unknown" not in told.ja + told.en


def test_a_class_of_a_foreign_system_is_not_told_by_its_address() -> None:
    assert "://" not in category("http://city.example/kinds|secret").en
    assert category("Goal") == Words("Goal", "Goal")
