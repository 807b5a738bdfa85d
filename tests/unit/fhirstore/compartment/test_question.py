"""What `$everything` is asked, read and refused.

http://hl7.org/fhir/R4/patient-operation-everything.html
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fhirstore.compartment.question import DIRECTORY, HELD, parse_everything
from fhirstore.search.query import DEFAULT_COUNT, MAX_COUNT
from fhirstore.search.test import SearchError
from fhirstore.subset import Subset

TOKYO = ZoneInfo("Asia/Tokyo")

Pairs = list[tuple[str, str]]


def test_unless_types_are_named_all_of_them_are_asked_for() -> None:
    asked = parse_everything([], zone=TOKYO)
    assert (asked.held, asked.supporting, asked.named) == (HELD, DIRECTORY, False)
    assert (asked.count, asked.tests, asked.subset, asked.cursor, asked.echo) == (
        DEFAULT_COUNT,
        (),
        None,
        None,
        (),
    )
    assert "AuditEvent" not in HELD | DIRECTORY


@pytest.mark.parametrize(
    "pairs",
    [
        [("_type", "Observation,Condition,Practitioner")],
        [("_type", "Observation"), ("_type", "Practitioner,Condition,Condition")],
    ],
)
def test_types_are_named_at_once_or_one_by_one(pairs: Pairs) -> None:
    asked = parse_everything(pairs, zone=TOKYO)
    assert asked.held == frozenset({"Observation", "Condition"})
    assert asked.supporting == frozenset({"Practitioner"})
    assert asked.named


def test_dates_begin_and_end_in_the_zone_of_the_passport() -> None:
    pairs = [("start", "2026-10-01"), ("end", "2026-10"), ("_since", "2026-10-01T00:00:00 09:00")]
    params: dict[str, object] = {}
    for test in parse_everything(pairs, zone=TOKYO).tests:
        params.update(test.params)
    assert params == {
        "boundstart": datetime(2026, 9, 30, 15, tzinfo=UTC),
        "boundend": datetime(2026, 10, 31, 15, tzinfo=UTC),
        "boundsince": datetime(2026, 9, 30, 15, tzinfo=UTC),
    }


def test_the_links_say_what_was_understood() -> None:
    pairs = [("_count", "999999"), ("_type", "Observation"), ("_cursor", "x"), ("_elements", "code")]
    asked = parse_everything(pairs, zone=TOKYO)
    assert (asked.count, asked.cursor, asked.subset) == (MAX_COUNT, "x", Subset(elements=frozenset({"code"})))
    assert asked.echo == (("_count", str(MAX_COUNT)), ("_type", "Observation"), ("_elements", "code"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_type", "Nonsense"),
        ("_type", "Observation,"),
        ("_type", "Practitioner"),
        ("_count", "0"),
        ("_count", "-1"),
        ("_count", "1.5"),
        ("start", "2026-13"),
        ("end", ""),
        ("_since", "2026-10-01"),
        ("_sort", "date"),
        ("_include", "*"),
    ],
)
def test_what_it_does_not_have_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SearchError) as error:
        parse_everything([(name, value)], zone=TOKYO)
    assert error.value.parameter == name


def test_a_type_that_it_does_not_have_is_named() -> None:
    with pytest.raises(
        SearchError, match=r"got `Nonsense` in `_type`, expected .*: AllergyIntolerance, .*Condition"
    ):
        parse_everything([("_type", "Observation,Nonsense")], zone=TOKYO)
